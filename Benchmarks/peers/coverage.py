#!/usr/bin/env python3
"""How often 95% intervals from disjoint parts of a dataset's images cover what all images say.

Keeps the leading principal components of the codebook as it is used, draws the images in another order for every seed, runs
`order-compare --json` on each part and on all, and prints for every total, paired difference from the first order and joint
entropy: the value of all images, the mean of the parts, their spread, the error that they say, and the share of intervals that
cover.

    python3 coverage.py ORDER-COMPARE TOKENS.h5 --channels 4 --parts 10 --seeds 6 [ORDER ...]
"""
import argparse
import json
import os
import subprocess
import tempfile

import h5py
import numpy as np


def reduced(codes, codebook, channels):
    counts = np.bincount(codes.ravel(), minlength=len(codebook))
    centred = codebook - counts @ codebook / counts.sum()
    vectors = np.linalg.eigh((centred * counts[:, None]).T @ centred)[1][:, ::-1]
    return (centred @ vectors[:, :channels]).astype("f4")


def quantities(result):
    pairs = [(o["total_increase"], o["total_increase_standard_error"]) for o in result["orders"]]
    pairs += [(o["difference_from_first"], o["difference_from_first_standard_error"])
              for o in result["orders"][1:]]
    return np.array(pairs + [(result["joint_entropy"], result["joint_entropy_standard_error"])])


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("program")
    arguments.add_argument("tokens")
    arguments.add_argument("orders", nargs="*", default=[
        "raster", "distant", "distant:n=16", "halton", "blocks", "random:n=9"])
    arguments.add_argument("--channels", type=int, default=4)
    arguments.add_argument("--parts", type=int, default=10)
    arguments.add_argument("--seeds", type=int, default=6)
    options = arguments.parse_intermixed_args()
    with h5py.File(options.tokens) as file:
        codes, codebook = file["codes"][:], file["codebook"][:].astype(np.float64)
    codebook = reduced(codes, codebook, options.channels)
    environment = {k: v for k, v in os.environ.items() if k != "OPENBLAS_CORETYPE"}

    def run(images):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "part.h5")
            with h5py.File(path, "w") as file:
                file["codes"], file["codebook"] = codes[images], codebook
            output = subprocess.run(
                [options.program, *options.orders, "--tokens", path, "--json"],
                capture_output=True, check=True, env=environment).stdout
        return quantities(json.loads(output))

    m, k = len(codes), options.parts
    everything = run(np.arange(m))
    seeds = []
    for seed in range(1, options.seeds + 1):
        order = np.random.default_rng(seed).permutation(m)
        seeds.append([run(np.sort(order[i * m // k:(i + 1) * m // k])) for i in range(k)])
    values = np.array(seeds)  # seeds x parts x quantities x (value, error)
    names = options.orders + [f"{o} - {options.orders[0]}" for o in options.orders[1:]] + ["joint"]
    print(f"{m // k} images a part, {m / k / (codes[0].size * options.channels):.2f} for each number")
    for j, name in enumerate(names):
        value, error = values[:, :, j, 0], values[:, :, j, 1]
        # A part is itself in the whole.
        z = (value - everything[j, 0]) / (error * np.sqrt(1 - 1 / k))
        spread = np.sqrt(value.var(axis=1, ddof=1).mean())
        print(f"{name:24s} all {everything[j, 0]:9.3f} parts {value.mean():9.3f} spread {spread:.3f}"
              f" said {np.sqrt((error ** 2).mean()):.3f} covered {np.mean(abs(z) < 1.96):.3f} of {z.size}")


if __name__ == "__main__":
    main()
