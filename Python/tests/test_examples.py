"""The same job by make, by Slurm's job arrays and by Dask: all three as users would run them, in small."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import token_entropy as te
from conftest import FloatArray, IntArray

EXAMPLES = Path(__file__).resolve().parents[2] / "Examples" / "distributed"
ORDERS = ["raster", "distant:n=4"]
SHARDS = 3

#: Stands in for Slurm: runs every job of an array at once, prints a number, and fails where a job fails.
SBATCH = """#!/usr/bin/env bash
set -eu
array=""
while [[ $1 == --* ]]; do
  case $1 in --array=*) array=$(seq ${1#--array=1-}) ;; esac
  shift
done
if [ -z "$array" ]; then bash "$@" >&2; else
  for index in $array; do SLURM_ARRAY_TASK_ID=$index SLURM_CPUS_PER_TASK=1 bash "$@" >&2; done
fi
echo $$
"""


@pytest.fixture
def folder(tmp_path: Path, codes: IntArray, codebook: FloatArray) -> Path:
    """A folder with tokens, to run a job in."""
    np.save(tmp_path / "codes.npy", codes)
    np.save(tmp_path / "codebook.npy", codebook)
    return tmp_path


def run(folder: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    names = {"TOKENS": "codes.npy", "SOURCE": "--codebook codebook.npy", "SHARDS": str(SHARDS),
             "ORDERS": " ".join(ORDERS), "PROGRAM": te.find_program()}
    # Not what a make above these tests says to those below it.
    outer = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    environment = {**outer, **names, **variables}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def result(folder: Path) -> Any:
    found = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    del found["provenance"]
    return found


@pytest.fixture
def expected(folder: Path) -> Any:
    """The job by the module, in this process."""
    found = te.distributed.order_compare(
        folder / "codes.npy", ORDERS, client=False, shares=SHARDS, codebook=np.load(folder / "codebook.npy"),
        progress=False).to_json()
    del found["provenance"]
    return found


def test_make(folder: Path, expected: Any) -> None:
    if shutil.which("make") is None:
        pytest.skip("there is no make")
    make = ("make", "-f", str(EXAMPLES / "Makefile"))
    done = run(folder, *make, "-j", "2")
    assert done.returncode == 0, done.stderr
    # Sums are merged in the same order, so that not even roundings differ.
    assert result(folder) == expected
    assert run(folder, *make).stdout == "", "nothing is made again"
    # A job that was killed has left nothing; its rule is run, and those of what is made of it.
    (folder / "sums/influences-1-2-of-3.h5").unlink()
    (folder / "sums/influences-1.h5").unlink()
    again = run(folder, *make)
    assert again.stdout.count("moments influences ") == 1 and "moments residuals" not in again.stdout
    assert result(folder) == expected
    # Other orders need no other moments.
    other = run(folder, *make, ORDERS="raster:n=2")
    assert other.returncode == 0 and "--precision" not in other.stdout, other.stderr
    assert [row["name"] for row in result(folder)["orders"]] == ["raster:n=2"]


@pytest.mark.parametrize("way", ["make", "slurm"])
def test_what_is_asked_for_is_never_answered_by_what_was(way: str, folder: Path, codes: IntArray) -> None:
    if way == "make" and shutil.which("make") is None:
        pytest.skip("there is no make")
    command = ("make", "-f", str(EXAMPLES / "Makefile")) if way == "make" else (
        "bash", str(EXAMPLES / "slurm.sh"), "submit")
    variables = {"SHARDS": "2", "ORDERS": "own.txt", "PATH": stand_in(folder)}
    own = folder / "own.txt"
    own.write_text("1 2 3 4\n5 5 5 5\n6 6 6 6\n7 7 7 7\n", encoding="utf-8")
    assert run(folder, *command, **variables).returncode == 0
    assert result(folder)["orders"][0]["steps"] == 7
    # An order file of the same name with other steps: the moments stand.
    own.write_text("1 2 3 4\n5 5 5 5\n6 6 6 6\n6 6 6 6\n", encoding="utf-8")
    done = run(folder, *command, **variables)
    assert done.returncode == 0 and "moments of" not in done.stdout + done.stderr, done.stderr
    assert result(folder)["orders"][0]["steps"] == 6
    # Other tokens that are older than the sums.
    np.save(folder / "older.npy", codes[:300])
    os.utime(folder / "older.npy", (0, 0))
    assert run(folder, *command, **variables, TOKENS="older.npy").returncode == 0
    assert result(folder)["images"] == 300


def stand_in(folder: Path) -> str:
    """A search path with the stand-in for sbatch."""
    sbatch = folder / "bin/sbatch"
    sbatch.parent.mkdir()
    sbatch.write_text(SBATCH, encoding="utf-8")
    sbatch.chmod(0o755)
    return f"{sbatch.parent}:{os.environ['PATH']}"


def test_job_arrays_of_slurm(folder: Path, expected: Any) -> None:
    path = stand_in(folder)
    submit = ("bash", str(EXAMPLES / "slurm.sh"), "submit")
    # A shard that fails holds all others back.
    failed = run(folder, *submit, PATH=path, SOURCE="--codebook none.npy")
    assert failed.returncode != 0 and "none.npy" in failed.stderr and not (folder / "result.json").exists()
    done = run(folder, *submit, PATH=path)
    assert done.returncode == 0, done.stderr
    assert result(folder) == expected
    (folder / "sums/residuals-3-of-3.h5").unlink()
    again = run(folder, *submit, PATH=path)
    assert again.stderr.count("residuals-3-of-3.h5: residual sums of") == 1
    assert "moments-1-of-3.h5" not in again.stderr and result(folder) == expected


@pytest.mark.parametrize("way", ["make", "slurm"])
def test_few_images_need_a_pass_more(way: str, folder: Path, codes: IntArray, codebook: FloatArray) -> None:
    if way == "make" and shutil.which("make") is None:
        pytest.skip("there is no make")
    np.save(folder / "codes.npy", codes[:40])
    command = ("make", "-f", str(EXAMPLES / "Makefile")) if way == "make" else (
        "bash", str(EXAMPLES / "slurm.sh"), "submit")
    variables = {"SHARDS": "2", "ORDERS": "raster", "PATH": stand_in(folder)}
    refused = run(folder, *command, **variables)
    assert refused.returncode != 0 and "too noisy" in refused.stderr and not (folder / "result.json").exists()
    done = run(folder, *command, **variables, PASSES="2")
    assert done.returncode == 0, done.stderr
    alone = te.order_compare(te.Tokens(codes[:40], codebook), ["raster"])
    # In mixed precision, over 16 tokens.
    assert abs(result(folder)["orders"][0]["total_increase"] - float(alone["raster"].total)) < 5e-6


def test_dask(folder: Path, expected: Any) -> None:
    pytest.importorskip("distributed")
    command = (sys.executable, str(EXAMPLES / "dask_run.py"), "codes.npy", *ORDERS, "--codebook", "codebook.npy")
    path = os.pathsep.join(os.path.abspath(place) for place in sys.path if place)
    done = run(folder, *command, "--shards", str(SHARDS), PYTHONPATH=path)
    assert done.returncode == 0, done.stderr
    assert result(folder) == expected and "distant:n=4" in done.stdout
    # Before any shard is read, and in a sentence.
    for wrong, words in ((("--output", "nowhere/result.json"), "nowhere/result.json: there is no such folder"),
                         (("--shards", "0"), "dask_run.py: shares=0")):
        refused = run(folder, *command, *wrong, PYTHONPATH=path)
        assert refused.returncode != 0 and words in refused.stderr and "Traceback" not in refused.stderr
