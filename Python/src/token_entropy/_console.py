"""The commands of a wheel that has the program in it."""

import os
import sys
from pathlib import Path

from ._program import ProgramError, find_program


def main() -> None:
    """Become the program, under the name that this script was called by."""
    try:
        program = find_program()
    except ProgramError as error:
        sys.exit(f"Error: {error}")
    os.execv(program, [Path(sys.argv[0]).name, *sys.argv[1:]])
