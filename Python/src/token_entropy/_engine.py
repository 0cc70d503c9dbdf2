"""Where tasks run: in this process, or on the workers of a Dask client."""

from __future__ import annotations

import sys
import uuid
import warnings
import weakref
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from ._program import ProgramError, ProgramWarning, UsageError

#: What is told of the work: the phase, how many of its tasks are done, and how many there are.
Progress = Callable[[str, int, int], None]


class Engine(Protocol):
    """Runs functions of this package; what `submit` returns may be an argument of later ones."""

    #: Whether what was submitted has run when `submit` returns.
    is_immediate: bool

    def submit(self, function: Callable[..., Any], *arguments: Any, name: str, priority: int = 0) -> Any:
        """Have a function run; its arguments may be results of others."""

    def constant(self, value: Any) -> Any:
        """A value that many tasks take, which travels once."""

    def block(self, delayed: Any) -> Any:
        """A lazy value of Dask, to be computed where it is needed."""

    def follow(self, results: list[Any], done: Callable[[], None]) -> None:
        """Wait for results and tell each; the first that failed ends it. The list is emptied."""

    def result(self, value: Any) -> Any:
        """The value itself."""

    def slots(self) -> int:
        """How many tasks run at a time, as far as is known now."""

    def cancel(self) -> None:
        """Have nothing begin that has not begun yet."""


class Here:
    """One task after the other, as they are submitted; needs no Dask."""

    is_immediate = True

    def submit(self, function: Callable[..., Any], *arguments: Any, name: str, priority: int = 0) -> Any:
        return function(*arguments)

    def constant(self, value: Any) -> Any:
        return value

    def block(self, delayed: Any) -> Any:
        return delayed.compute(scheduler="synchronous")

    def follow(self, results: list[Any], done: Callable[[], None]) -> None:
        results.clear()

    def result(self, value: Any) -> Any:
        return value

    def slots(self) -> int:
        return 1

    def cancel(self) -> None:
        pass


def _same(value: Any) -> Any:
    return value


class OnDask:
    """Tasks on the workers of a client's cluster, which repeats those of workers that die."""

    is_immediate = False

    def __init__(self, client: Any) -> None:
        self._client = client
        self._futures: list[weakref.ref[Any]] = []

    def submit(self, function: Callable[..., Any], *arguments: Any, name: str, priority: int = 0) -> Any:
        future = self._client.submit(
            function, *arguments, key=f"{name}-{uuid.uuid4().hex[:12]}", pure=False, priority=priority)
        # Not held: what no task needs any more is dropped.
        self._futures.append(weakref.ref(future))
        return future

    def constant(self, value: Any) -> Any:
        # A task, unlike data that were scattered, is repeated where the only worker that had its result has died.
        with warnings.catch_warnings():
            # It is sent once, on purpose.
            warnings.filterwarnings("ignore", "Sending large graph", UserWarning)
            return self.submit(_same, value, name="constant")

    def block(self, delayed: Any) -> Any:
        return self._client.compute(delayed)

    def follow(self, results: list[Any], done: Callable[[], None]) -> None:
        from distributed import as_completed

        completed = as_completed(results)
        # Only tasks that need a result still hold it from here on, so that it is dropped when they have it.
        results.clear()
        for one in completed:
            self.result(one)
            done()

    def result(self, value: Any) -> Any:
        from distributed import KilledWorker

        try:
            return value.result()
        except KilledWorker as error:
            raise ProgramError(
                f"{value.key}: every worker that took this task died, most likely for want of memory: {error}"
            ) from error

    def slots(self) -> int:
        # Clusters that grow by demand may have no worker yet.
        threads: dict[str, int] = self._client.nthreads()
        return max(1, sum(threads.values()))

    def cancel(self) -> None:
        # Released and not cancelled: the scheduler drops what nobody wants, and an error that is on its way beside a
        # cancellation makes it lose the client (distributed 2026.8).
        for reference in self._futures:
            future = reference()
            if future is not None:
                future.release()


def engine_of(client: Any) -> Here | OnDask:
    """The engine of a client; of the one there is, where none is named; else, and for False, this process."""
    if client is None and "distributed" in sys.modules:
        # A client can only be there where the package was imported.
        try:
            client = sys.modules["distributed"].get_client()
        except ValueError:
            pass
    if client is None or client is False:
        return Here()
    if not hasattr(client, "submit"):
        raise UsageError(f"client: expected a dask.distributed.Client, or False, found {client!r}", 64)
    return OnDask(client)


class ProgressLine:
    """A line on standard error: rewritten on a terminal and in a notebook, else told once a phase."""

    def __init__(self, unit: str) -> None:
        self._unit = unit

    def __call__(self, phase: str, done: int, total: int) -> None:
        rewrites = sys.stderr.isatty() or "ipykernel" in sys.modules
        if rewrites or done == total:
            unit = self._unit if total != 1 else self._unit.removesuffix("s")
            print(f"\r{phase}: {done} of {total} {unit}" if rewrites else f"{phase}: {total} {unit}",
                  end="\n" if done == total else "", file=sys.stderr, flush=True)


def progress_of(progress: bool | Progress, unit: str = "shards") -> Progress:
    """What is told of the work, as the user asks for it; a unit is what its tasks are called."""
    if progress is True:
        return ProgressLine(unit)
    return (lambda phase, done, total: None) if progress is False else progress


def warn_of(messages: Sequence[str]) -> None:
    """Repeat here what the program said on a worker."""
    for message in messages:
        warnings.warn(message, ProgramWarning, stacklevel=4)
