"""Maps of dependence: what every token still holds once a reference token is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ._estimate import FloatArray, array, cells, frame, show_map
from ._program import Option, flags, run, workspace
from ._tokens import Tokens, token_arguments


@dataclass(frozen=True, eq=False, repr=False)
class EntropyMap:
    """H(v_i | v_j) and I(v_i; v_j) of all tokens i for one reference token j.

    Attributes
    ----------
    reference : tuple of int
        (row, column) or (frame, row, column) of j.
    entropy, standard_error : array of float64, shape (H, W) or (T, H, W)
        The conditional entropy and its error; NaN at the reference itself.
    information, information_standard_error : array of float64, the same shape
        The mutual information and its error; NaN at the reference.
    marginal, marginal_standard_error : array of float64, the same shape
        H(v_i).
    unit : str
        ``nats`` or ``bits``.
    result : dict
        Everything else that the program says: images, bound, health, provenance.
    """

    reference: tuple[int, ...]
    entropy: FloatArray
    standard_error: FloatArray
    information: FloatArray
    information_standard_error: FloatArray
    marginal: FloatArray
    marginal_standard_error: FloatArray
    unit: str
    result: Mapping[str, Any]

    def __repr__(self) -> str:
        if np.isnan(self.information).all():
            return f"EntropyMap(reference {self.reference}: no information)"
        strongest = np.unravel_index(int(np.nanargmax(self.information)), self.information.shape)
        place = tuple(int(index) for index in strongest)
        return (f"EntropyMap(reference {self.reference}: {self.result['images']:,} images, most information "
                f"{self.information[strongest]:.3f} {self.unit} at {place})")

    def plot(self, ax: Any = None, quantity: str = "information") -> Any:
        """Draw the ``information`` or the ``entropy``, the reference marked; return the axes."""
        if quantity not in ("information", "entropy"):
            raise ValueError(f"quantity {quantity!r}: expected 'information' or 'entropy'")
        title = {"information": "I(v_i; v_j)", "entropy": "H(v_i | v_j)"}[quantity]
        return show_map(getattr(self, quantity), ax, f"{title}, j = {self.reference}", self.unit, self.reference)

    def to_frame(self) -> Any:
        """A pandas data frame with a row for each cell."""
        names = ("entropy", "standard_error", "information", "information_standard_error", "marginal",
                 "marginal_standard_error")
        return frame({**cells(self.entropy.shape), **{name: getattr(self, name).ravel() for name in names},
                      "unit": self.unit})


def entropy_maps(
    tokens: Tokens | None, references: Sequence[Sequence[int]] | str = "all", **options: Option
) -> tuple[EntropyMap, ...]:
    """The maps of several reference tokens, or of all.

    Parameters
    ----------
    tokens : Tokens
        None with ``moments=``, sums over shards that `token_entropy.distributed.moments` wrote.
    references : sequence of (row, column), or "all"
    **options
        Any option of ``entropy-map``: ``bound="wishart"``, ``units="bits"``, ``limit=2000``, ``seed=1`` …;
        ``atlas="maps.html"`` also writes a page with all maps under the pointer.
    """
    with workspace() as folder:
        result = run("entropy-map", *reference_flags(references), *token_arguments(tokens, folder, options), *flags(options),
                     folder=folder)
    return maps_of(result)


def reference_flags(references: Sequence[Sequence[int]] | str) -> list[str]:
    """The reference tokens on a command line."""
    if isinstance(references, str):
        if references != "all":
            raise ValueError(f"references {references!r}: expected (row, column) pairs, or 'all'")
        return ["--all"]
    return flags({"ref": [",".join(str(int(index)) for index in one) for one in references]})


def maps_of(result: dict[str, Any]) -> tuple[EntropyMap, ...]:
    """The maps in what ``entropy-map --json`` prints."""
    maps = result.pop("maps")
    return tuple(
        EntropyMap(
            tuple(one["reference"]), array(one["entropy"]), array(one["standard_error"]), array(one["information"]),
            array(one["information_standard_error"]), array(result["marginal"]),
            array(result["marginal_standard_error"]), result["units"], result) for one in maps)


def entropy_map(tokens: Tokens | None, ref: Sequence[int], **options: Option) -> EntropyMap:
    """The map of one reference token.

    Parameters
    ----------
    tokens : Tokens
    ref : (row, column) or (frame, row, column)
        The reference token.
    **options
        Any option of ``entropy-map``.

    Examples
    --------
    >>> import token_entropy as te
    >>> m = te.entropy_map(te.load("scenes-12x12"), ref=(6, 6))
    >>> m.entropy.shape, bool(m.information[6, 7] > m.information[0, 0])
    ((12, 12), True)
    """
    return entropy_maps(tokens, [ref], **options)[0]
