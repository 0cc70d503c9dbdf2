#!/usr/bin/env python3
"""Entropy increase of the raster and distant orders with numpy: the same idea, one Cholesky factorisation an order.

Float64 throughout, BLAS and LAPACK through numpy, no Python loop over images or tokens where an array operation does
it. Prints the totals as JSON, for comparison with `order-compare raster distant --json`.

    python3 numpy_order_compare.py TOKENS.h5 [--tokens-per-step 4]
"""
import argparse
import json
import sys

import h5py
import numpy as np
from scipy.special import digamma


def raster(rows, columns, n):
    cells = np.arange(rows * columns)
    return [[c] for c in cells[:n]] + [list(cells[i:i + n]) for i in range(n, len(cells), n)]


def distant(rows, columns, n):
    s = int(round(n ** 0.5))
    height, width = rows // s, columns // s
    steps = [
        [(i * height + a) * columns + j * width + b for i in range(s) for j in range(s)]
        for a in range(height) for b in range(width)
    ]
    return [[c] for c in steps[0]] + steps[1:]


def debiased(log_determinant, images, channels, predictors):
    """Unbiased entropy of Gaussian residuals from the log-determinant of their scatter."""
    freedom = images - 1 - np.asarray(predictors)
    expected = sum(digamma((freedom - i) / 2) for i in range(channels)) + channels * np.log(2)
    return 0.5 * (channels * np.log(2 * np.pi * np.e) + log_determinant - expected)


def profile(scatter, steps, images, channels):
    sequence = np.concatenate(steps)
    coordinates = (sequence[:, None] * channels + np.arange(channels)).ravel()
    lower = np.linalg.cholesky(scatter[np.ix_(coordinates, coordinates)])
    tokens = len(sequence)
    diagonal = np.log(np.diag(lower)).reshape(tokens, channels)
    position = np.arange(tokens)
    sequential = debiased(2 * diagonal.sum(1), images, channels, position * channels)
    parallel = sequential.copy()
    first = 0
    for step in steps:
        size = len(step)
        if size > 1:
            block = slice(first * channels, (first + size) * channels)
            rows = np.tril(lower[block, block]).reshape(size, channels, size * channels)
            covariance = rows @ rows.transpose(0, 2, 1)
            determinant = np.linalg.slogdet(covariance)[1]
            values = debiased(determinant, images, channels, first * channels)
            parallel[first + 1:first + size] = values[1:]
        first += size
    result = np.empty((2, tokens))
    result[0, sequence], result[1, sequence] = sequential, parallel
    return result


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("tokens")
    arguments.add_argument("--tokens-per-step", type=int, default=4)
    options = arguments.parse_args()
    with h5py.File(options.tokens) as file:
        codes, codebook = file["codes"][:], file["codebook"][:].astype(np.float64)
    images, rows, columns = codes.shape
    channels = codebook.shape[1]
    features = codebook[codes.reshape(images, -1)].reshape(images, -1)
    features -= features.mean(0)
    scatter = features.T @ features  # numpy calls dsyrk for a matrix times its own transpose
    orders = []
    for name, family in (("raster", raster), ("distant", distant)):
        steps = family(rows, columns, options.tokens_per_step)
        sequential, parallel = profile(scatter, steps, images, channels)
        orders.append({
            "name": name, "steps": len(steps), "total_increase": float((parallel - sequential).sum()),
            "sequential": sequential.reshape(rows, columns).tolist(),
            "parallel": parallel.reshape(rows, columns).tolist()})
    json.dump({"orders": orders}, sys.stdout)


if __name__ == "__main__":
    main()
