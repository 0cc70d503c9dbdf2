"""The same estimates over shards of images, by Dask or one after the other: for sets beyond one machine.

Sums over images add up. Every shard is read where it is, by the program; files of sums travel and are merged in
a tree. The debiased bound reads the images three times: `Documentation/Distributed.md` says what for, what
travels, and what each phase costs. `fid_compare` is another matter: stages, in a folder that all workers see.

Without a client, and where no client of Dask is there, shards are read one after the other in this process, which
needs no Dask. Workers need this package and its program.

Examples
--------
>>> import numpy as np, token_entropy as te
>>> rng = np.random.default_rng(0)
>>> tokens = te.Tokens(rng.integers(0, 16, (300, 3, 3)), rng.normal(size=(16, 2)))
>>> te.distributed.order_compare(tokens, ["raster"], client=False, shares=3, bound="wishart", progress=False)
OrderComparison of 300 images, total increase in nats:
  raster     6 steps  ...
"""

from __future__ import annotations

import os
import tempfile
import uuid
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ._compare import OrderComparison, comparison
from ._engine import Engine, Progress, engine_of, progress_of, warn_of
from ._maps import EntropyMap, maps_of, reference_flags
from ._order import FoundOrder, Order, found_order, order_arguments
from ._order import order as order_on
from ._program import Option, ProgramError, UsageError, flags, run_text, workspace
from ._sources import Source, sources
from ._stages import Comparison, end, run_stages
from ._tasks import Job, Part, finish, make_part, merge_parts, part_bytes, part_info
from ._tokens import Tokens

__all__ = ["entropy_map", "entropy_maps", "fid_compare", "moments", "order_compare", "order_search"]

#: A file without moments, where only options are looked at.
_NO_MOMENTS = ("--moments", os.devnull)

#: What phases are called in progress.
_NAMES = {"moments": "moments", "residuals": "residual sums", "influences": "influences"}


class _Run:
    """Phases over one list of shards."""

    def __init__(self, shards: Sequence[Source], engine: Engine, progress: Progress, fan_in: int, threads: int,
                 directory: str | None, is_kept: bool) -> None:
        self._shards, self._engine, self._progress = shards, engine, progress
        self._fan_in, self._threads, self._directory, self._is_kept = fan_in, threads, directory, is_kept
        self._constants: dict[int, Any] = {}
        self._sent = [self._constant(one.shard) if one.is_held else one.shard for one in shards]

    def _constant(self, value: Any) -> Any:
        if value is None or isinstance(value, str):
            return value
        if id(value) not in self._constants:
            self._constants[id(value)] = self._engine.constant(value)
        return self._constants[id(value)]

    def paths(self) -> Iterator[str | os.PathLike[str]]:
        """The files that shards are read from."""
        for one in self._shards:
            tokens = one.shard.tokens
            for path in (one.codebook, *(() if tokens is None else (tokens.path, tokens.codebook, tokens.labels))):
                if isinstance(path, (str, os.PathLike)):
                    yield path

    def phase(self, kind: str, options: Sequence[str], orders: Sequence[str | Order], inputs: Sequence[Any]) -> Any:
        """The sums of all shards, as something the engine can hand to tasks."""
        job = Job(kind, tuple(options), tuple(orders), self._threads, self._directory, self._is_kept)
        count, done, waiting = len(self._shards), 0, []
        self._progress(_NAMES[kind], 0, count)

        def finished() -> None:
            nonlocal done
            done += 1
            self._progress(_NAMES[kind], done, count)

        def leaf(index: int) -> Any:
            one, engine = self._shards[index], self._engine
            block, labels = (engine.block(value) if hasattr(value, "compute") else value
                             for value in (one.block, one.labels))
            part = engine.submit(make_part, job, self._sent[index], block, labels, self._constant(one.codebook),
                                 list(inputs), name=f"{kind}-of-{one.shard.name}")
            if engine.is_immediate:
                finished()
            else:
                waiting.append(part)
            return part

        def merged(first: int, end: int, level: int) -> Any:
            # Depth first, and merging before other shards: few files of sums are there at once.
            size = 1
            while size * self._fan_in < end - first:
                size *= self._fan_in
            starts = range(first, end, size)
            parts = [leaf(start) if size == 1 else merged(start, min(start + size, end), level + 1)
                     for start in starts]
            is_whole = level == 0
            if len(parts) == 1 and not is_whole:
                return parts[0]
            name = f"{kind}-of-all" if is_whole else f"{kind}-of-shards-{first + 1}-to-{end}"
            return self._engine.submit(merge_parts, job, name, is_whole, parts, name=name, priority=1)

        result = merged(0, count, 0)
        self._engine.follow(waiting, finished)
        return result

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """What a function finds where the files are."""
        engine = self._engine
        return engine.result(engine.submit(function, *arguments, name=function.__name__.replace("_", "-"), priority=1))

    def finish(self, command: Sequence[str], orders: Sequence[str | Order], tokens: Tokens | None,
               inputs: Sequence[Any]) -> tuple[dict[str, Any], list[str]]:
        """A command's result, and the names of its orders."""
        result, names, said = self.call(
            finish, list(command), list(orders), tokens, list(inputs), self._threads)
        if isinstance(result, ProgramError):
            raise result
        warn_of(said)
        return result, names

    def moments(self, given: str | os.PathLike[str] | None, options: Sequence[str]) -> Any:
        """The first phase, or merged moments of an earlier call."""
        if given is None:
            return self.phase("moments", options, [], [])
        if self._directory is not None:
            return Part("moments", "", os.path.abspath(given))
        part = Part("moments", "", Path(given).read_bytes())
        return self._engine.constant(part)

    def influences(self, orders: Sequence[str | Order], options: Sequence[str], moments: Any) -> Iterator[Any]:
        """The second and third phase; then the third once more, for whoever finds these too noisy."""
        sums = self.phase("residuals", options, orders, [moments])
        for _ in range(2):
            sums = self.phase("influences", [], [], [moments, sums])
            yield sums


