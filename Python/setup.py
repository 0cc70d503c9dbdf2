"""Makes a wheel of one platform with the commands in it where the program was put into the package (`make wheel`).

Without the program the package is pure Python and looks for the commands on the machine; it then installs no scripts,
which would hide the commands they look for.
"""

from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.bdist_wheel import bdist_wheel

COMMANDS = [
    "token-entropy", "entropy-map", "order-compare", "order-search", "moments", "appendix-figures", "par-sample", "par-train",
    "fid-compare", "tokenize",
]
bundled = (Path(__file__).parent / "src/token_entropy/bin/token-entropy").exists()


class BundledDistribution(Distribution):
    """Goes into the folder for platforms' own files where it has a program."""

    def has_ext_modules(self) -> bool:
        return bundled


class ProgramWheel(bdist_wheel):
    """Fits every Python: the program is none of its modules."""

    def get_tag(self) -> tuple[str, str, str]:
        _, _, platform = super().get_tag()
        return ("py3", "none", platform if bundled else "any")


setup(
    distclass=BundledDistribution,
    cmdclass={"bdist_wheel": ProgramWheel},
    entry_points={
        "console_scripts": [f"{name} = token_entropy._console:main" for name in COMMANDS] if bundled else []
    },
)
