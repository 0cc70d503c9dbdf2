"""What a task over a shard does: it runs the program in a folder of its own and hands back a file of sums."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ._order import Order, order_arguments
from ._program import EMBEDDED, ProgramError, ProgramWarning, run, run_text, version
from ._tokens import Tokens


@dataclass(frozen=True)
class Part:
    """A file of sums.

    Attributes
    ----------
    name : str
        What messages call it.
    key : str
        A hash of all that determines its contents, where it is kept in a folder.
    content : bytes or str
        Its bytes, which travel, or its path, which all workers see.
    """

    name: str
    key: str
    content: bytes | str

    def path(self, folder: Path) -> str:
        """Where the program, running in the folder, finds it; bytes are written there."""
        if isinstance(self.content, str):
            return self.content
        name = f"{self.name}.h5"
        (folder / name).write_bytes(self.content)
        return name


@dataclass(frozen=True)
class Shard:
    """Images of one source; those of a block of a Dask array come with the task."""

    name: str
    tokens: Tokens | None
    share: str | None = None
    grid: tuple[int, ...] | None = None
    channels: str | None = None

    def filled(self, block: Any, labels: Any, codebook: Any) -> Tokens:
        """The tokens, with what travels apart."""
        if self.tokens is not None:
            return self.tokens if codebook is None else replace(self.tokens, codebook=codebook)
        return Tokens(codes=None if codebook is None else block, features=block if codebook is None else None,
                      codebook=codebook, labels=labels, grid=self.grid, channels=self.channels)


@dataclass(frozen=True)
class Job:
    """How a phase makes its files.

    Attributes
    ----------
    kind : str
        moments, residuals or influences, as ``moments info`` says.
    flags : tuple of str
        Options of the program that are the same for all shards.
    orders : tuple of str or Order
        Of the second phase.
    threads : int
        Of every program.
    directory : str, optional
        The folder where files are kept.
    is_kept : bool
        Whether files outlive what was merged of them.
    """

    kind: str
    flags: tuple[str, ...] = ()
    orders: tuple[str | Order, ...] = ()
    threads: int = 1
    directory: str | None = None
    is_kept: bool = True

    def output(self, name: str, key: str) -> str:
        """The file a phase makes; one that is kept is named by all that determines it, so that none is out of date."""
        file = f"{self.kind}-{key}.h5" if self.keeps else f"{name}.h5"
        return file if self.directory is None else os.path.join(self.directory, file)

    @property
    def keeps(self) -> bool:
        """Whether files are there for a later run."""
        return self.directory is not None and self.is_kept

    def has(self, output: str) -> bool:
        """Whether an earlier run has left this file, and left it whole."""
        if not self.keeps or not os.path.exists(output):
            return False
        try:
            return bool(run("moments", "info", output)["kind"] == self.kind)
        except ProgramError as error:
            warnings.warn(f"{error}; it is made anew", ProgramWarning, stacklevel=2)
            return False

    def finished(self, name: str, key: str, output: str, folder: Path) -> Part:
        """The file that was made, or found."""
        return Part(name, key, (folder / output).read_bytes() if self.directory is None else output)


@contextmanager
def scratch() -> Iterator[Path]:
    """A temporary folder: of a worker of Dask in its own, which is removed after a worker that was killed too."""
    parent = None
    if "distributed" in sys.modules:
        try:
            parent = sys.modules["distributed"].get_worker().local_directory
        except ValueError:
            pass
    with tempfile.TemporaryDirectory(prefix="token-entropy-", dir=parent) as folder:
        yield Path(folder)


def digest(*parts: Any) -> str:
    """A hash of texts, bytes and arrays."""
    state = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else part.encode() if isinstance(part, str) else repr(
            (part.dtype.str, part.shape)).encode() + part.tobytes()
        state.update(len(data).to_bytes(8, "little"))
        state.update(data)
    return state.hexdigest()[:24]


@functools.lru_cache(maxsize=4096)
def _file_digest(path: str, size: int, modified: int) -> str:
    state = hashlib.sha256()
    with open(path, "rb") as file:
        while data := file.read(1 << 20):
            state.update(data)
    return state.hexdigest()


def _path_digest(path: str) -> str:
    """A hash of a file's contents, or of a folder's and its labels'."""
    if not os.path.isdir(path):
        status = os.stat(path)
        return _file_digest(path, status.st_size, status.st_mtime_ns)
    trimmed = path.rstrip("/")
    folders = [trimmed, trimmed.removesuffix("_codes") + "_labels"] if trimmed.endswith("_codes") else [trimmed]
    return digest(*(
        text for folder in folders if os.path.isdir(folder) for name in sorted(os.listdir(folder))
        for text in (name, _path_digest(os.path.join(folder, name)))))


