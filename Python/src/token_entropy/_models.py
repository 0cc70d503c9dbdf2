"""The generator: training it, drawing from it, and comparing models."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ._estimate import IntArray
from ._order import Order, order_arguments
from ._program import Option, flags, run, workspace
from ._tokens import Tokens, token_arguments


@dataclass(frozen=True, eq=False, repr=False)
class Samples:
    """What `par_sample` draws.

    Attributes
    ----------
    codes : array of int64, shape (count, H, W) or (count, T, H, W)
    classes : array of int64, shape (count,)
    result : dict
        Everything else that the program says: the order, steps, seconds, provenance.
    """

    codes: IntArray
    classes: IntArray
    result: Mapping[str, Any]

    def __repr__(self) -> str:
        shape = "x".join(map(str, self.codes.shape[1:]))
        return f"Samples({len(self.codes)} images of {shape} codes, {self.result['steps']} steps each)"

    def tokens(self, codebook: Any) -> Tokens:
        """The codes with what they mean, to be measured like any others."""
        return Tokens(self.codes, codebook, labels=self.classes)


def _with_orders(options: Mapping[str, Option | Order], folder: Path) -> dict[str, Option]:
    """Options with the orders among them as the program, running in a folder, finds them."""
    given: dict[str, Any] = dict(options)
    for name in ("order", "orders"):
        value = given.get(name)
        if isinstance(value, (str, os.PathLike, Order)):
            given[name] = order_arguments([value], folder, are_listed=name == "orders")[0][0]
        elif value is not None:
            given[name] = order_arguments(value, folder, are_listed=True)[0]
    return given


def par_sample(**options: Option | Order) -> Samples:
    """Draw images from a model.

    Parameters
    ----------
    **options
        The options of ``par-sample``: ``model="run/model.safetensors"``, ``classes="207,360"``, ``count=8``,
        ``guidance=1.6``, ``output="samples.h5"`` …; ``order`` may be an `Order`, such as `order_search` finds for an
        any-order model.
    """
    with workspace() as folder:
        result = run("par-sample", *flags(_with_orders(options, folder)), folder=folder)
    drawn = result.pop("samples")
    return Samples(np.asarray([one["codes"] for one in drawn], np.int64),
                   np.asarray([one["class"] for one in drawn], np.int64), result)


def par_train(tokens: Tokens, **options: Option | Order) -> dict[str, Any]:
    """Train a model on tokens; return what the program says, among it ``model``, its path.

    Parameters
    ----------
    tokens : Tokens
    **options
        The options of ``par-train``: ``order="distant"``, which may be an `Order`, ``steps=2000``, ``output_dir="run"`` …
    """
    with workspace() as folder:
        given = _with_orders(options, folder)
        given["output_dir"] = given.get("output_dir") or os.getcwd()
        return run("par-train", *token_arguments(tokens, folder), *flags(given), folder=folder)


def fid_compare(tokens: Tokens, orders: Sequence[str | os.PathLike[str] | Order] = (), **options: Option) -> dict[str, Any]:
    """Train one model, sample it in each order and measure the images; return what the program says.

    Parameters
    ----------
    tokens : Tokens
    orders : sequence of str or Order
        Those of the program where there is none.
    **options
        The options of ``fid-compare``, of which ``architecture="par"`` trains a PAR transformer for each order: ``quick=True``, ``output_dir="comparison"`` …
    """
    with workspace() as folder:
        arguments, _ = order_arguments(orders, folder)
        given = {**options, "output_dir": options.get("output_dir") or os.path.join(os.getcwd(), "fid-compare")}
        return run("fid-compare", *arguments, *token_arguments(tokens, folder), *flags(given), folder=folder)