@contextmanager
def _run(
    shards: Any, client: Any, directory: str | os.PathLike[str] | None, options: dict[str, Any]
) -> Iterator[_Run]:
    """The run that options ask for, which are taken out of them."""
    own = {name: options.pop(name) for name in ("shares", "codebook", "labels", "grid", "channels", "crops")
           if name in options}
    fan_in, threads = int(options.pop("fan_in", 8)), int(options.pop("threads", 1))
    if fan_in < 2:
        raise UsageError(f"fan_in={fan_in}: at least 2 files are merged at once", 64)
    progress = progress_of(options.pop("progress", True))
    found = sources(shards, **own)
    for name in ("output", "output_dir", "atlas", "checkpoint"):
        if options.get(name) is not None:
            raise UsageError(f"{name}= names files, and the last step may run on another machine; what is returned has"
                             " all numbers", 64)
    engine = engine_of(client)
    try:
        if directory is not None:
            place = os.path.abspath(directory)
            os.makedirs(place, exist_ok=True)
            yield _Run(found, engine, progress, fan_in, threads, place, is_kept=True)
        elif engine.is_immediate:
            # What is merged is on this disk: only a few files of sums are there at once, and none in memory.
            with tempfile.TemporaryDirectory(prefix="token-entropy-") as place:
                yield _Run(found, engine, progress, fan_in, threads, place, is_kept=False)
        else:
            yield _Run(found, engine, progress, fan_in, threads, None, is_kept=True)
    except BaseException:
        # Ctrl-C among them.
        engine.cancel()
        raise


def _check(
    words: Sequence[str], orders: Sequence[str | os.PathLike[str] | Order], options: Sequence[str]
) -> None:
    """Have the program refuse wrong options before any shard is read: it looks at them before it opens a file."""
    with workspace() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            run_text([*words, *order_arguments(orders, folder)[0], *options], folder=folder)
        except UsageError:
            raise
        except ProgramError:
            pass


