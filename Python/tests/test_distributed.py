"""Shards, Dask's workers and one process say the same; what does not add up is refused by its name."""

import fcntl
import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import token_entropy as te
from conftest import FloatArray, IntArray
from token_entropy._engine import Here, OnDask, engine_of
from token_entropy._stages import Comparison, begin, do_stage, end

ORDERS = ["raster", "distant"]


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """Two worker processes."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50
    ) as cluster, distributed.Client(cluster) as client:
        yield client


@pytest.fixture(scope="module")
def expected(tokens: te.Tokens) -> te.OrderComparison:
    """One process that reads the images once, in mixed precision."""
    return te.order_compare(tokens, ORDERS)


def compare(shards: Any, client: Any = False, **options: Any) -> te.OrderComparison:
    return te.distributed.order_compare(shards, ORDERS, client, **{"progress": False, **options})


def assert_same(a: te.OrderComparison, b: te.OrderComparison, tolerance: float) -> None:
    assert list(a) == list(b) and a.result["images"] == b.result["images"]
    for one, other in zip(a.profiles, b.profiles):
        for name in ("total", "joint_entropy", "sequential", "parallel", "increase", "step_increase",
                     "increase_standard_error", "difference_from_first", "difference_errors"):
            np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=0, atol=tolerance, err_msg=name)
        assert abs(one.total.standard_error - other.total.standard_error) < tolerance


@pytest.fixture(scope="module")
def in_double(tokens: te.Tokens) -> te.OrderComparison:
    """One shard in double precision."""
    return compare(tokens)


def test_one_after_the_other_is_as_one_process(
    tokens: te.Tokens, expected: te.OrderComparison, in_double: te.OrderComparison
) -> None:
    # Single precision over short runs moves entropies by less than 10⁻⁶ nats each, and a total is a sum of 16.
    assert_same(in_double, expected, 5e-6)
    # Double precision but for the order of sums: totals of about 40 nats.
    assert_same(compare(tokens, shares=4, fan_in=2), in_double, 1e-9)


@pytest.mark.parametrize("shares", [1, 2, 7])
def test_workers_are_as_one_process(
    shares: int, tokens: te.Tokens, client: Any, expected: te.OrderComparison, in_double: te.OrderComparison
) -> None:
    found = compare(tokens, client, shares=shares, fan_in=3)
    assert_same(found, in_double, 1e-9)
    assert_same(found, expected, 5e-6)


def test_a_worker_that_is_killed_changes_nothing(
    tokens: te.Tokens, client: Any, in_double: te.OrderComparison
) -> None:
    pids = list(client.run(os.getpid).values())
    told: list[tuple[str, int, int]] = []

    def kill(phase: str, done: int, total: int) -> None:
        told.append((phase, done, total))
        # With others of the phase still to be done, and sums of the first on both workers.
        if (phase, done) == ("residual sums", 2):
            os.kill(pids[0], signal.SIGKILL)

    found = compare(tokens, client, shares=5, fan_in=2, progress=kill)
    assert ("residual sums", 2, 5) in told and told[-1] == ("influences", 5, 5)
    assert pids[0] not in client.run(os.getpid).values()
    assert_same(found, in_double, 1e-9)


def test_blocks_of_a_dask_array_are_shards(
    codes: IntArray, codebook: FloatArray, tokens: te.Tokens, client: Any
) -> None:
    lazy = pytest.importorskip("dask.array").from_array(codes, chunks=(150, 4, 2))
    given = {"bound": "wishart", "given": "class"}
    alone = te.order_compare(tokens, ORDERS, **given)
    for where in (client, False):
        assert_same(compare(lazy, where, codebook=codebook, labels=tokens.labels, **given), alone, 5e-6)
    with pytest.raises(te.UsageError, match="codebook="):
        compare(lazy, client)


def test_a_dask_array_without_images_is_refused(codes: IntArray, codebook: FloatArray) -> None:
    array = pytest.importorskip("dask.array")
    with pytest.raises(te.UsageError, match="the Dask array has no images"):
        compare(array.from_array(codes[:0], chunks=(100, 4, 4)), codebook=codebook)


def test_maps_and_searches_need_the_first_phase_alone(
    codes: IntArray, codebook: FloatArray, tokens: te.Tokens, client: Any, tmp_path: Path
) -> None:
    file = tmp_path / "all.h5"
    info = te.distributed.moments(tokens, file, client, shares=3, progress=False)
    assert info["kind"] == "moments" and info["images"] == 400 and len(info["parts"]) == 3
    m = te.distributed.entropy_map(tokens, (1, 1), client, moments=file, progress=False)
    alone = te.entropy_map(tokens, (1, 1), bound="wishart")
    np.testing.assert_allclose(m.information, alone.information, rtol=0, atol=5e-6)
    r = te.distributed.order_compare(tokens, ORDERS, client, shares=2, moments=file, progress=False)
    assert_same(r, compare(tokens, client, shares=2), 1e-9)
    others = te.Tokens(codes[::-1, ::-1], codebook)
    with warnings.catch_warnings():
        # That few images were left to choose by.
        warnings.simplefilter("ignore", te.ProgramWarning)
        found = te.distributed.order_search(tokens, 4, others, client, moments=file, seconds=1, progress=False)
    assert len(found.groups) == 4 and sorted(found.permutation.tolist()) == list(range(16))
    damaged = tmp_path / "damaged.h5"
    damaged.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(te.ProgramError, match="truncated or damaged"):
        te.distributed.entropy_map(tokens, (1, 1), client, moments=damaged, progress=False)


def test_orders_of_files_and_of_memory(tokens: te.Tokens, client: Any, tmp_path: Path) -> None:
    mine = te.Order.from_steps([[0, 4, 8, 12], [1, 5, 9, 13], [2, 6, 10, 14], [3, 7, 11, 15]], (4, 4), name="mine")
    path = str(tmp_path / "columns.json")
    mine.save(path)
    orders: list[str | te.Order] = ["raster", path, mine]
    r = te.distributed.order_compare(tokens, orders, client, shares=2, tokens_per_step=2, progress=False)
    alone = te.order_compare(tokens, orders, tokens_per_step=2)
    assert list(r) == ["raster", path, "mine"]
    assert_same(r, alone, 5e-6)
    assert r[path].steps == 4 and r["raster"].steps == 9


def test_a_folder_is_gone_on_with_and_never_out_of_date(
    codes: IntArray, codebook: FloatArray, client: Any, tmp_path: Path
) -> None:
    source, folder = tmp_path / "codes.npy", tmp_path / "sums"
    np.save(source, codes)
    options: dict[str, Any] = {"shares": 3, "codebook": codebook, "directory": folder}
    first = compare(source, client, **options)
    files = {file.name: file.stat().st_mtime_ns for file in folder.iterdir()}
    # Three shards and their sum in each of three phases.
    assert len(files) == 12 and all(name.endswith(".h5") for name in files)
    damaged, lost = sorted(name for name in files if name.startswith("residuals"))[:2]
    whole = (folder / damaged).read_bytes()
    (folder / damaged).write_bytes(whole[:-200])
    (folder / lost).unlink()
    # In this process, which finds what the workers have left.
    with pytest.warns(te.ProgramWarning, match=f"{damaged}: the HDF5 file is truncated or damaged.*made anew"):
        second = compare(source, **options)
    assert [float(p.total) for p in second.profiles] == [float(p.total) for p in first.profiles]
    assert (folder / damaged).read_bytes() == whole
    again = {file.name: file.stat().st_mtime_ns for file in folder.iterdir()}
    assert {name for name in files if files[name] != again[name]} == {damaged, lost} and again.keys() == files.keys()
    # Other contents under the old name, as long as before.
    np.save(source, codes[:, ::-1])
    turned = compare(source, client, **options)
    assert_same(turned, te.order_compare(te.Tokens(codes[:, ::-1], codebook), ORDERS), 5e-6)
    assert abs(turned["raster"].total - first["raster"].total) > 1e-3


def test_few_images_are_weighed_once_more(codes: IntArray, codebook: FloatArray, client: Any) -> None:
    few = te.Tokens(codes[:40], codebook)
    phases: list[str] = []

    def begun(phase: str, done: int, total: int) -> None:
        phases.extend([] if done else [phase])

    found = compare(few, client, shares=2, progress=begun)
    assert phases == ["moments", "residual sums", "influences", "influences"]
    assert_same(found, te.order_compare(few, ORDERS), 5e-6)


def test_what_does_not_add_up_is_refused(
    codes: IntArray, codebook: FloatArray, tokens: te.Tokens, client: Any, tmp_path: Path
) -> None:
    path = tmp_path / "codes.npy"
    np.save(path, codes)
    half, rest = te.Tokens(codes[:200], codebook), te.Tokens(codes[200:], codebook)
    for where in (client, False):
        with pytest.raises(te.ProgramError, match="images 133 to 265 of .*codes.npy are missing"):
            compare([(path, "1/3"), (path, "3/3")], where, codebook=codebook)
        with pytest.raises(te.ProgramError, match="shard-3.npy would be counted twice"):
            compare([half, rest, half], where)
        with pytest.raises(te.ProgramError, match="shard-2.h5: its codebook is .* that of .*shard-1.h5"):
            compare([half, te.Tokens(codes[200:], codebook + 1)], where)
        with pytest.raises(te.ProgramError, match="none.h5: there is no such file"):
            compare([tmp_path / "none.h5"], where)
    with pytest.raises(te.ProgramError, match="images 100 to 199 of .*codes.npy would be counted twice"):
        compare([(path, "1/2"), (path, "2/4"), (path, "2/2")], codebook=codebook)
    with pytest.raises(te.UsageError, match="shards 1 and 2 are both .*codes.npy: images would be counted twice"):
        compare([path, path], client, codebook=codebook)


def test_wrong_options_are_refused_before_a_shard_is_read(tokens: te.Tokens, tmp_path: Path) -> None:
    def never(phase: str, done: int, total: int) -> None:
        raise AssertionError(phase)

    for options, words in (({"limit": 9}, "--limit needs images"), ({"foo": 1}, "Unknown option '--foo'"),
                           ({"bound": "held-out"}, "held-out needs images"), ({"fan_in": 1}, "fan_in=1"),
                           ({"output": "orders.npz"}, "output= names files")):
        with pytest.raises(te.UsageError, match=words):
            compare(tokens, progress=never, **options)
    with pytest.raises(te.UsageError, match="random:seeds=2"):
        te.distributed.order_compare(tokens, ["random:seeds=2"], progress=never)
    with pytest.raises(te.UsageError, match="there is no folder .*/nowhere"):
        te.distributed.moments(tokens, tmp_path / "nowhere/all.h5", client=False, progress=never)
    with pytest.raises(te.UsageError, match="there are no shards"):
        compare([])
    for shares in (0, 2.5):
        with pytest.raises(te.UsageError, match=f"shares={shares}: a whole number from 1"):
            compare(tokens, shares=shares)
    with pytest.raises(te.UsageError, match="client: expected a dask.distributed.Client, or False, found 'tcp:"):
        compare(tokens, "tcp://head:8786")
    # Not the letters of a name.
    with pytest.raises(te.UsageError, match=r"a list of orders is expected, as in \['raster'\]"):
        te.distributed.order_compare(tokens, "raster", client=False, progress=never)
    with pytest.raises(te.UsageError, match="expected te.Tokens, as te.load reads them, found str"):
        te.distributed.order_search(tokens, 4, "others.h5", client=False, progress=never)  # type: ignore[arg-type]


def test_moments_are_never_written_onto_a_shard(
    codes: IntArray, codebook: FloatArray, tmp_path: Path
) -> None:
    shard, book = tmp_path / "codes.npy", tmp_path / "codebook.npy"
    np.save(shard, codes)
    np.save(book, codebook)
    (tmp_path / "link.npy").symlink_to(shard)
    before = shard.read_bytes(), book.read_bytes()
    for output in (shard, book, tmp_path / "link.npy"):
        with pytest.raises(te.UsageError, match=f"{output.name}: cannot be written: it is among the shards"):
            te.distributed.moments(shard, output, client=False, shares=2, codebook=book, progress=False)
    with pytest.raises(te.UsageError, match="it is a directory"):
        te.distributed.moments(shard, tmp_path, client=False, shares=2, codebook=book, progress=False)
    assert (shard.read_bytes(), book.read_bytes()) == before


def test_what_has_not_begun_is_cancelled_and_tasks_that_kill_workers_are_named(client: Any) -> None:
    from distributed import KilledWorker

    engine = OnDask(client)
    futures = [engine.submit(time.sleep, 0.3, name="sleep") for _ in range(1000)]
    assert len(futures) == 1000
    engine.cancel()
    # They would take 150 seconds on two workers.
    deadline = time.monotonic() + 30
    while client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks)) > 0:
        assert time.monotonic() < deadline
        time.sleep(0.1)

    class Dead:
        key = "moments-of-shard-3-ab"

        def result(self) -> None:
            raise KilledWorker(self.key, SimpleNamespace(address="tcp://node-7"), 3)

    with pytest.raises(te.ProgramError, match="moments-of-shard-3-ab: every worker .* memory.*tcp://node-7"):
        engine.result(Dead())


#: The smallest models there are.
TINY: dict[str, Any] = {
    "layers": 1, "heads": 1, "width": 8, "batch": 4, "steps": 2, "count": 24, "seeds": 1, "likelihood_images": 8,
    "forced_images": 0, "extractor": "texture", "neighbors": 3, "no_figure": True}


def differences(a: Any, b: Any, place: str = "") -> list[str]:
    """Where two comparisons differ, but for how they were made."""
    if isinstance(a, dict) and isinstance(b, dict):
        if a.keys() != b.keys():
            return [f"{place}: {a.keys() ^ b.keys()}"]
        return [one for name in a if name not in ("provenance", "seconds", "folder")
                for one in differences(a[name], b[name], f"{place}.{name}")]
    if isinstance(a, list) and isinstance(b, list):
        if len(a) != len(b):
            return [f"{place}: {len(a)} and {len(b)}"]
        return [one for i, pair in enumerate(zip(a, b)) for one in differences(*pair, f"{place}[{i}]")]
    if isinstance(a, float) or isinstance(b, float):
        # BLAS adds in another order where numbers lie elsewhere in memory.
        return [] if a == pytest.approx(b, rel=1e-6, abs=1e-6) else [f"{place}: {a} and {b}"]
    return [] if a == b else [f"{place}: {a!r} and {b!r}"]


@pytest.fixture(scope="module")
def alone(tokens: te.Tokens, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A comparison by one process."""
    return te.fid_compare(tokens, ORDERS, output_dir=tmp_path_factory.mktemp("alone"), **TINY)


