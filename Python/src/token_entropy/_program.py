"""Finds and runs the program that does the work."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Union

#: What an option of a command may be: ``None`` and ``False`` leave it out, ``True`` is a flag, a sequence has its values
#: where the command takes several.
Option = Union[None, bool, int, float, str, "os.PathLike[str]", Sequence[Union[str, int, float]]]


#: Options that name files and folders. The program runs in a folder that is gone afterwards, and must not look for them, or
#: write them, there.
_PLACES = frozenset({"atlas", "checkpoint", "codebook", "images", "influences", "labels", "likelihood", "model", "moments",
                     "npz", "output", "output_dir", "step_maps", "tokens"})
#: Those of them that may be an embedded dataset by its name.
_NAMES = frozenset({"codebook", "tokens"})
#: Datasets that are part of the program.
EMBEDDED = ("scenes", "learned", "scenes-24x24", "learned-24x24", "scenes-12x12", "learned-12x12")


#: Options that may be there several times, and those whose one value is a list of its own.
_REPEATED = frozenset({"extractor", "figure_format", "from", "ref", "step_maps"})
_JOINED = {"classes": ",", "grid": "x", "guidance_interval": ":", "neighbors": ",", "order_steps": ":", "orders": ",",
           "parts": ","}


class ProgramError(RuntimeError):
    """The program could not do what it was asked; the message is the program's own sentence.

    Attributes
    ----------
    status : int
        The exit status: 1 for a failure, 64 for wrong use, 127 where there is no program.
    """

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.status = status


class UsageError(ProgramError, ValueError):
    """An option or argument that the program refuses."""


class ProgramWarning(UserWarning):
    """What the program says beside a result: images that were left out, or numbers to be read with care."""


def find_program() -> str:
    """Return the path of the ``token-entropy`` program.

    The environment variable ``TOKEN_ENTROPY`` names it; else it is the one in this package, as wheels have it; else the
    one on the search path.

    Raises
    ------
    ProgramError
        Where there is none, or it cannot be run.
    """
    named = os.environ.get("TOKEN_ENTROPY")
    bundled = Path(__file__).parent / "bin" / "token-entropy"
    if named:
        path = shutil.which(named) or named
    elif bundled.exists():
        path = str(bundled)
    else:
        found = shutil.which("token-entropy")
        if found is None:
            raise ProgramError(
                "there is no program token-entropy on the search path; install it with `make install`, or name it with"
                " the environment variable TOKEN_ENTROPY", 127)
        path = found
    if not os.path.isfile(path):
        raise ProgramError(f"{path}: there is no such program (TOKEN_ENTROPY names it)", 127)
    if not os.access(path, os.X_OK):
        raise ProgramError(f"{path}: is not executable; chmod +x makes it so", 126)
    return path


@contextmanager
def workspace() -> Iterator[Path]:
    """A temporary folder for arrays, gone at the end whatever happens."""
    with tempfile.TemporaryDirectory(prefix="token-entropy-") as folder:
        yield Path(folder)


def flags(options: Mapping[str, Option]) -> list[str]:
    """The command line of options given as keywords: ``feature_dimensions=4`` is ``--feature-dimensions 4``.

    Files and folders are named from the current folder, wherever the program runs. Of an option that takes one value a
    list is refused.

    >>> flags({"limit": 100, "all": True, "given": None, "from_": ["greedy", "halton"]})
    ['--limit', '100', '--all', '--from', 'greedy', '--from', 'halton']
    >>> flags({"classes": range(3), "grid": (12, 12)})
    ['--classes', '0,1,2', '--grid', '12x12']
    >>> flags({"atlas": "a.html"}) == ["--atlas", os.path.abspath("a.html")]
    True
    """
    def text(name: str, value: Any) -> str:
        is_place = name in _PLACES and isinstance(value, str) and not (name in _NAMES and value in EMBEDDED)
        if isinstance(value, os.PathLike) or is_place:
            return str(os.path.abspath(value))
        return str(value)

    result: list[str] = []
    value: Any
    for keyword, value in options.items():
        name = keyword.rstrip("_")
        flag = "--" + name.replace("_", "-")
        if hasattr(value, "item") and not getattr(value, "shape", ()):
            # Of numpy.
            value = value.item()
        if value is None or value is False:
            continue
        if value is True:
            result.append(flag)
        elif isinstance(value, (str, int, float, os.PathLike)):
            result += [flag, text(name, value)]
        elif name in _JOINED:
            result += [flag, _JOINED[name].join(text(name, one) for one in value)]
        elif name in _REPEATED:
            for one in value:
                result += [flag, text(name, one)]
        else:
            # The program would take the last.
            raise UsageError(f"{keyword}={value!r}: one value is expected", 64)
    return result


def _sentence(status: int, errors: str) -> str:
    """What the program said was wrong, or what its end means."""
    lines = [line.removeprefix("Error: ") for line in errors.splitlines() if line.strip()]
    if "GLIBC_" in errors and "not found" in errors:
        return f"the C library of this machine is too old for the program: {lines[-1]}"
    told = [line for line in errors.splitlines() if line.startswith("Error: ")]
    if told:
        return told[0].removeprefix("Error: ")
    if lines:
        return lines[0]
    return f"the program was ended by signal {-status}" if status < 0 else f"the program ended with status {status}"


def _environment(threads: int | None) -> dict[str, str]:
    """The program's environment: this process's, less what Dask has set in it for Python's own memory.

    By its `MALLOC_TRIM_THRESHOLD_` a worker gives memory back to the system as soon as it is free. The program, which
    ends after a command, would ask for that of every block of images anew: a sixth of a pass's time.
    """
    result = dict(os.environ)
    # A process that has made a cluster hands it on to those it starts, which know nothing of Dask but its number.
    if "distributed" in sys.modules or result.get("MALLOC_TRIM_THRESHOLD_") == "65536":
        result.pop("MALLOC_TRIM_THRESHOLD_", None)
    if threads is not None:
        result["OPENBLAS_NUM_THREADS"] = str(threads)
    return result


def run_text(arguments: Sequence[str], *, folder: Path | None = None, threads: int | None = None) -> str:
    """Run the program and return what it prints.

    Parameters
    ----------
    arguments : sequence of str
        The command and its arguments; no shell sees them.
    folder : path, optional
        The folder to run in.
    threads : int, optional
        How many a command without an option for it takes.

    Raises
    ------
    ProgramError
        With the program's sentence. `UsageError` where an argument is refused.
    """
    command = [find_program(), *arguments]
    try:
        process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            encoding="utf-8", env=_environment(threads))
    except OSError as error:
        raise ProgramError(f"{command[0]}: cannot be run: {error.strerror}", 126) from error
    try:
        output, errors = process.communicate()
    except BaseException:
        # Ctrl-C among them: the program removes what it has half written and ends.
        process.terminate()
        process.wait()
        raise
    if process.returncode == 0:
        for line in errors.splitlines():
            if line.startswith(("warning: ", "left out: ")):
                warnings.warn(line.removeprefix("warning: "), ProgramWarning, stacklevel=4)
        return output
    kind = UsageError if process.returncode == 64 else ProgramError
    raise kind(_sentence(process.returncode, errors), process.returncode)


def run(*arguments: str, folder: Path | None = None, threads: int | None = None) -> dict[str, Any]:
    """Run a command with ``--json`` and return its result; `Documentation/Formats.md` names every field.

    >>> run("tokenize", "info", "scenes-12x12")["images"]
    10000
    """
    result: dict[str, Any] = json.loads(run_text([*arguments, "--json"], folder=folder, threads=threads))
    return result


def version() -> str:
    """The program's version, with its BLAS library and the processor that was found."""
    return run_text(["--version"]).strip()
