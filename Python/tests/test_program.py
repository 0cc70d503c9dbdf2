"""The program is found or its lack told; an interrupt ends it and leaves nothing behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import token_entropy as te
from token_entropy._program import flags, run_text


def test_a_missing_program_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TOKEN_ENTROPY", str(tmp_path / "nothing"))
    with pytest.raises(te.ProgramError, match="there is no such program"):
        te.version()
    (tmp_path / "text").write_text("no program")
    monkeypatch.setenv("TOKEN_ENTROPY", str(tmp_path / "text"))
    with pytest.raises(te.ProgramError, match="is not executable"):
        te.version()
    (tmp_path / "text").chmod(0o755)
    with pytest.raises(te.ProgramError, match="cannot be run"):
        te.version()
    old = tmp_path / "old"
    old.write_text("#!/bin/sh\necho \"x: /lib/libc.so.6: version \\`GLIBC_2.99' not found\" >&2; exit 1\n")
    old.chmod(0o755)
    monkeypatch.setenv("TOKEN_ENTROPY", str(old))
    with pytest.raises(te.ProgramError, match="too old for the program"):
        te.version()


def test_the_environment_is_that_of_the_caller_less_what_dask_sets(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\necho ${MALLOC_TRIM_THRESHOLD_-none} ${OPENBLAS_NUM_THREADS-none} $OWN\n")
    program.chmod(0o755)
    monkeypatch.setenv("TOKEN_ENTROPY", str(program))
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "70000")
    monkeypatch.setenv("OWN", "kept")
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    monkeypatch.delitem(sys.modules, "distributed", raising=False)
    assert run_text([]).split() == ["70000", "none", "kept"]
    monkeypatch.setitem(sys.modules, "distributed", sys)
    assert run_text([], threads=3).split() == ["none", "3", "kept"]
    assert os.environ["MALLOC_TRIM_THRESHOLD_"] == "70000" and "OPENBLAS_NUM_THREADS" not in os.environ
    # Dask's own number, in a process that a worker's has started.
    monkeypatch.delitem(sys.modules, "distributed")
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "65536")
    assert run_text([]).split() == ["none", "none", "kept"]


def test_files_are_named_from_the_current_folder(
    tokens: te.Tokens, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    r = te.order_compare(tokens, ["raster", "halton"], atlas="orders.html", output="orders.npz", output_dir="figures",
                         figure_format=["svg"])
    assert len(r) == 2
    assert "<html" in (tmp_path / "orders.html").read_text()
    with np.load(tmp_path / "orders.npz") as arrays:
        assert any(arrays[name].shape[-2:] == (4, 4) for name in arrays)
    assert (tmp_path / "figures" / "order-compare.svg").exists()
    te.entropy_maps(tokens, atlas=Path("maps.html"), output=Path("maps.h5"))
    te.order_search(tokens, steps=4, seconds=0.5, output="order.json", checkpoint="search.h5")
    assert {"maps.html", "maps.h5", "order.json"} <= set(os.listdir())
    # What is there is found: an order by its path, the step maps of images.
    assert te.order_search(tokens, steps=4, seconds=0.5, from_="halton,order.json").differences
    found = te.order_compare(tokens, [Path("order.json")])
    assert next(iter(found.values())).steps == 4
    np.save("steps.npy", np.tile(np.arange(16).reshape(4, 4), (r.result["images"], 1, 1)))
    assert te.order_compare(tokens, ["raster"], step_maps=["steps.npy"]).profiles[-1].steps == 16


def test_orders_in_files_are_found_from_any_folder(
    tokens: te.Tokens, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "with, comma and space"
    folder.mkdir()
    monkeypatch.chdir(folder)
    te.order("raster", on=(4, 4)).save("o.json")
    for start in ("o.json", ["o.json", "greedy"], Path("o.json"), "halton,o.json"):
        assert te.order_search(tokens, 4, seconds=0.2, from_=start).total.standard_error > 0
    assert [p.name for p in te.order_compare(tokens, ["o.json", Path("o.json")]).profiles] == ["o.json", "o.json"]
    assert sorted(os.listdir()) == ["o.json"]


def test_no_output_dir_is_the_usual_one(tokens: te.Tokens, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    te.par_train(tokens, steps=1, layers=1, heads=1, width=8, batch=4, validation_images=8, no_figure=True,
                 output_dir=None)
    assert (tmp_path / "model.safetensors").exists()


def test_moments_stand_in_for_tokens(tokens: te.Tokens, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    te.distributed.moments([tokens], output="m.h5", client=False, progress=False)
    sums = te.order_compare(None, ["raster"], moments="m.h5", bound="wishart")
    whole = te.order_compare(tokens, ["raster"], bound="wishart", errors="gaussian")
    assert sums["raster"].total == pytest.approx(float(whole["raster"].total), rel=1e-5)
    assert te.entropy_map(None, (1, 1), moments=Path("m.h5"), bound="wishart").information.shape == (4, 4)
    for wrong in (None, "codes.npy"):
        with pytest.raises(te.UsageError, match="tokens: expected te.Tokens"):
            te.order_compare(wrong, ["raster"])  # type: ignore[arg-type]


def test_options_of_one_value_take_no_list() -> None:
    given: dict[str, Any] = {"classes": np.array([3, 5]), "seed": np.int64(7), "spatial": np.bool_(True),
                             "given": np.bool_(False)}
    assert flags(given) == ["--classes", "3,5", "--seed", "7", "--spatial"]
    assert flags({"grid": "4x4", "neighbors": 3}) == ["--grid", "4x4", "--neighbors", "3"]
    with pytest.raises(te.UsageError, match="units=.'bits', 'nats'.: one value is expected"):
        flags({"units": ["bits", "nats"]})
    with pytest.raises(te.UsageError, match="one value is expected"):
        te.frechet(np.eye(9), np.eye(9), extractor=["pixels", "texture"])
    with pytest.raises(te.UsageError, match="orders: a list of orders is expected"):
        te.order_compare(te.load("scenes-12x12"), Path("order.json"))  # type: ignore[arg-type]
    # Embedded ones are no files.
    assert flags({"codebook": "learned", "tokens": "scenes"}) == ["--codebook", "learned", "--tokens", "scenes"]


def test_versions_agree() -> None:
    assert te.version().startswith(f"token-entropy {te.__version__} (OpenBLAS ")


def test_refusals_carry_the_sentence_and_the_status() -> None:
    with pytest.raises(te.UsageError, match="Unknown option '--no-such-option'") as error:
        te.run("order-compare", "raster", "--no-such-option")
    assert error.value.status == 64 and isinstance(error.value, ValueError)


def test_an_interrupt_ends_the_program_and_leaves_nothing(tmp_path: Path) -> None:
    # Training of a million steps is not over before it is interrupted.
    script = ("import token_entropy as te, numpy as np\n"
              "print('ready', flush=True)\n"
              "tokens = te.Tokens(np.random.default_rng(0).integers(0, 9, (500, 6, 6)), np.eye(9)[:, :3])\n"
              f"te.par_train(tokens, steps=10**6, layers=1, heads=1, width=8, output_dir={str(tmp_path / 'run')!r})\n")
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    environment = {**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": os.pathsep.join(sys.path)}
    # A shell's background jobs, which tests may be among, take no notice of interrupts and leave that to their children.
    python = subprocess.Popen([sys.executable, "-c", script], env=environment, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True,
                              preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    assert python.stdout is not None and python.stdout.readline() == "ready\n"
    deadline = time.monotonic() + 60
    while not list(temporary.glob("token-entropy-*/codes.npy")) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(1)
    children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(python.pid)], capture_output=True, text=True)
    python.send_signal(signal.SIGINT)
    _, errors = python.communicate(timeout=60)
    assert "KeyboardInterrupt" in errors
    assert list(temporary.iterdir()) == []
    assert children.stdout.split()
    for child in children.stdout.split():
        assert not os.path.exists(f"/proc/{child}")