def _tokens_digest(tokens: Tokens, share: str | None) -> str:
    parts: list[Any] = [share or "1/1", json.dumps([tokens.grid, tokens.channels, tokens.crops])]
    if tokens.path is not None:
        text = os.fspath(tokens.path)
        # What is not there is for the program to refuse, in its own words.
        parts.append(text if text in EMBEDDED or not os.path.exists(text) else _path_digest(text))
    for name in ("codes", "features", "codebook", "labels"):
        value = getattr(tokens, name)
        if value is not None:
            parts += [name, _path_digest(os.fspath(value)) if isinstance(value, (str, os.PathLike)) else value]
    return digest(*parts)


def orders_digest(orders: Sequence[str | Order]) -> str:
    """A hash of orders, by their steps where they are no known families."""
    return digest(*(
        one if isinstance(one, str) else json.dumps([one.name, one.grid, [step.tolist() for step in one.steps]])
        for one in orders))


@functools.lru_cache(maxsize=1)
def _version() -> str:
    # Without the library and the processor, which change no more than roundings.
    return version().partition(" (")[0]


def make_part(job: Job, shard: Shard, block: Any, labels: Any, codebook: Any, inputs: Sequence[Part]) -> Part:
    """A shard's file of a phase; one of an earlier run that was made of the same things is taken as it is."""
    tokens = shard.filled(block, labels, codebook)
    name = f"{job.kind}-of-{shard.name}"
    with scratch() as folder:
        key = "" if not job.keeps else digest(
            _version(), job.kind, *job.flags, orders_digest(job.orders), _tokens_digest(tokens, shard.share),
            # By their bytes: the program takes no others than those that sums were made with.
            *(_path_digest(str(part.content)) for part in inputs))
        output = job.output(name, key)
        if not job.has(output):
            names = {"moments": "accumulate"}
            command = ["moments", names.get(job.kind, job.kind), *order_arguments(job.orders, folder)[0], *job.flags]
            for option, part in zip(("--moments", "--residuals"), inputs):
                command += [option, part.path(folder)]
            command += tokens.arguments(folder, name=shard.name)
            command += [] if shard.share is None else ["--images", shard.share]
            run_text([*command, "--threads", str(job.threads), "--output", output], folder=folder)
        return job.finished(name, key, output, folder)


def merge_parts(job: Job, name: str, is_whole: bool, parts: Sequence[Part]) -> Part:
    """The sum of files; where it is said to be the whole, images that are missing are refused."""
    with scratch() as folder:
        key = "" if not job.keeps else digest(_version(), str(is_whole), *sorted(part.key for part in parts))
        output = job.output(name, key)
        if not job.has(output):
            files = [part.path(folder) for part in parts]
            run_text(["moments", "merge", *files, "--expect", str(len(files)), "--output", output,
                      *([] if is_whole else ["--partial"])], folder=folder)
        if job.directory is not None and not job.is_kept:
            for part in parts:
                Path(str(part.content)).unlink()
        return job.finished(name, key, output, folder)


def part_info(part: Part) -> dict[str, Any]:
    """What ``moments info`` says of a file."""
    with scratch() as folder:
        return run("moments", "info", part.path(folder), folder=folder)


def part_bytes(part: Part) -> bytes:
    """The contents of a file."""
    return part.content if isinstance(part.content, bytes) else Path(part.content).read_bytes()


def finish(
    command: Sequence[str], orders: Sequence[str | Order], tokens: Tokens | None, inputs: Sequence[Part], threads: int
) -> tuple[dict[str, Any] | ProgramError, list[str], list[str]]:
    """A command's result from merged sums, the names of the orders, and what the program said beside it.

    What it refuses comes back as a value: it may be what the next phase is for.
    """
    with scratch() as folder, warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        arguments, names = order_arguments(orders, folder)
        words = [command[0], *arguments, *command[1:]]
        for option, part in zip(("--moments", "--influences"), inputs):
            words += [option, part.path(folder)]
        result: dict[str, Any] | ProgramError
        try:
            result = run(*words, *([] if tokens is None else tokens.arguments(folder)), folder=folder,
                         threads=threads)
        except ProgramError as error:
            result = error
    return result, names, [str(one.message) for one in said if issubclass(one.category, ProgramWarning)]