def _resolved(
    orders: Sequence[str | os.PathLike[str] | Order], grid: Sequence[int], tokens_per_step: int | None
) -> list[str | Order]:
    """Orders as any machine understands them: those of files by their steps."""
    result: list[str | Order] = []
    for one in orders:
        if isinstance(one, os.PathLike):
            one = os.fspath(one)
        if isinstance(one, str) and any(os.path.isfile(one[:end]) for end in _ends(one)):
            try:
                result.append(order_on(one, tuple(grid), tokens_per_step))
            except UsageError:
                # The file has steps of its own.
                result.append(order_on(one, tuple(grid)))
        else:
            result.append(one)
    return result


def _ends(text: str) -> list[int]:
    return [place for place, letter in enumerate(text) if letter in ":#"] + [len(text)]


def moments(
    shards: Any, output: str | os.PathLike[str], client: Any = None, *, precision: str = "double",
    classes: bool = True, directory: str | os.PathLike[str] | None = None, **options: Any,
) -> dict[str, Any]:
    """Write the merged moments of all shards: the first phase, from which closed forms follow.

    Parameters
    ----------
    shards : list, path or Dask array
        The images, as `order_compare` takes them.
    output : path
        The file to write, here.
    client, precision, directory, **options
        As of `order_compare`.
    classes : bool
        Whether to add up by class where images have labels.

    Returns
    -------
    dict
        What ``moments info`` says of the file.
    """
    with _run(shards, client, directory, options) as run:
        if options:
            raise TypeError(f"moments() has no option {next(iter(options))}=")
        place = Path(output)
        if not place.absolute().parent.is_dir():
            raise UsageError(f"{place}: there is no folder {place.absolute().parent}", 64)
        if place.is_dir():
            raise UsageError(f"{place}: cannot be written: it is a directory", 64)
        if any(os.path.realpath(place) == os.path.realpath(path) for path in run.paths()):
            raise UsageError(f"{place}: cannot be written: it is among the shards", 64)
        total = run.phase("moments", flags({"precision": precision, "no_classes": not classes}), [], [])
        content = run.call(part_bytes, total)
        info: dict[str, Any] = run.call(part_info, total)
    # Whole or not at all, as the program writes files.
    partial = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        partial.write_bytes(content)
        partial.replace(place)
    finally:
        partial.unlink(missing_ok=True)
    return {**info, "file": os.fspath(output)}


