#!/usr/bin/env python3
"""What orders lose on a set in shards, on the workers of a Dask cluster.

    python dask_run.py codes.h5 raster distant --shards 32 --scheduler tcp://head:8786

Without a scheduler two worker processes are started here. Writes what ``order-compare --json`` says. With --directory,
which all workers see, a run that was stopped goes on when called again.
"""
import argparse
import json
import sys
from pathlib import Path

import dask
from dask.distributed import Client, LocalCluster

import token_entropy as te

# Workers only wait for programs: there is no Python to be profiled, and nothing to be looked at fifty times a second.
QUIET = {"distributed.worker.profile.enabled": False, "distributed.admin.tick.interval": "1s"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tokens", help="a file, as workers see it")
    parser.add_argument("orders", nargs="+")
    parser.add_argument("--codebook", help="what codes in an array mean")
    parser.add_argument("--given", help="class: entropies given the label")
    parser.add_argument("--shards", type=int, default=4)
    parser.add_argument("--threads", type=int, default=1, help="of every program")
    parser.add_argument("--scheduler", help="the address of a cluster's scheduler")
    parser.add_argument("--directory", help="a folder of all workers, to keep files of sums in")
    parser.add_argument("--output", default="result.json")
    arguments = parser.parse_args()
    if not Path(arguments.output).absolute().parent.is_dir():
        # Now, rather than after all shards.
        parser.error(f"--output {arguments.output}: there is no such folder")

    # Slurm's, Kubernetes' and other clusters are started by dask-jobqueue, dask-kubernetes and so on.
    # They take these settings from a file, or from DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED=False and so on.
    dask.config.set(QUIET)
    cluster = arguments.scheduler or LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
    with Client(cluster) as client:
        result = te.distributed.order_compare(
            arguments.tokens, arguments.orders, client, shares=arguments.shards, codebook=arguments.codebook,
            given=arguments.given, threads=arguments.threads, directory=arguments.directory)
    if not arguments.scheduler:
        cluster.close()
    print(result)
    with open(arguments.output, "w", encoding="utf-8") as file:
        json.dump(result.to_json(), file)


if __name__ == "__main__":
    try:
        main()
    except te.ProgramError as error:
        # One sentence, as the program says it.
        sys.exit(f"dask_run.py: {error}")
