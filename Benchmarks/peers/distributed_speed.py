#!/usr/bin/env python3
"""How much faster two workers of Dask are than one process, at the debiased bound of two orders over shards.

All run `token_entropy.distributed.order_compare` with one thread a program, in turns: two worker processes with
--shards shards; this process with one; and, as the bound of what two processes can do on this machine, both halves
apart, at the same time and without waiting for each other, by two processes that know nothing of Dask. The results of
the first two are compared. The time of the cluster's start is not counted.

    TOKEN_ENTROPY=.build/release/token-entropy PYTHONPATH=Python/src \\
      python3 Benchmarks/peers/distributed_speed.py
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import dask
import numpy as np
from dask.distributed import Client, LocalCluster

import token_entropy as te

ORDERS = ["raster", "distant"]
#: What Examples/distributed/dask_run.py sets.
QUIET = {"distributed.worker.profile.enabled": False, "distributed.admin.tick.interval": "1s"}


def leaning_codes(rng, images, side, entries):
    """Codes of which six of ten are those of their left neighbours."""
    codes = rng.integers(0, entries, (images, side, side), dtype=np.uint16)
    for column in range(1, side):
        same = rng.random((images, side)) < 0.6
        codes[:, :, column] = np.where(same, codes[:, :, column - 1], codes[:, :, column])
    return codes


#: What a process of a half does; its arguments are the codes, the codebook and the precision.
HALF = """
import sys
import token_entropy as te
te.distributed.order_compare(te.Tokens(path=sys.argv[1], codebook=sys.argv[2]), sys.argv[4:], client=False,
                             precision=sys.argv[3], threads=1, progress=False)
"""


def halves_apart(folder, precision):
    """Both halves of the images at the same time, each a whole estimate of its own."""
    processes = [
        subprocess.Popen([sys.executable, "-c", HALF, str(folder / f"codes-{half}.npy"), str(folder / "codebook.npy"),
                          precision, *ORDERS])
        for half in (1, 2)]
    for process in processes:
        if process.wait() != 0:
            raise RuntimeError("a half has failed")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=100000)
    parser.add_argument("--side", type=int, default=16, help="of the grid")
    parser.add_argument("--channels", type=int, default=8)
    parser.add_argument("--shards", type=int, default=2, help="of the two workers")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--precision", default="double", choices=["double", "mixed"])
    parser.add_argument("--standard-settings", action="store_true", help="Dask's own, by which workers profile themselves")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    # One core's instructions for all.
    os.environ.pop("OPENBLAS_CORETYPE", None)
    if not arguments.standard_settings:
        dask.config.set(QUIET)
    rng = np.random.default_rng(0)
    options = {"precision": arguments.precision, "threads": 1, "progress": False}
    seconds = {"two workers": [], "one process": [], "halves apart": []}
    with tempfile.TemporaryDirectory() as folder, LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None
    ) as cluster, Client(cluster) as client:
        codes, codebook = Path(folder) / "codes.npy", Path(folder) / "codebook.npy"
        values = leaning_codes(rng, arguments.images, arguments.side, 256)
        np.save(codes, values)
        for half, part in enumerate(np.array_split(values, 2), 1):
            np.save(Path(folder) / f"codes-{half}.npy", part)
        np.save(codebook, rng.normal(size=(256, arguments.channels)))
        tokens = te.Tokens(path=codes, codebook=codebook)
        ways = {
            "two workers": lambda: te.distributed.order_compare(
                tokens, ORDERS, client, shares=arguments.shards, **options),
            "one process": lambda: te.distributed.order_compare(tokens, ORDERS, client=False, **options),
            "halves apart": lambda: halves_apart(Path(folder), arguments.precision),
        }
        for _ in range(arguments.runs):
            totals = {}
            for name, way in ways.items():
                start = time.perf_counter()
                totals[name] = way()
                seconds[name].append(time.perf_counter() - start)
            for order in ORDERS:
                a, b = (float(found[order].total) for found in (totals["two workers"], totals["one process"]))
                # Sums in double precision in two groupings; mixed precision moves each token's entropy by 10^-6 nats.
                tolerance = 1e-9 * max(1, abs(b)) if arguments.precision == "double" else 1e-6 * arguments.side ** 2
                assert abs(a - b) <= tolerance, (order, a, b)
    ratios, bounds = (sorted(one / two for one, two in zip(seconds["one process"], seconds[name]))
                      for name in ("two workers", "halves apart"))
    dimensions = arguments.side ** 2 * arguments.channels
    found = {
        "images": arguments.images, "dimensions": dimensions, "shards": arguments.shards,
        "seconds": seconds, "ratio": statistics.median(ratios), "ratio_range": [ratios[0], ratios[-1]],
        "bound": statistics.median(bounds), "bound_range": [bounds[0], bounds[-1]],
    }
    if arguments.json:
        print(json.dumps(found))
        return
    print(f"{arguments.images:,} images, D = {dimensions:,}, {arguments.shards} shards, {arguments.precision} precision")
    for name, times in seconds.items():
        print(f"{name:<14} {statistics.median(times):8.2f} s  ({min(times):.2f} to {max(times):.2f})")
    for name, all_ratios in (("two workers", ratios), ("halves apart", bounds)):
        print(f"{name} are {statistics.median(all_ratios):.2f}x one process ({all_ratios[0]:.2f} to"
              f" {all_ratios[-1]:.2f}, {len(all_ratios)} runs)")


if __name__ == "__main__":
    main()
