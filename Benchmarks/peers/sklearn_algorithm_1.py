#!/usr/bin/env python3
"""Algorithm 1 of the paper as it is written: one LinearRegression for each token and context, with scikit-learn.

`order-compare raster distant` needs 2 · 2 · 576 conditional entropies. At hours for all of them, a dozen and a half
contexts from the shortest to the longest are fitted and timed, and the time of the others is read off a curve through
those: least squares on m images and p predictors costs m·p² + p³ and something fixed. The result says which fits were
timed. The entropies are compared with `order-compare`'s own, from the same scatter with numpy.

    python3 sklearn_algorithm_1.py TOKENS.h5 [--contexts 16] [--limit-seconds 420]
"""
import argparse
import json
import sys
import time

import h5py
import numpy as np
from sklearn.linear_model import LinearRegression


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("tokens")
    arguments.add_argument("--contexts", type=int, default=16)
    arguments.add_argument("--limit-seconds", type=float, default=420)
    options = arguments.parse_args()
    with h5py.File(options.tokens) as file:
        codes, codebook = file["codes"][:], file["codebook"][:].astype(np.float64)
    images, rows, columns = codes.shape
    tokens, channels = rows * columns, codebook.shape[1]
    features = codebook[codes.reshape(images, tokens)]  # images × tokens × channels

    # Raster contexts, evenly spread; the longest take the most time, so the shortest come first.
    lengths = np.unique(np.linspace(1, tokens - 1, options.contexts).round().astype(int))
    measured, entropies, start = [], [], time.perf_counter()
    for length in lengths:
        begin = time.perf_counter()
        x = features[:, :length].reshape(images, -1)
        y = features[:, length]
        residuals = y - LinearRegression().fit(x, y).predict(x)
        covariance = residuals.T @ residuals / images
        entropy = 0.5 * (channels * np.log(2 * np.pi * np.e) + np.linalg.slogdet(covariance)[1])
        measured.append({"predictors": int(length * channels), "seconds": time.perf_counter() - begin})
        entropies.append(entropy)
        longest = measured[-1]["seconds"]
        if len(measured) >= 12 and time.perf_counter() - start + 1.5 * longest > options.limit_seconds:
            break

    # seconds ≈ a + b·(m·p² + p³), by least squares on the relative error.
    predictors = np.array([fit["predictors"] for fit in measured], float)
    seconds = np.array([fit["seconds"] for fit in measured])
    design = np.stack([np.ones_like(predictors), images * predictors ** 2 + predictors ** 3], 1)
    a, b = np.linalg.lstsq(design / seconds[:, None], np.ones_like(seconds), rcond=None)[0]
    p = np.arange(tokens) * channels
    one_order = np.sum(np.maximum(a, 0) + b * (images * p ** 2.0 + p ** 3.0))

    # The same entropies from one factorisation.
    centred = (features - features.mean(0)).reshape(images, -1)
    lower = np.linalg.cholesky(centred.T @ centred)
    logs = 2 * np.log(np.diag(lower)).reshape(tokens, channels).sum(1)
    expected = 0.5 * (channels * np.log(2 * np.pi * np.e / images) + logs)
    difference = max(abs(e - expected[l]) for e, l in zip(entropies, lengths))
    json.dump({
        # Sequential and parallel contexts of two orders; parallel contexts are hardly shorter.
        "regressions": 4 * tokens, "measured": measured,
        "extrapolated_seconds": float(4 * one_order), "largest_difference": float(difference)},
        sys.stdout)


if __name__ == "__main__":
    main()
