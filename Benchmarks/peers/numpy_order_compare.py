#!/usr/bin/env python3
"""Entropy increase of the raster and distant orders with numpy: the same idea, one Cholesky factorisation an order.

Float64 throughout, BLAS and LAPACK through numpy and SciPy, no Python loop over images, and over tokens only around array
operations. `--bound debiased` (default) adds the triangular solve that whitens all images and the sums weighted by
leverages, with the standard error of the total; `wishart` is the closed form. Prints the totals as JSON, for comparison
with `order-compare raster distant --json`.

    python3 numpy_order_compare.py TOKENS.h5 [--tokens-per-step 4] [--bound debiased]
"""
import argparse
import json
import sys

import h5py
import numpy as np
from scipy.linalg import solve_triangular
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


def wishart(log_determinant, images, channels, predictors):
    """Unbiased entropy of Gaussian residuals from the log-determinant of their scatter."""
    freedom = images - 1 - np.asarray(predictors)
    expected = sum(digamma((freedom - i) / 2) for i in range(channels)) + channels * np.log(2)
    return 0.5 * (channels * np.log(2 * np.pi * np.e) + log_determinant - expected)


def weighted(residuals, leverages, predictors, corrects_noise=True):
    """What the debiased entropy is above Wishart's, and the images' influences on it.

    residuals: channels x images, whitened by their own scatter.
    """
    channels, images = residuals.shape
    freedom = images - 1 - predictors

    def result(weights):
        scatter = (residuals * weights) @ residuals.T
        sign, log_determinant = np.linalg.slogdet(scatter)
        if sign <= 0 or np.linalg.eigvalsh(scatter)[0] <= 0:
            return None
        half = np.linalg.solve(np.linalg.cholesky(scatter), residuals)
        influences = 0.5 * images * weights * np.einsum("ci,ci->i", half, half)
        noise = (4 * np.mean(influences ** 2) - channels) / (freedom * channels)
        correction = 0.5 * (log_determinant + channels * np.log(freedom / images))
        if corrects_noise:
            correction += 0.25 * channels * (np.log1p(noise) - np.log1p((channels + 1) / freedom))
        return correction, influences * np.sqrt(images / freedom), noise

    excess = leverages / (1 - leverages)
    ratio = excess.sum() / (predictors + 1)
    return result(1 / (1 - leverages) ** 2 - ratio * excess), lambda: result(1 + excess)


def profile(scatter, features, steps, channels, bound):
    images = features.shape[0]
    sequence = np.concatenate(steps)
    coordinates = (sequence[:, None] * channels + np.arange(channels)).ravel()
    lower = np.linalg.cholesky(scatter[np.ix_(coordinates, coordinates)])
    tokens = len(sequence)
    diagonal = np.log(np.diag(lower)).reshape(tokens, channels)
    position = np.arange(tokens)
    sequential = wishart(2 * diagonal.sum(1), images, channels, position * channels)
    parallel = sequential.copy()
    error = None
    # "weights": the leverage weights alone, without what is done about their noise.
    takes_pass = bound in ("debiased", "weights")
    if takes_pass:
        white = solve_triangular(
            lower, features[:, coordinates].T, lower=True, overwrite_b=True, check_finite=False)
        lengths = np.einsum("tci,tci->ti", *[white.reshape(tokens, channels, images)] * 2)
        leverages = np.concatenate([np.zeros((1, images)), np.cumsum(lengths, 0)]) + 1 / images
        total = np.zeros(images)
        least = 0
    first = 0
    for step in steps:
        size = len(step)
        if size > 1:
            block = slice(first * channels, (first + size) * channels)
            rows = np.tril(lower[block, block]).reshape(size, channels, size * channels)
            covariance = rows @ rows.transpose(0, 2, 1)
            determinant = np.linalg.slogdet(covariance)[1]
            values = wishart(determinant, images, channels, first * channels)
            parallel[first + 1:first + size] = values[1:]
        for index in range(size) if takes_pass else []:
            k = first + index
            own = white[k * channels:(k + 1) * channels]
            pairs = [weighted(own, leverages[k], k * channels, bound == "debiased")]
            if index > 0:
                half = np.linalg.solve(
                    np.linalg.cholesky(covariance[index]), rows[index] @ white[block])
                pairs.append(
                    weighted(half, leverages[first], first * channels, bound == "debiased"))
            found = [pair[0] for pair in pairs]
            if any(v is None or bound == "debiased" and v[2] > 0.5 for v in found):
                found = [pair[1]() for pair in pairs]
            sequential[k] += found[0][0]
            parallel[k] += found[-1][0]
            if index > 0:
                total += found[1][1] - found[0][1]
                freedom = images - 1 - k * channels, images - 1 - first * channels
                least += channels ** 2 * index / (2 * freedom[0] * freedom[1])
        first += size
    if takes_pass:
        variance = total.var(ddof=1) / images
        error = float(np.sqrt(max(variance - least, least)))
    result = np.empty((2, tokens))
    result[0, sequence], result[1, sequence] = sequential, parallel
    return result, error


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("tokens")
    arguments.add_argument("--tokens-per-step", type=int, default=4)
    arguments.add_argument("--bound", choices=["debiased", "wishart"], default="debiased")
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
        (sequential, parallel), error = profile(
            scatter, features, steps, channels, options.bound)
        orders.append({
            "name": name, "steps": len(steps), "total_increase": float((parallel - sequential).sum()),
            "total_increase_standard_error": error,
            "sequential": sequential.reshape(rows, columns).tolist(),
            "parallel": parallel.reshape(rows, columns).tolist()})
    json.dump({"orders": orders}, sys.stdout)


if __name__ == "__main__":
    main()
