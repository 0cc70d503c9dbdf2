"""The stages of a comparison of models: each a task that runs the program in a folder that all workers see."""

from __future__ import annotations

import os
import platform
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ._engine import Engine, Progress
from ._order import Order, order_arguments
from ._program import Option, ProgramError, ProgramWarning, UsageError, flags, run, run_text, workspace
from ._tasks import scratch
from ._tokens import Tokens

#: Options for the result, which stages do not have.
_OF_RESULTS = ("no_figure", "figure_format", "csv", "json")
#: What the program says where another process does the stage.
_TAKEN = "another process is at work on"
#: How many seconds pass until a stage that another process does is tried again.
_PAUSE = 1.0


@dataclass(frozen=True)
class Comparison:
    """What is compared, as all stages are told it.

    Attributes
    ----------
    orders : tuple of str or Order
    flags : tuple of str
        The options that stages and the result share.
    result_flags : tuple of str
        Those of the result alone.
    output_dir : str
        The folder, by its whole path.
    marker : str
        The name of a file in it that is there while the comparison runs.
    """

    orders: tuple[str | Order, ...]
    flags: tuple[str, ...]
    result_flags: tuple[str, ...]
    output_dir: str
    marker: str

    @classmethod
    def of(cls, orders: Sequence[str | Order], options: dict[str, Option], output_dir: str, marker: str) -> Comparison:
        """What options ask for.

        Raises
        ------
        UsageError
            With the program's sentence, for what it refuses before it opens a file.
        """
        own = {name: value for name, value in options.items() if name in _OF_RESULTS}
        shared = {name: value for name, value in options.items() if name not in _OF_RESULTS}
        result = cls(tuple(orders), tuple(flags(shared)), tuple(flags(own)), os.path.abspath(output_dir), marker)
        with workspace() as folder:
            try:
                run("fid-compare", *result._words(folder), *result.result_flags, "--tokens", os.devnull,
                    "--output-dir", "none", folder=folder)
            except UsageError:
                raise
            except ProgramError:
                # There are no tokens in that file.
                pass
        return result

    def stages(self, parts: int) -> dict[str, list[str]]:
        """The names of the stages, each with those that come before it, in an order in which they can be done."""
        with workspace() as folder:
            listed = run("fid-compare", *self._words(folder), "--list-stages", str(parts), folder=folder)
        return {one["name"]: one["after"] for one in listed["stages"]}

    def _words(self, folder: Path) -> list[str]:
        return [*order_arguments(self.orders, folder)[0], *self.flags]

    def command(self, tokens: Tokens, folder: Path) -> list[str]:
        """The program's words, for it to run in a folder."""
        return ["fid-compare", *self._words(folder), *tokens.arguments(folder), "--output-dir", self.output_dir]

    def check_folder(self) -> None:
        """Refuse a machine that does not see the folder: it would make its own, and do all stages again."""
        if not os.path.exists(os.path.join(self.output_dir, self.marker)):
            raise ProgramError(
                f"{self.output_dir}: {platform.node()} does not see this folder as the worker that began does;"
                " output_dir= has to be on a file system that all workers share")


def begin(comparison: Comparison) -> None:
    """Make the folder, with the file by which others know it."""
    try:
        os.makedirs(comparison.output_dir, exist_ok=True)
        Path(comparison.output_dir, comparison.marker).touch()
    except OSError as error:
        raise ProgramError(f"{comparison.output_dir}: cannot be written: {error.strerror}") from error


def end(comparison: Comparison) -> None:
    """Remove that file, where the folder is."""
    Path(comparison.output_dir, comparison.marker).unlink(missing_ok=True)


def do_stage(comparison: Comparison, tokens: Tokens, stage: str, after: Sequence[Any]) -> list[str]:
    """Do a stage, or find that it is done; return what the program said beside it.

    Where the worker that had it has died, the program that it had begun may still be at work: its end is waited for.
    """
    comparison.check_folder()
    with scratch() as folder, warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        words = comparison.command(tokens, folder)
        while True:
            try:
                run_text([*words, "--stage", stage], folder=folder)
                break
            except ProgramError as error:
                if _TAKEN not in str(error):
                    raise
            time.sleep(_PAUSE)
    return _told(said)


def put_together(comparison: Comparison, tokens: Tokens, after: Sequence[Any]) -> tuple[dict[str, Any], list[str]]:
    """The result of all stages, and what the program said beside it."""
    comparison.check_folder()
    with scratch() as folder, warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        result = run(*comparison.command(tokens, folder), *comparison.result_flags, folder=folder)
    return result, _told(said)


def _told(said: Sequence[warnings.WarningMessage]) -> list[str]:
    return [str(one.message) for one in said if issubclass(one.category, ProgramWarning)]


class _Kind:
    """Counts the stages of a kind that are done."""

    def __init__(self, progress: Progress, name: str, count: int) -> None:
        self._progress, self._name, self._count, self._done = progress, name, count, 0

    def begin(self) -> None:
        self._progress(self._name, 0, self._count)

    def finished(self) -> None:
        self._done += 1
        self._progress(self._name, self._done, self._count)


def run_stages(
    comparison: Comparison, tokens: Tokens, stages: dict[str, list[str]], engine: Engine, progress: Progress
) -> tuple[dict[str, Any], list[str]]:
    """Have all stages done, and the result put together; with what the program said, every sentence once."""
    by_kind: dict[str, list[str]] = {}
    for stage in stages:
        by_kind.setdefault(stage.partition(":")[0], []).append(stage)
    sent = tokens if tokens.path is not None else engine.constant(tokens)
    begun = engine.submit(begin, comparison, name="begin", priority=1)
    done: dict[str, Any] = {}
    waiting: list[tuple[_Kind, list[Any]]] = []
    for name, own in by_kind.items():
        kind = _Kind(progress, name, len(own))
        waiting.append((kind, []))
        if engine.is_immediate:
            kind.begin()
        for stage in own:
            after = [done[one] for one in stages[stage]] or [begun]
            done[stage] = engine.submit(do_stage, comparison, sent, stage, after, name=stage.replace("/", "-of-"))
            if engine.is_immediate:
                kind.finished()
            else:
                waiting[-1][1].append(done[stage])
    together = engine.submit(put_together, comparison, sent, list(done.values()), name="result")
    for kind, futures in waiting:
        if not engine.is_immediate:
            kind.begin()
            engine.follow(futures, kind.finished)
    result, said = engine.result(together)
    for value in done.values():
        said = [*engine.result(value), *said]
    engine.result(engine.submit(end, comparison, name="end"))
    return result, list(dict.fromkeys(said))
