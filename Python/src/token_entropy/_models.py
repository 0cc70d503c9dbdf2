"""The generator: training it, drawing from it, and comparing models."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ._estimate import IntArray
from ._order import Order, order_arguments
from ._program import Option, flags, run, workspace
from ._tokens import Tokens


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


def _paths(options: Mapping[str, Option]) -> dict[str, Option]:
    """Options with the paths among them as they are from any folder."""
    return {name: os.path.abspath(value) if isinstance(value, os.PathLike)
            or isinstance(value, str) and (os.path.exists(value) or name in ("output", "output_dir", "images"))
            else value for name, value in options.items()}


def par_sample(**options: Option) -> Samples:
    """Draw images from a model.

    Parameters
    ----------
    **options
        The options of ``par-sample``: ``model="run/model.safetensors"``, ``classes="207,360"``, ``count=8``,
        ``guidance=1.6``, ``output="samples.h5"`` …
    """
    result = run("par-sample", *flags(_paths(options)))
    drawn = result.pop("samples")
    return Samples(np.asarray([one["codes"] for one in drawn], np.int64),
                   np.asarray([one["class"] for one in drawn], np.int64), result)


def par_train(tokens: Tokens, **options: Option) -> dict[str, Any]:
    """Train a model on tokens; return what the program says, among it ``model``, its path.

    Parameters
    ----------
    tokens : Tokens
    **options
        The options of ``par-train``: ``order="distant"``, ``steps=2000``, ``output_dir="run"`` …
    """
    with workspace() as folder:
        given = dict(options)
        if isinstance(given.get("order"), Order):
            given["order"] = str(folder / order_arguments([given["order"]], folder)[0][0])  # type: ignore[list-item]
        given.setdefault("output_dir", os.getcwd())
        return run("par-train", *tokens.arguments(folder), *flags(_paths(given)), folder=folder)


def fid_compare(tokens: Tokens, orders: Sequence[str | Order] = (), **options: Option) -> dict[str, Any]:
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
        given = dict(options)
        given.setdefault("output_dir", os.path.join(os.getcwd(), "fid-compare"))
        return run("fid-compare", *arguments, *tokens.arguments(folder), *flags(_paths(given)), folder=folder)
