"""Orders of generation."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ._estimate import Estimate, FloatArray, IntArray, axes, show_map
from ._program import Option, UsageError, flags, run, run_text, workspace
from ._tokens import Tokens, token_arguments

Grid = Sequence[int]


def _cells(values: Any) -> IntArray:
    if hasattr(values, "detach"):
        values = values.detach().cpu().numpy()
    result = np.asarray(values)
    if result.dtype.kind not in "iu":
        raise TypeError(f"an order is of whole numbers, and {result.dtype} was found")
    return result.astype(np.int64)


@dataclass(frozen=True, eq=False)
class Order:
    """An order of generation: steps of cells, every cell of the grid once.

    Attributes
    ----------
    steps : tuple of arrays of int64
        The raster indices of each step's cells.
    grid : tuple of int
        (H, W) or (T, H, W).
    name : str
        What it is called in results.

    Examples
    --------
    >>> o = Order.from_steps([[0], [1, 2], [3]], (2, 2))
    >>> o.table
    array([[1, 2],
           [2, 3]])
    >>> o.permutation, o.groups
    (array([0, 1, 2, 3]), array([1, 2, 1]))
    """

    steps: tuple[IntArray, ...]
    grid: tuple[int, ...]
    name: str = "order"

    def __post_init__(self) -> None:
        n = int(np.prod(self.grid))
        found = np.sort(self.permutation) if self.steps else np.empty(0, np.int64)
        if not np.array_equal(found, np.arange(n)):
            raise ValueError(f"an order of a {'x'.join(map(str, self.grid))} grid has each of its {n} cells once")
        if any(len(step) == 0 for step in self.steps):
            raise ValueError("a step of an order holds at least one cell")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name}: {len(self.steps)} steps on {'x'.join(map(str, self.grid))} cells)"

    @classmethod
    def from_steps(cls, steps: Iterable[Any], grid: Grid, name: str = "order") -> Order:
        """Steps as lists of raster indices, or of (row, column) or (frame, row, column) of the grid."""
        extents = tuple(int(extent) for extent in grid)
        found = []
        for step in steps:
            cells = _cells(step)
            if cells.ndim == 2:
                cells = np.ravel_multi_index(tuple(cells.T), extents).astype(np.int64)
            found.append(cells.reshape(-1))
        return cls(tuple(found), extents, name)

    @classmethod
    def from_table(cls, table: Any, name: str = "order") -> Order:
        """A table of step numbers, of the grid's shape; equal numbers are generated together."""
        numbers = _cells(table)
        return cls(tuple(np.flatnonzero(numbers.reshape(-1) == step).astype(np.int64) for step in np.unique(numbers)),
                   numbers.shape, name)

    @classmethod
    def from_permutation(cls, permutation: Any, groups: Any, grid: Grid, name: str = "order") -> Order:
        """A sequence of raster indices (H·W,) and the sizes of the steps it is cut into; tensors of PyTorch too."""
        sizes = _cells(groups)
        cells = _cells(permutation).reshape(-1)
        if sizes.sum() != len(cells):
            raise ValueError(f"the groups hold {sizes.sum()} cells, and the permutation has {len(cells)}")
        return cls(tuple(np.split(cells, np.cumsum(sizes)[:-1])), tuple(int(extent) for extent in grid), name)

    @property
    def table(self) -> IntArray:
        """The number of every cell's step, from 1, in the shape of the grid."""
        result = np.zeros(int(np.prod(self.grid)), np.int64)
        for number, step in enumerate(self.steps):
            result[step] = number + 1
        return result.reshape(self.grid)

    @property
    def permutation(self) -> IntArray:
        """All raster indices in the order they are generated, shape (H·W,)."""
        return np.concatenate(self.steps).astype(np.int64)

    @property
    def groups(self) -> IntArray:
        """The number of tokens of every step, shape (steps,)."""
        return np.array([len(step) for step in self.steps], np.int64)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a file that every command reads: ``.json`` keeps the sequence within steps, ``.npy`` is the table."""
        if str(path).endswith(".npy"):
            np.save(path, self.table)
        elif str(path).endswith(".json"):
            coordinates = [np.stack(np.unravel_index(step, self.grid), 1).tolist() for step in self.steps]
            Path(path).write_text(json.dumps({"grid": list(self.grid), "steps": coordinates}) + "\n", encoding="utf-8")
        else:
            raise ValueError(f"{os.fspath(path)}: the name of an order file ends in .json or .npy here")

    def plot(self, ax: Any = None) -> Any:
        """Draw the step of every cell; return the axes."""
        return show_map(self.table.astype(np.float64), ax, self.name, "step")


def order(specification: str, on: Tokens | Grid, tokens_per_step: int | None = None) -> Order:
    """An order of a known family, or of a file, on a grid.

    Parameters
    ----------
    specification : str
        As on the command line: ``"distant:n=4"``, ``"halton:steps=32"``, or the path of an order file.
    on : Tokens or (H, W) or (T, H, W)
        The grid; tokens where sizes of steps are fitted to them (``schedule=optimal``).
    tokens_per_step : int, optional
        n, where the specification does not say it; 4 by default.

    Examples
    --------
    >>> order("distant", (24, 24))
    Order(distant: 147 steps on 24x24 cells)
    """
    with workspace() as folder:
        arguments = ["order-compare", "show", _absolute(specification), "--format", "json"]
        if isinstance(on, Tokens):
            if "schedule=optimal" in specification:
                arguments += _stored(on, folder)
            extents = run("tokenize", "info", *on.arguments(folder, None), folder=folder)["grid"] \
                if on.path is not None else (on.grid or _grid(on))
        else:
            extents = tuple(on)
        arguments += ["--grid", "x".join(map(str, extents)), *flags({"tokens_per_step": tokens_per_step})]
        found = json.loads(run_text(arguments, folder=folder))
    return Order.from_steps(found["steps"], found["grid"], specification)


def _stored(tokens: Tokens, folder: Path) -> list[str]:
    """Name tokens as one file, which needs no more arguments than its path: arrays and dumps become one."""
    if tokens.path is not None and tokens.codebook is None and Path(tokens.path).suffix not in (".npy", ".npz"):
        return tokens.arguments(folder)
    run("tokenize", "import", *tokens.arguments(folder, "--codes"), "--output", "tokens.h5", folder=folder)
    return ["--tokens", "tokens.h5"]


def _grid(tokens: Tokens) -> tuple[int, ...]:
    shape = tokens.codes.shape[1:] if tokens.codes is not None else tokens.features.shape[1:-1]
    if len(shape) > 1:
        return tuple(shape)
    side = int(round(float(np.sqrt(shape[0]))))
    if side * side != shape[0]:
        raise ValueError(f"{shape[0]} tokens are no square: say grid=(H, W)")
    return (side, side)


def _absolute(specification: str, links: Path | None = None) -> str:
    """An order, or several with commas between, with the files among them as they are from any folder; names stay.

    Where commas are between orders, a path with one in it gets a link without, in a folder that the program runs in.
    """
    def placed(one: str) -> str:
        for end in [len(one), *(place for place, letter in enumerate(one) if letter in ":#+")]:
            # A family with options is no file of its name.
            if os.path.isfile(one[:end]) and (end == len(one) or "." in one[:end]):
                path = os.path.abspath(one[:end])
                if links is not None and "," in path:
                    link = links / f"{len(list(links.iterdir()))}-{os.path.basename(path).replace(',', '-')}"
                    link.symlink_to(path)
                    path = link.name
                return path + one[end:]
        return one
    whole = placed(specification)
    return whole if whole != specification else ",".join(map(placed, specification.split(",")))


def order_arguments(
    orders: Sequence[str | os.PathLike[str] | Order], folder: Path, are_listed: bool = False
) -> tuple[list[str], list[str]]:
    """The orders for a command line, those of memory as files in a folder; and what each is called.

    Listed ones stand in one argument, with commas between.
    """
    if isinstance(orders, (str, os.PathLike, Order)):
        # Letters of a name are no orders.
        name = orders.name if isinstance(orders, Order) else os.fspath(orders)
        raise UsageError(f"orders: a list of orders is expected, as in [{name!r}]", 64)
    arguments, names = [], []
    for number, one in enumerate(orders):
        if isinstance(one, Order):
            one.save(folder / f"order-{number}.json")
            arguments.append(f"order-{number}.json")
            names.append(one.name)
        else:
            arguments.append(_absolute(os.fspath(one), folder if are_listed else None))
            names.append(os.fspath(one))
    return arguments, names


@dataclass(frozen=True, eq=False, repr=False)
class FoundOrder(Order):
    """An order that `order_search` has found.

    Attributes
    ----------
    total : Estimate
        What it loses, in the unit asked for, estimated from images that took no part in the search.
    differences : dict of str to Estimate
        Its total less those of other orders in as many steps, paired image by image.
    curve : array, shape (points, 3)
        Steps, total and its standard error along the best sequence.
    """

    total: Estimate = Estimate(None)
    differences: dict[str, Estimate] | None = None
    curve: FloatArray | None = None

    def plot_curve(self, ax: Any = None) -> Any:
        """Draw the total against the number of steps; return the axes."""
        ax = axes(ax)
        if self.curve is not None and len(self.curve):
            ax.errorbar(*self.curve.T[:2], yerr=self.curve[:, 2], marker="o")
        ax.set(xlabel="steps", ylabel="total increase", xscale="log")
        return ax


def order_search(
    tokens: Tokens, steps: int, *, seconds: float | None = None, curve: bool = False, **options: Option
) -> FoundOrder:
    """Search the order that loses least in a number of steps.

    Parameters
    ----------
    tokens : Tokens
        What to fit to; a part of the images is kept for the report.
    steps : int
        How many forward passes one can afford.
    seconds : float, optional
        When to stop searching; 60 by default.
    curve : bool
        Whether to estimate totals of other numbers of steps too, which takes an estimate a point.
    **options
        Any option of ``order-search``: ``keep_initial=4``, ``max_group=16``, ``seed=1`` …
    """
    with workspace() as folder:
        starts: Any = options.get("from_")
        if starts is not None:
            one = isinstance(starts, (str, os.PathLike, Order))
            options["from_"] = order_arguments([starts] if one else starts, folder, are_listed=True)[0]
        result = run(
            "order-search", "--steps", str(steps), *token_arguments(tokens, folder),
            *flags({"seconds": seconds, "no_curve": not curve, **options}), folder=folder)
    return found_order(result)


def found_order(result: dict[str, Any]) -> FoundOrder:
    """The order in what ``order-search --json`` prints."""
    chosen = next(one for one in result["orders"] if one["role"] == "chosen")
    points = [[p["steps"], p["total_increase"], p["total_increase_standard_error"]] for p in result["curves"]]
    found = Order.from_permutation(chosen["sequence"], chosen["group_sizes"], result["grid"], chosen["name"])
    return FoundOrder(
        found.steps, found.grid, found.name,
        total=Estimate(chosen["total_increase"], chosen["total_increase_standard_error"]),
        differences={d["from"]: Estimate(d["value"], d["standard_error"]) for d in chosen["differences"]},
        curve=np.asarray(points, np.float64).reshape(-1, 3))
