"""Numbers with their errors, and how results are printed and drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


class Estimate(float):
    """A number that knows its standard error, and is a float in everything else.

    Attributes
    ----------
    standard_error : float
        One standard error; NaN where it is not known.

    Examples
    --------
    >>> e = Estimate(0.4691, 0.0494)
    >>> e
    0.469 ± 0.049
    >>> e + 1
    1.4691
    """

    standard_error: float

    def __new__(cls, value: float | None, standard_error: float | None = None) -> Estimate:
        """Pair a number with its error; None is NaN."""
        self = super().__new__(cls, math.nan if value is None else value)
        self.standard_error = math.nan if standard_error is None else float(standard_error)
        return self

    def __getnewargs__(self) -> tuple[float, float]:  # type: ignore[override]
        return (float(self), self.standard_error)

    @property
    def value(self) -> float:
        """The number alone."""
        return float(self)

    def __repr__(self) -> str:
        error = self.standard_error
        if not math.isfinite(error) or error <= 0:
            return f"{float(self):.6g}"
        digits = max(0, 1 - math.floor(math.log10(error)))
        return f"{float(self):.{digits}f} ± {error:.{digits}f}"

    __str__ = __repr__


def array(values: Any) -> FloatArray:
    """An array of a result's nested lists; null is NaN."""
    return np.asarray(values, dtype=object).astype(np.float64) if values is not None else np.empty(0)


def axes(ax: Any) -> Any:
    """The axes to draw on: those given, or new ones."""
    if ax is not None:
        return ax
    try:
        import matplotlib.pyplot as pyplot
    except ImportError as error:
        raise ImportError("plot() draws with matplotlib, which is not installed: pip install matplotlib") from error
    return pyplot.subplots()[1]


def frame(columns: dict[str, Any]) -> Any:
    """A pandas data frame."""
    try:
        import pandas
    except ImportError as error:
        raise ImportError("to_frame() needs pandas, which is not installed: pip install pandas") from error
    return pandas.DataFrame(columns)


def show_map(values: FloatArray, ax: Any, title: str, label: str, mark: Sequence[int] = (), **options: Any) -> Any:
    """Draw a map of the grid, of a video its frames below each other; return the axes."""
    ax = axes(ax)
    image = ax.imshow(values.reshape(-1, values.shape[-1]), **options)
    if mark:
        *frames, row, column = mark
        ax.plot(column, row + (frames[0] * values.shape[-2] if frames else 0), "rx")
    ax.set_title(title)
    ax.figure.colorbar(image, ax=ax, label=label)
    return ax


def cells(grid: Sequence[int]) -> dict[str, IntArray]:
    """The coordinates of every cell, in raster order, by their names."""
    names = ["frame", "row", "column"][-len(grid):]
    indices = np.indices(tuple(grid)).reshape(len(grid), -1)
    return dict(zip(names, indices.astype(np.int64)))
