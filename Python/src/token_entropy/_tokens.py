"""Tokens of images: arrays in memory, files, or folders of codes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ._program import EMBEDDED, UsageError, flags


def _as_array(values: Any, name: str) -> npt.NDArray[Any]:
    """An array of numbers; tensors of PyTorch may be on any device."""
    if hasattr(values, "detach"):
        values = values.detach().cpu().numpy()
    result = np.ascontiguousarray(values)
    if result.dtype.kind not in "iuf":
        raise TypeError(f"{name}: expected an array of numbers, found {result.dtype}")
    return result


@dataclass(frozen=True, eq=False, repr=False)
class Tokens:
    """Images as grids of tokens.

    Parameters
    ----------
    codes : array of integers, shape (m, H, W), (m, T, H, W), or (m, H·W) of a square
        The codes of m images; each is a row of the codebook.
    codebook : array, shape (K, d), or path
        What the codes mean: an array, a ``.npy`` file, or a VQ-16 checkpoint.
    labels : array of integers, shape (m,), optional
        The class of every image.
    features : array of floats, shape (m, H, W, d) or (m, T, H, W, d), optional
        Continuous tokens in place of codes, channels last.
    grid : tuple of int, optional
        (H, W) or (T, H, W), where the shape does not say it.
    channels : {"last", "first"}, optional
        Where the channels of features stand; needed only where the shape looks as if they were first.
    path : path or str, optional
        A file, a folder of codes, or an embedded dataset by its name, in place of arrays: see `load` and `llamagen`.

    Notes
    -----
    Nothing is checked here: the program checks every number as it reads it and says what is wrong where.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> Tokens(rng.integers(0, 16, (200, 4, 4)), rng.normal(size=(16, 2)))
    Tokens(200 images of 4x4 codes, codebook 16x2)
    """

    codes: Any = None
    codebook: Any = None
    labels: Any = None
    features: Any = None
    grid: tuple[int, ...] | None = None
    channels: str | None = None
    path: str | os.PathLike[str] | None = None
    crops: str | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        given = [name for name in ("codes", "features", "path") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError("Tokens: give codes with a codebook, or features, or a path"
                             + (f"; {' and '.join(given)} exclude each other" if given else ""))
        for name in ("codes", "features", "labels"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, _as_array(getattr(self, name), name))
        if self.codebook is not None and not isinstance(self.codebook, (str, os.PathLike)):
            object.__setattr__(self, "codebook", _as_array(self.codebook, "codebook"))
        if self.codes is not None and self.codebook is None:
            raise ValueError("Tokens: codes need a codebook, which says what they mean")

    def __repr__(self) -> str:
        if self.path is not None:
            return f"Tokens({os.fspath(self.path)})"
        if self.features is not None:
            shape = self.features.shape
            return f"Tokens({shape[0]} images of {'x'.join(map(str, shape[1:-1]))} features, {shape[-1]} channels)"
        size = self.codebook if isinstance(self.codebook, (str, os.PathLike)) else "x".join(
            map(str, self.codebook.shape))
        count, *extents = self.codes.shape
        return f"Tokens({count} images of {'x'.join(map(str, extents))} codes, codebook {size})"

    def arguments(self, folder: Path, option: str | None = "--tokens", name: str | None = None) -> list[str]:
        """Write the arrays into a folder; return the arguments by which the program, running there, finds them.

        A name is what messages call arrays, in place of ``codes`` or ``features``.
        """
        if self.path is not None:
            text = os.fspath(self.path)
            place = text if text in EMBEDDED else os.path.abspath(text)
        else:
            place = f"{name or ('codes' if self.codes is not None else 'features')}.npy"
            np.save(folder / place, self.codes if self.codes is not None else self.features)
        result = [option, place] if option else [place]
        if isinstance(self.codebook, (str, os.PathLike)):
            result += ["--codebook", os.path.abspath(self.codebook)]
        elif self.codebook is not None:
            np.save(folder / "codebook.npy", self.codebook)
            result += ["--codebook", "codebook.npy"]
        if self.labels is not None:
            np.save(folder / "labels.npy", self.labels)
            result += ["--labels", "labels.npy"]
        return result + flags({"grid": self.grid, "channels": self.channels, "crops": self.crops})


def token_arguments(tokens: Any, folder: Path, options: Mapping[str, Any] | None = None) -> list[str]:
    """What names tokens on a command line; nothing for None where options have moments in their place."""
    if isinstance(tokens, Tokens):
        return tokens.arguments(folder)
    if tokens is None and options is not None and options.get("moments") is not None:
        return []
    raise UsageError(f"tokens: expected te.Tokens, as te.load reads them, found {type(tokens).__name__}", 64)


def load(path: str | os.PathLike[str], codebook: Any = None, **options: Any) -> Tokens:
    """Tokens in a file: HDF5 as ``tokenize`` or h5py writes it, ``.npy`` or ``.npz``; or embedded ones by their name.

    Parameters
    ----------
    path : path or str
        The file, or ``"scenes"``, ``"learned"``, ``"scenes-12x12"``, ``"learned-12x12"``.
    codebook : array, shape (K, d), or path, optional
        What the codes of a ``.npy`` file mean.
    **options
        ``labels``, ``grid`` and ``channels``, as of `Tokens`.

    Examples
    --------
    >>> load("learned")
    Tokens(learned)
    """
    return Tokens(path=path, codebook=codebook, **options)


def llamagen(folder: str | os.PathLike[str], codebook: Any, crops: str = "first") -> Tokens:
    """Codes as the feature extraction of LlamaGen and PAR writes them: ``{i}.npy`` of shape (1, crops, H·W).

    Parameters
    ----------
    folder : path
        The folder; labels are found beside it (``…_codes``, ``…_labels``).
    codebook : path or array, shape (K, d)
        The VQ-16 checkpoint, or the codebook.
    crops : {"first", "all", "random"}
        Which crops of a photograph to take. Crops of one photograph are not independent; errors are clustered by it.
    """
    return Tokens(path=folder, codebook=codebook, crops=crops)