def order_compare(
    shards: Any, orders: Sequence[str | os.PathLike[str] | Order], client: Any = None, *, bound: str = "debiased",
    given: str | None = None, precision: str = "double", moments: str | os.PathLike[str] | None = None,
    directory: str | os.PathLike[str] | None = None, **options: Any,
) -> OrderComparison:
    """Estimate what orders lose on the images of all shards; the result is that of `token_entropy.order_compare`.

    Parameters
    ----------
    shards : list, path, te.Tokens or Dask array
        A list of paths, of (path, "i/N") for a share of a file, or of `token_entropy.Tokens`; one of these with
        ``shares=32``; or a Dask array of codes (m, H, W) with ``codebook=``, or of features (m, H, W, d), of which
        every block of images is a shard. Paths are as workers see them; relative ones are of this process's folder.
        `Tokens` of arrays are sent to the cluster: for what is large, files or Dask arrays are better.
    orders : sequence of str or Order
        As of `token_entropy.order_compare`, without ``seeds=`` and ``schedule=optimal``.
    client : dask.distributed.Client, optional
        Where to run. Without one the current client; where there is none, and for False, one shard after the other
        in this process.
    bound : {"debiased", "wishart", "algorithm-1"}
        The last two need the first phase only.
    given : {"class"}, optional
    precision : {"double", "mixed"}
        How products are summed; mixed is faster, and moves totals by some 10⁻⁶ nats.
    moments : path, optional
        The file that `moments` wrote of the same shards, in place of the first phase.
    directory : path, optional
        A folder that all workers see. Files of sums are kept there in place of travelling, and a run that was
        interrupted, or one with other orders, takes those that are there. Their names are hashes of all that
        determines them, contents of sources included.
    **options
        Of the shards ``shares``, ``codebook``, ``labels`` (of a Dask array), ``grid``, ``channels``, ``crops``;
        ``fan_in=8``, how many files are merged at once; ``threads=1`` of every program; ``progress=True``, a line on
        standard error, or a function (phase, done, total). Any other is of ``order-compare``: ``units="bits"``.

    Raises
    ------
    ProgramError
        With the program's sentence, from whatever worker: a shard that is missing, or twice, or has another codebook.
    """
    with _run(shards, client, directory, options) as run:
        tokens_per_step = options.pop("tokens_per_step", None)
        shared = {"tokens_per_step": tokens_per_step, "given": given, "jitter": options.pop("jitter", None)}
        command = ["order-compare", *flags({**shared, "bound": bound, **options})]
        is_debiased = bound == "debiased"
        _check(command[:1], orders, [*command[1:], *_NO_MOMENTS,
                                     *(["--influences", os.devnull] if is_debiased else [])])
        if is_debiased:
            _check(["moments", "residuals"], orders,
                   [*flags(shared), *_NO_MOMENTS, "--tokens", os.devnull, "--output", "sums.h5"])
        total = run.moments(moments, flags({"precision": precision, "no_classes": given is None}))
        resolved = _resolved(orders, run.call(part_info, total)["grid"], tokens_per_step)
        if not is_debiased:
            result, names = run.finish(command, resolved, None, [total])
        else:
            result, names = _debiased(run, command, resolved, flags(shared), total)
    return comparison(result, [one if isinstance(one, str) else name for one, name in zip(orders, names)])


def _debiased(
    run: _Run, command: Sequence[str], orders: Sequence[str | Order], options: Sequence[str], moments: Any
) -> tuple[dict[str, Any], list[str]]:
    noisy: ProgramError | None = None
    for sums in run.influences(orders, options, moments):
        try:
            return run.finish(command, orders, None, [moments, sums])
        except ProgramError as error:
            # The sentence says what to do, which is to take them once more.
            if "run `moments influences --residuals" not in str(error):
                raise
            noisy = error
    assert noisy is not None
    raise noisy


def entropy_maps(
    shards: Any, references: Sequence[Sequence[int]] | str = "all", client: Any = None, *, bound: str = "wishart",
    given: str | None = None, precision: str = "double", moments: str | os.PathLike[str] | None = None,
    directory: str | os.PathLike[str] | None = None, **options: Any,
) -> tuple[EntropyMap, ...]:
    """The maps of several reference tokens, or of all, from the moments of all shards, by a closed form.

    Parameters
    ----------
    shards, client, given, precision, moments, directory, **options
        As of `order_compare`; other options are of ``entropy-map``.
    references : sequence of (row, column), or "all"
    bound : {"wishart", "algorithm-1"}
    """
    with _run(shards, client, directory, options) as run:
        command = ["entropy-map", *reference_flags(references),
                   *flags({"bound": bound, "given": given, **options})]
        _check(command, [], _NO_MOMENTS)
        total = run.moments(moments, flags({"precision": precision, "no_classes": given is None}))
        result, _ = run.finish(command, [], None, [total])
    return maps_of(result)


def entropy_map(shards: Any, ref: Sequence[int], client: Any = None, **options: Any) -> EntropyMap:
    """The map of one reference token; other arguments as of `entropy_maps`."""
    return entropy_maps(shards, [ref], client, **options)[0]


