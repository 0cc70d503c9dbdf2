"""Distances between features of real and of generated images."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ._estimate import Estimate, axes, frame
from ._program import Option, UsageError, flags, run, workspace
from ._tokens import _as_array


@dataclass(frozen=True, eq=False, repr=False)
class FeatureDistances:
    """What `frechet` measures.

    Attributes
    ----------
    fd : Estimate
        The Fréchet distance of these samples, which is too large, the more so the fewer they are.
    fd_corrected : Estimate
        Without the share of chance in the means.
    fd_infinity : Estimate
        FD∞, of infinitely many samples; NaN where there are too few for it.
    kid : Estimate
        The kernel distance, unbiased, of all samples.
    precision, recall, density, coverage : dict of int to Estimate
        By the number of nearest neighbours.
    images : tuple of (int or None)
        N of the real and of the generated ones; None where only statistics were given.
    rank : tuple of int
        The ranks of the covariances.
    dimensions : int
        D.
    """

    fd: Estimate
    fd_corrected: Estimate
    fd_infinity: Estimate
    kid: Estimate
    precision: Mapping[int, Estimate]
    recall: Mapping[int, Estimate]
    density: Mapping[int, Estimate]
    coverage: Mapping[int, Estimate]
    images: tuple[int | None, int | None]
    rank: tuple[int, int]
    dimensions: int
    result: Mapping[str, Any]

    def _rows(self) -> dict[str, Estimate]:
        rows = {"fd": self.fd, "fd_corrected": self.fd_corrected, "fd_infinity": self.fd_infinity, "kid": self.kid}
        for name in ("precision", "recall", "density", "coverage"):
            rows |= {f"{name}_{k}": value for k, value in getattr(self, name).items()}
        return rows

    def __repr__(self) -> str:
        head = f"FeatureDistances of {self.images[0]} and {self.images[1]} images, {self.dimensions} features:"
        return "\n".join([head, *(f"  {name:<12}  {value}" for name, value in self._rows().items())])

    def to_frame(self) -> Any:
        """A pandas data frame with a row for each number."""
        rows = self._rows()
        return frame({"metric": list(rows), "value": [float(v) for v in rows.values()],
                      "standard_error": [v.standard_error for v in rows.values()]})

    def plot(self, ax: Any = None) -> Any:
        """Draw precision, recall, density and coverage with their errors; return the axes."""
        ax = axes(ax)
        rows = {name: value for name, value in self._rows().items() if name.rpartition("_")[2].isdigit()}
        ax.errorbar(list(rows), [float(v) for v in rows.values()], yerr=[v.standard_error for v in rows.values()],
                    fmt="o")
        ax.tick_params(axis="x", rotation=45)
        return ax


def _file(values: Any, name: str, folder: Path) -> str:
    if isinstance(values, (str, os.PathLike)):
        return os.path.abspath(values)
    np.save(folder / f"{name}.npy", _as_array(values, name))
    return f"{name}.npy"


def frechet(x: Any, y: Any, neighbors: Sequence[int] | None = None, **options: Option) -> FeatureDistances:
    """Measure distances between two sets of features, of Inception or any other network.

    Parameters
    ----------
    x, y : array, shape (N, D) and (M, D), or path
        Features of real and of generated images; or files: ``.npy``, or ``.npz`` with ``mu`` and ``sigma``. They are
        read in single precision. With ``extractor="pixels"`` the images themselves: uint8 (N, H, W, 3), an ``.npz`` with
        them as ``arr_0``, or a folder of PNG files; their features are of a network without training: a proxy, not FID.
    neighbors : sequence of int, optional
        The numbers of nearest neighbours for precision, recall, density and coverage; 3 and 5 by default.
    **options
        Any option of ``fid-compare frechet``: ``no_neighbor_errors=True``, ``spatial=True``, ``seed=1``, ``extractor="pixels"``.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> q = frechet(rng.normal(size=(500, 4)), rng.normal(size=(500, 4)) + 1)
    >>> bool(abs(q.fd_infinity - 4) < 1)
    True
    """
    if not isinstance(options.get("extractor"), (str, type(None))):
        raise UsageError(f"extractor={options['extractor']!r}: one value is expected", 64)
    with workspace() as folder:
        files = [_file(x, "x", folder), _file(y, "y", folder)]
        result = run("fid-compare", "frechet", *files, *flags({"neighbors": neighbors, **options}), folder=folder)

    def near(name: str) -> dict[int, Estimate]:
        return {one["k"]: Estimate(one[name], one[f"{name}_standard_error"]) for one in result["neighbors"]}

    def estimate(name: str) -> Estimate:
        return Estimate(result[name], result.get(f"{name}_standard_error"))

    return FeatureDistances(
        fd=estimate("frechet_distance"), fd_corrected=estimate("frechet_distance_corrected"),
        fd_infinity=estimate("frechet_distance_infinity"), kid=estimate("kernel_distance"), precision=near("precision"),
        recall=near("recall"), density=near("density"), coverage=near("coverage"),
        images=(result.get("images_real"), result.get("images_generated")),
        rank=(result["rank_real"], result["rank_generated"]), dimensions=result["dimensions"], result=result)
