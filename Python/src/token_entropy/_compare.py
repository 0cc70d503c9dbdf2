"""What orders of generation lose by drawing several tokens at once."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ._estimate import Estimate, FloatArray, IntArray, array, axes, cells, frame, show_map
from ._order import Order, order_arguments
from ._program import Option, flags, run, workspace
from ._tokens import Tokens, token_arguments


@dataclass(frozen=True, eq=False, repr=False)
class OrderProfile:
    """What one order loses, as a whole, by step and by cell.

    Attributes
    ----------
    name : str
    steps : int
        The number of steps.
    total, mean, joint_entropy : Estimate
        The total increase, that of a token, and the sum of the sequential entropies.
    sequential, parallel, increase : array of float64, shape (H, W) or (T, H, W)
        H of every cell given all cells before it, given the earlier steps only, and the second less the first.
    sequential_standard_error, parallel_standard_error, increase_standard_error : array of float64, the same shape
    step_numbers : array of int64, the same shape, or None
        The number of every cell's step, from 1; None for the mean of several seeds.
    step_increase, step_increase_standard_error : array of float64, shape (steps,)
        The total correlation of every step.
    difference_from_first : Estimate
        The total less that of the first order, paired image by image.
    difference_errors : tuple of float
        The errors of the total less that of each order of the comparison, in their order; see
        `OrderComparison.difference`.
    """

    name: str
    steps: int
    total: Estimate
    mean: Estimate
    joint_entropy: Estimate
    sequential: FloatArray
    parallel: FloatArray
    increase: FloatArray
    sequential_standard_error: FloatArray
    parallel_standard_error: FloatArray
    increase_standard_error: FloatArray
    step_numbers: IntArray | None
    step_increase: FloatArray
    step_increase_standard_error: FloatArray
    difference_from_first: Estimate
    difference_errors: tuple[float, ...]
    unit: str

    def __repr__(self) -> str:
        return f"OrderProfile({self.name}: {self.steps} steps, total increase {self.total} {self.unit})"

    def plot(self, ax: Any = None) -> Any:
        """Draw the increase of every cell; return the axes."""
        return show_map(self.increase, ax, f"{self.name}: increase", self.unit)

    def to_frame(self) -> Any:
        """A pandas data frame with a row for each cell."""
        names = ("sequential", "sequential_standard_error", "parallel", "parallel_standard_error", "increase",
                 "increase_standard_error")
        columns: dict[str, Any] = {**cells(self.increase.shape)}
        if self.step_numbers is not None:
            columns["step"] = self.step_numbers.ravel()
        return frame({**columns, **{name: getattr(self, name).ravel() for name in names}, "unit": self.unit})


@dataclass(frozen=True, eq=False, repr=False)
class OrderComparison(Mapping[str, OrderProfile]):
    """The profiles of several orders by their names.

    Attributes
    ----------
    profiles : tuple of OrderProfile
        In the order they were named.
    unit : str
    result : dict
        Everything else that the program says: images, bound, errors, health, provenance.
    rows : list of dict
        What it says of every order.
    """

    profiles: tuple[OrderProfile, ...]
    unit: str
    result: Mapping[str, Any]
    rows: Sequence[Mapping[str, Any]] = ()

    def __getitem__(self, name: str) -> OrderProfile:
        for profile in self.profiles:
            if profile.name == name:
                return profile
        raise KeyError(f"{name}; there are {', '.join(self)}")

    def __iter__(self) -> Iterator[str]:
        return (profile.name for profile in self.profiles)

    def __len__(self) -> int:
        return len(self.profiles)

    def __repr__(self) -> str:
        width = max(map(len, self), default=0)
        lines = [f"  {p.name:<{width}}  {p.steps:>4} steps  {p.total}" for p in self.profiles]
        head = f"OrderComparison of {self.result['images']:,} images, total increase in {self.unit}:"
        return "\n".join([head, *lines])

    def difference(self, first: str, second: str) -> Estimate:
        """The total of the first less that of the second.

        The error is that of the difference, paired image by image: what both orders share is in neither's. It is NaN
        where errors do not come from the images (``errors="gaussian"``).
        """
        a, b = self[first], self[second]
        return Estimate(float(a.total) - float(b.total), a.difference_errors[list(self).index(second)])

    def to_json(self) -> dict[str, Any]:
        """What ``order-compare --json`` prints; `Documentation/Formats.md` names every field."""
        return {**self.result, "orders": list(self.rows)}

    def plot(self, ax: Any = None) -> Any:
        """Draw the totals against the numbers of steps; return the axes."""
        ax = axes(ax)
        for profile in self.profiles:
            ax.errorbar(profile.steps, float(profile.total), yerr=profile.total.standard_error, fmt="o",
                        label=profile.name)
        ax.set(xlabel="steps", ylabel=f"total increase, {self.unit}")
        ax.legend()
        return ax

    def to_frame(self) -> Any:
        """A pandas data frame with a row for each order."""
        return frame({
            "order": list(self),
            "steps": [p.steps for p in self.profiles],
            "total_increase": [float(p.total) for p in self.profiles],
            "total_increase_standard_error": [p.total.standard_error for p in self.profiles],
            "difference_from_first": [float(p.difference_from_first) for p in self.profiles],
            "difference_from_first_standard_error": [p.difference_from_first.standard_error for p in self.profiles],
            "unit": self.unit,
        })


def order_compare(tokens: Tokens | None, orders: Sequence[str | os.PathLike[str] | Order], **options: Option) -> OrderComparison:
    """Estimate what orders lose on a set of tokens.

    Parameters
    ----------
    tokens : Tokens
        None with ``moments=``, sums over shards that `token_entropy.distributed.moments` wrote.
    orders : sequence of str, path or Order
        Names as on the command line (``"distant:n=16"``), paths of order files, or orders in memory.
    **options
        Any option of ``order-compare``: ``bound="wishart"``, ``errors="robust"``, ``units="bits"``, ``limit=2000`` …;
        ``atlas="orders.html"`` also writes a page on which to play the orders.

    Examples
    --------
    >>> import token_entropy as te
    >>> r = te.order_compare(te.load("scenes-12x12"), ["raster", "distant"])
    >>> bool(r["raster"].total > 20 * abs(r["distant"].total))
    True
    >>> r["distant"].increase.shape
    (12, 12)
    """
    with workspace() as folder:
        arguments, names = order_arguments(orders, folder)
        result = run("order-compare", *arguments, *token_arguments(tokens, folder, options), *flags(options), folder=folder)
    return comparison(result, names)


def comparison(result: dict[str, Any], names: Sequence[str]) -> OrderComparison:
    """The profiles in what ``order-compare --json`` prints, by the names their orders were given."""
    rows = result.pop("orders")
    n = float(np.prod(result["grid"]))
    profiles = []
    for index, row in enumerate(rows):
        total = Estimate(row["total_increase"], row["total_increase_standard_error"])
        step = row.get("step")
        # Published orders stand after those that were named.
        name = names[index] if index < len(names) else row["name"]
        profiles.append(OrderProfile(
            name=name, steps=row["steps"], total=total, mean=Estimate(row["mean_increase"], total.standard_error / n),
            joint_entropy=Estimate(row["joint_entropy"], row["joint_entropy_standard_error"]),
            sequential=array(row["sequential"]), parallel=array(row["parallel"]), increase=array(row["increase"]),
            sequential_standard_error=array(row["sequential_standard_error"]),
            parallel_standard_error=array(row["parallel_standard_error"]),
            increase_standard_error=array(row["increase_standard_error"]),
            step_numbers=None if step is None else np.asarray(step, np.int64),
            step_increase=array(row["step_total_correlation"]),
            step_increase_standard_error=array(row["step_total_correlation_standard_error"]),
            difference_from_first=Estimate(
                row["difference_from_first"], row["difference_from_first_standard_error"]),
            difference_errors=tuple(
                float("nan") if error is None else error for error in row["difference_standard_errors"]),
            unit=result["units"]))
    return OrderComparison(tuple(profiles), result["units"], result, rows)
