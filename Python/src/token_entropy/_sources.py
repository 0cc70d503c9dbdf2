"""What shards may be given as."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ._program import EMBEDDED, UsageError
from ._tasks import Shard
from ._tokens import Tokens


@dataclass
class Source:
    """A shard, and what travels apart from it."""

    shard: Shard
    codebook: Any = None
    #: Lazy arrays of Dask.
    block: Any = None
    labels: Any = field(default=None)

    @property
    def is_held(self) -> bool:
        """Whether its images are in memory here, so that they are sent once."""
        tokens = self.shard.tokens
        return tokens is not None and any(
            value is not None for value in (tokens.codes, tokens.features, tokens.labels))


def sources(
    shards: Any, *, shares: int | None = None, codebook: Any = None, labels: Any = None,
    grid: tuple[int, ...] | None = None, channels: str | None = None, crops: str | None = None,
) -> list[Source]:
    """Shards in any of their forms.

    Raises
    ------
    UsageError
        Where there is none, one is named twice, or an argument has no use.
    """
    if hasattr(shards, "to_delayed"):
        if shares is not None or crops is not None:
            raise UsageError("shares= and crops= are for paths; a Dask array has blocks of images", 64)
        return _of_dask(shards, codebook, labels, grid, channels)
    one = isinstance(shards, (str, os.PathLike, Tokens))
    if labels is not None:
        raise UsageError("labels= are for a Dask array; give te.Tokens(path=…, labels=…) as shards", 64)
    if shares is not None:
        if not one:
            raise UsageError(
                f"shares={shares} divides a single path; a list names its shares, as in (path, '3/32')", 64)
        if not isinstance(shares, (int, np.integer)) or shares < 1:
            raise UsageError(f"shares={shares}: a whole number from 1 is needed", 64)
        listed: list[Any] = [(shards, f"{number}/{shares}") for number in range(1, shares + 1)]
    else:
        listed = [shards] if one else list(shards)
    options = {"grid": grid, "channels": channels, "crops": crops}
    result = [_source(number, item, codebook, options) for number, item in enumerate(listed, 1)]
    if not result:
        raise UsageError("there are no shards", 64)
    _refuse_repeated(result)
    return result


def _source(number: int, item: Any, codebook: Any, options: dict[str, Any]) -> Source:
    share = None
    if isinstance(item, tuple):
        if len(item) != 2 or not isinstance(item[1], str):
            raise UsageError(f"shard {number}: expected (path, 'i/N'), found {item!r}", 64)
        item, share = item
    if isinstance(item, Tokens):
        given = [name for name, value in options.items() if value is not None]
        if given:
            raise UsageError(f"{given[0]}= is for paths; shard {number} is te.Tokens, which have their own", 64)
        tokens = item
    elif isinstance(item, (str, os.PathLike)):
        tokens = Tokens(path=item, **options)
    else:
        raise UsageError(
            f"shard {number}: expected a path, (path, 'i/N') or te.Tokens, found {type(item).__name__}", 64)
    if tokens.path is not None and os.fspath(tokens.path) not in EMBEDDED:
        # Workers have folders of their own: a relative path is one of this process.
        tokens = replace(tokens, path=os.path.abspath(tokens.path))
    own = tokens.codebook if tokens.codebook is not None else codebook
    if isinstance(own, (str, os.PathLike)):
        own = os.path.abspath(own)
    if tokens.codes is None:
        # It travels once for all shards.
        tokens = replace(tokens, codebook=None)
    else:
        own = None
    name = f"shard-{number}" if share is None else f"shard-{number}-{share.replace('/', '-of-')}"
    return Source(Shard(name, tokens, share), codebook=own)


def _refuse_repeated(found: Sequence[Source]) -> None:
    seen: dict[tuple[str, str | None], int] = {}
    for number, one in enumerate(found, 1):
        tokens = one.shard.tokens
        if tokens is None or tokens.path is None:
            continue
        named = (os.fspath(tokens.path), one.shard.share)
        if named in seen:
            share = "" if named[1] is None else f", share {named[1]}"
            raise UsageError(f"shards {seen[named]} and {number} are both {named[0]}{share}: images would be counted"
                             " twice", 64)
        seen[named] = number


def _of_dask(
    array: Any, codebook: Any, labels: Any, grid: tuple[int, ...] | None, channels: str | None
) -> list[Source]:
    if array.dtype.kind not in "iuf":
        raise UsageError(f"a Dask array of numbers is expected, and {array.dtype} was found", 64)
    if codebook is None and array.dtype.kind != "f":
        raise UsageError("a Dask array of codes needs codebook=, which says what they mean", 64)
    # An image is in one block, whole.
    array = array.rechunk({axis: -1 for axis in range(1, array.ndim)})
    sizes = array.chunks[0]
    if any(size != size for size in sizes):
        raise UsageError("the blocks of the Dask array are of unknown sizes; compute_chunk_sizes() finds them", 64)
    bounds = np.cumsum([0, *sizes])
    if bounds[-1] == 0:
        raise UsageError("the Dask array has no images", 64)
    if labels is not None and len(labels) != bounds[-1]:
        raise UsageError(f"{len(labels)} labels for {bounds[-1]} images", 64)
    if hasattr(labels, "to_delayed"):
        by_block = list(labels.rechunk((sizes,)).to_delayed().ravel())
    else:
        by_block = [None if labels is None else np.asarray(labels)[a:b] for a, b in zip(bounds, bounds[1:])]
    return [
        Source(Shard(f"images-{a}-to-{b - 1}", None, grid=grid, channels=channels), codebook=codebook, block=block,
               labels=own)
        for block, own, a, b in zip(array.to_delayed().ravel(), by_block, bounds, bounds[1:]) if b > a]