def test_a_comparison_one_stage_after_the_other_and_once_more(
    tokens: te.Tokens, alone: dict[str, Any], tmp_path: Path
) -> None:
    told: list[tuple[str, int, int]] = []
    folder = tmp_path / "comparison"
    found = te.distributed.fid_compare(tokens, ORDERS, False, output_dir=folder, parts=2,
                                       progress=lambda *one: told.append(one), **TINY)
    assert differences(found, alone) == [] and found["orders"][0]["measures"]["kid_texture"]["value"] != 0
    assert told == [("prepare", 0, 1), ("prepare", 1, 1), ("train", 0, 1), ("train", 1, 1), ("measure", 0, 2),
                    ("measure", 1, 2), ("measure", 2, 2)]
    kept = {file: file.stat().st_mtime_ns for file in (folder / "runs").rglob("*")}
    assert not [name for name in os.listdir(folder) if name.startswith(".")]
    # All is there, however it is divided.
    again = te.distributed.fid_compare(tokens, ORDERS, False, output_dir=folder, parts=3, progress=False, **TINY)
    assert again["orders"] == found["orders"]
    assert {file: file.stat().st_mtime_ns for file in (folder / "runs").rglob("*")} == kept


def test_a_stage_whose_worker_is_killed_is_done_by_another(
    tokens: te.Tokens, client: Any, alone: dict[str, Any], tmp_path: Path
) -> None:
    folder = tmp_path / "comparison"
    folder.mkdir()
    pids = client.run(os.getpid)
    killed: list[str] = []
    told: list[tuple[str, int, int]] = []
    # As a process that is at work on this stage, so that none ends before its worker is killed.
    with open(folder / ".fid-compare-train-1-of-1.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)

        def kill(phase: str, done: int, total: int) -> None:
            told.append((phase, done, total))
            if (phase, done) != ("train", 0):
                return
            deadline = time.monotonic() + 60
            while not killed:
                assert time.monotonic() < deadline
                killed.extend(worker for worker, tasks in client.processing().items()
                              if any("train:1-of-1" in task for task in tasks))
                time.sleep(0.05)
            os.kill(pids[killed[0]], signal.SIGKILL)
            # The next one waits for what the first has begun.
            time.sleep(0.5)
            fcntl.flock(lock, fcntl.LOCK_UN)

        found = te.distributed.fid_compare(tokens, ORDERS, client, output_dir=folder, progress=kill, **TINY)
    assert pids[killed[0]] not in client.run(os.getpid).values()
    # Measured in as many parts as there are workers.
    assert ("train", 1, 1) in told and told[-1] == ("measure", 2, 2)
    assert differences(found, alone) == []


def test_a_comparison_that_cannot_be_is_refused_before_it_begins(
    tokens: te.Tokens, client: Any, tmp_path: Path
) -> None:
    def never(phase: str, done: int, total: int) -> None:
        raise AssertionError(phase)

    folder = tmp_path / "comparison"
    with pytest.raises(te.UsageError, match="output_dir=, a folder that all workers see"):
        te.distributed.fid_compare(tokens, ORDERS, client, progress=never)
    for options, words in (({"foo": 1}, "Unknown option '--foo'"), ({"threads": 1}, "Unknown option '--threads'"),
                           ({"figure_format": "bmp"}, "bmp"), ({"count": 2}, "--count 2"),
                           ({"parts": 0}, "--list-stages 0"), ({"stage": "prepare"}, "--stage")):
        with pytest.raises(te.UsageError, match=words):
            te.distributed.fid_compare(tokens, ORDERS, client, output_dir=folder, progress=never, **options)
    assert not folder.exists()
    for where in (client, False):
        with pytest.raises(te.ProgramError, match="none.h5: there is no such file"):
            te.distributed.fid_compare(te.load(tmp_path / "none.h5"), ORDERS, where, output_dir=folder,
                                       progress=False, **TINY)
    # As on a machine where the folder is another one.
    comparison = Comparison.of(ORDERS, dict(TINY), str(folder), ".mark")
    with pytest.raises(te.ProgramError, match="does not see this folder as the worker that began does"):
        do_stage(comparison, tokens, "prepare", [])
    begin(comparison)
    with pytest.raises(te.ProgramError, match="--stage prepare, with the same options, comes first"):
        do_stage(comparison, tokens, "train:1/1", [])
    end(comparison)
    assert not [name for name in os.listdir(folder) if name.startswith(".")]


def test_the_client_that_there_is_is_taken(tokens: te.Tokens, client: Any) -> None:
    assert isinstance(engine_of(None), OnDask) and isinstance(engine_of(False), Here)
    r = te.distributed.order_compare(tokens, ORDERS, bound="wishart", shares=2, progress=False)
    assert_same(r, te.order_compare(tokens, ORDERS, bound="wishart"), 5e-6)


def test_dask_is_needed_only_where_it_is_used() -> None:
    code = "import sys, token_entropy; sys.exit(any(n in sys.modules for n in ('dask', 'distributed')))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
