"""The Fréchet distance as pytorch-fid computes it, with scipy.linalg.sqrtm: what `Benchmarks/run metrics` is compared with.

Reads two files of statistics (mu, sigma), then obeys lines on standard input: "sqrtm" takes the square root of the product of
the covariances, "eigvals" sums the roots of its eigenvalues instead. Each prints the seconds and the distance.
"""
import sys
import time

import numpy
import scipy
import scipy.linalg


def main():
    (mu1, sigma1), (mu2, sigma2) = (
        (file["mu"], file["sigma"]) for file in map(numpy.load, sys.argv[1:3]))
    print(f"SciPy {scipy.__version__}, numpy {numpy.__version__}", flush=True)
    for line in sys.stdin:
        start = time.perf_counter()
        if line.strip() == "sqrtm":
            trace = numpy.trace(scipy.linalg.sqrtm(sigma1.dot(sigma2))).real
        else:
            trace = numpy.sqrt(scipy.linalg.eigvals(sigma1.dot(sigma2)).astype(complex)).real.sum()
        difference = mu1 - mu2
        distance = difference.dot(difference) + numpy.trace(sigma1) + numpy.trace(sigma2) - 2 * trace
        print(time.perf_counter() - start, repr(float(distance)), flush=True)


main()
