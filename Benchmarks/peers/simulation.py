#!/usr/bin/env python3
"""Mean errors of total increases where the truth is known: a Gaussian field of 4x8 tokens of 8 channels, each image times a
log-normal number, in the order `distant` with four tokens a step.

Prints the mean error of Wishart's closed form, of the leverage weights alone, and of the weights with the correction for noise
and the fallback, with the routines of numpy_order_compare.py.

    python3 simulation.py [--repetitions 40] [--sigmas 0.3,0.5] [--images 300,330,400,512]
"""
import argparse

import numpy as np

from numpy_order_compare import distant, profile

ROWS, COLUMNS, CHANNELS = 4, 8, 8
TOKENS = ROWS * COLUMNS


def covariance():
    y, x = np.divmod(np.arange(TOKENS), COLUMNS)
    distance = np.hypot(y[:, None] - y, x[:, None] - x)
    scale = np.arange(1, CHANNELS + 1)
    mix = np.where(np.eye(CHANNELS, dtype=bool), 1, 0.3) * np.outer(scale, scale)
    return np.kron(np.exp(-distance / 2), mix) + 0.05 * np.eye(TOKENS * CHANNELS)


def total(scatter, features, steps, bound):
    (sequential, parallel), _ = profile(scatter, features, steps, CHANNELS, bound)
    return (parallel - sequential).sum()


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--repetitions", type=int, default=40)
    arguments.add_argument("--sigmas", default="0.3,0.5")
    arguments.add_argument("--images", default="300,330,400,512")
    arguments.add_argument("--seed", type=int, default=3)
    options = arguments.parse_args()
    steps = distant(ROWS, COLUMNS, 4)
    truth_scatter = covariance()
    lower = np.linalg.cholesky(truth_scatter)
    # The closed form of a huge number of images is the truth.
    many = 10 ** 9
    truth = total(truth_scatter * many, np.empty((many, 0), dtype=np.int8), steps, "wishart")
    generator = np.random.default_rng(options.seed)
    print(f"true total increase {truth:.3f} nats")
    for sigma in map(float, options.sigmas.split(",")):
        for images in map(int, options.images.split(",")):
            errors = []
            for _ in range(options.repetitions):
                features = generator.standard_normal((images, TOKENS * CHANNELS)) @ lower.T
                features *= np.exp(sigma * generator.standard_normal((images, 1)))
                features -= features.mean(0)
                scatter = features.T @ features
                errors.append([
                    total(scatter, features, steps, bound) - truth
                    for bound in ("wishart", "weights", "debiased")])
            errors = np.array(errors)
            print(f"sigma {sigma}, {images / TOKENS / CHANNELS:.2f} images a number:", ", ".join(
                f"{name} {column.mean():.2f} ± {column.std(ddof=1) / len(column) ** 0.5:.2f}"
                for name, column in zip(("wishart", "weights", "debiased"), errors.T)), flush=True)


if __name__ == "__main__":
    main()