def order_search(
    shards: Any, steps: int, tokens: Tokens, client: Any = None, *, seconds: float | None = None, curve: bool = False,
    precision: str = "double", moments: str | os.PathLike[str] | None = None,
    directory: str | os.PathLike[str] | None = None, **options: Any,
) -> FoundOrder:
    """Search the order that loses least in a number of steps, fitted to the moments of all shards.

    Parameters
    ----------
    shards, client, precision, moments, directory, **options
        As of `order_compare`; other options are of ``order-search``.
    steps : int
        How many forward passes one can afford.
    tokens : Tokens
        Other images, which choose among what was found and say what it loses; the search runs where they are sent.
    seconds, curve
        As of `token_entropy.order_search`.
    """
    starts = options.get("from_") or []
    for one in [starts] if isinstance(starts, (str, os.PathLike, Order)) else starts:
        if not isinstance(one, str) or os.path.isfile(one):
            raise UsageError(f"from_={starts!r}: names of sequences are expected; the search runs where no file of this"
                             " machine needs to be", 64)
    with _run(shards, client, directory, options) as run:
        command = ["order-search", *flags({"steps": steps, "seconds": seconds, "no_curve": not curve, **options})]
        if not isinstance(tokens, Tokens):
            raise UsageError(f"tokens: expected te.Tokens, as te.load reads them, found {type(tokens).__name__}", 64)
        if tokens.path is not None:
            found = sources([tokens])[0]
            tokens = found.shard.filled(None, None, found.codebook)
        _check(command, [], [*_NO_MOMENTS, "--tokens", os.devnull])
        total = run.moments(moments, flags({"precision": precision, "no_classes": options.get("given") is None}))
        result, _ = run.finish(command, [], tokens, [total])
    return found_order(result)


def fid_compare(
    tokens: Tokens, orders: Sequence[str | Order] = (), client: Any = None, *,
    output_dir: str | os.PathLike[str] | None = None, parts: int | None = None, progress: bool | Progress = True,
    **options: Option,
) -> dict[str, Any]:
    """Train, sample and measure models by stages that are tasks; the result is that of `token_entropy.fid_compare`.

    First what real images alone tell, then a task for each model, then ``parts`` that generate and measure, and last the
    result, which is put together on a worker. What a stage has made is in the folder: one whose worker died is done on
    another, which goes on from there, and a comparison that was interrupted makes only what is missing.

    Every stage takes as many threads as there are processors that its worker may run on, and the program has no option
    for fewer: ``OPENBLAS_NUM_THREADS`` bounds the products of matrices and not the other loops. So there should be one
    worker of one thread a machine; workers that share one divide its processors by what starts them, as in
    ``taskset -c 0-3 dask worker --nthreads 1``.

    Parameters
    ----------
    tokens : Tokens
        Arrays are sent to the cluster; paths are as workers see them, and relative ones are of this process's folder.
    orders : sequence of str or Order
        As of `token_entropy.fid_compare`.
    client : dask.distributed.Client, optional
        Where to run. Without one the current client; where there is none, and for False, one stage after the other in
        this process.
    output_dir : path
        The folder for everything that is made, which all workers must see; a worker that does not is refused. There is
        no default. This process need not see it.
    parts : int, optional
        Into how many parts generating and measuring is divided; by default as many as the workers have threads now. More
        cost little: several for each worker lose less where one dies, and let new workers help.
    progress : bool or function
        A line on standard error, nothing, or a function (phase, done, total); phases are prepare, train and measure.
    **options
        The options of ``fid-compare``: ``architecture="par"``, ``quick=True``, ``no_figure=True`` …

    Raises
    ------
    ProgramError
        With the program's sentence, from whatever worker. `UsageError` for wrong options, before any stage begins.
    """
    if output_dir is None:
        raise UsageError("fid_compare() needs output_dir=, a folder that all workers see: stages find there what others"
                         " have made", 64)
    told = progress_of(progress, "stages")
    comparison = Comparison.of(orders, options, os.fspath(output_dir), f".comparison-{uuid.uuid4().hex}")
    engine = engine_of(client)
    stages = comparison.stages(engine.slots() if parts is None else parts)
    try:
        result, said = run_stages(comparison, tokens, stages, engine, told)
    except BaseException:
        # Ctrl-C among them.
        engine.cancel()
        with suppress(OSError):
            # Where this process does not see the folder, an empty hidden file stays.
            end(comparison)
        raise
    warn_of(said)
    return result
