"""Distances agree with independent computations from the formulas of those who published them."""

import numpy as np
import pytest
from scipy import linalg

import token_entropy as te
from conftest import FloatArray


def features(seed: int, count: int, dimensions: int, shift: float = 0) -> FloatArray:
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(9).normal(size=(dimensions, dimensions)) / np.sqrt(dimensions)
    # The program reads single precision: the same numbers for both.
    values = (rng.normal(size=(count, dimensions)) @ mixing + shift).astype(np.float32)
    return np.asarray(values, np.float64)


def frechet_by_square_root(x: FloatArray, y: FloatArray) -> float:
    """As pytorch-fid, torch-fidelity and clean-fid compute it: a square root of the product of numpy's covariances."""
    a, b = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    root = np.asarray(linalg.sqrtm(a @ b)).real
    return float(((x.mean(0) - y.mean(0))**2).sum() + np.trace(a) + np.trace(b) - 2 * np.trace(root))


def kernel_distance(x: FloatArray, y: FloatArray) -> float:
    """Unbiased squared MMD of the kernel (x·y/d + 1)³ (Binkowski et al., 2018) over all samples."""
    def kernel(a: FloatArray, b: FloatArray) -> FloatArray:
        return np.asarray((a @ b.T / a.shape[1] + 1)**3)

    n, m = len(x), len(y)
    xx, yy = kernel(x, x), kernel(y, y)
    return float((xx.sum() - np.trace(xx)) / (n * (n - 1)) + (yy.sum() - np.trace(yy)) / (m * (m - 1))
                 - 2 * kernel(x, y).mean())


def neighbor_metrics(x: FloatArray, y: FloatArray, k: int) -> dict[str, float]:
    """As Kynkäänniemi et al. (2019) and Naeem et al. (2020) define them, from full tables of distances."""
    def distances(a: FloatArray, b: FloatArray) -> FloatArray:
        return np.asarray(np.sqrt(((a[:, None] - b[None])**2).sum(-1)))

    own_x, own_y, across = distances(x, x), distances(y, y), distances(x, y)
    rx, ry = np.sort(own_x, 1)[:, k], np.sort(own_y, 1)[:, k]
    inside = across <= rx[:, None]
    return {"precision": inside.any(0).mean(), "recall": (across <= ry[None]).any(1).mean(),
            "density": inside.sum() / (k * len(y)), "coverage": inside.any(1).mean()}


@pytest.mark.parametrize("dimensions", [3, 40])
def test_agrees_with_the_formulas(dimensions: int) -> None:
    x, y = features(1, 600, dimensions), features(2, 500, dimensions, 0.3)
    q = te.frechet(x, y)
    assert float(q.fd) == pytest.approx(frechet_by_square_root(x, y), rel=1e-6)
    assert float(q.kid) == pytest.approx(kernel_distance(x, y), rel=1e-6, abs=1e-6)
    for k in (3, 5):
        for name, value in neighbor_metrics(x, y, k).items():
            found = getattr(q, name)[k]
            assert float(found) == pytest.approx(value, abs=1e-12), (name, k)
            assert 0 <= found.standard_error < 0.2
    assert q.images == (600, 500) and q.rank == (dimensions, dimensions) and q.dimensions == dimensions
    assert q.kid.standard_error > 0 and q.fd_corrected.standard_error > 0
    # The second set is the first's law moved by 0.3 in every dimension.
    assert abs(q.fd_infinity - 0.09 * dimensions) < 6 * q.fd_infinity.standard_error


def test_few_images_have_no_full_rank() -> None:
    x, y = features(1, 60, 100), features(2, 60, 100)
    q = te.frechet(x, y, no_neighbor_errors=True)
    assert q.rank == (59, 59)
    # Of singular covariances by the nuclear norm of the product of their factors, which needs no root of a matrix.
    a, b = (z - z.mean(0) for z in (x, y))
    nuclear = np.linalg.norm(a @ b.T, "nuc") / 59
    expected = ((x.mean(0) - y.mean(0))**2).sum() + (a**2).sum() / 59 + (b**2).sum() / 59 - 2 * nuclear
    assert float(q.fd) == pytest.approx(expected, rel=1e-6)
    assert np.isnan(q.fd_infinity) and np.isnan(q.precision[3].standard_error)


def test_statistics_of_other_programs_are_read(tmp_path: object) -> None:
    x, y = features(1, 600, 5), features(2, 500, 5, 0.3)
    statistics = f"{tmp_path}/adm.npz"
    np.savez(statistics, mu=x.mean(0), sigma=np.cov(x, rowvar=False), mu_s=y.mean(0), sigma_s=np.cov(y, rowvar=False),
             arr_0=np.zeros((2, 4, 4, 3), np.uint8))
    q = te.frechet(statistics, y)
    assert float(q.fd) == pytest.approx(frechet_by_square_root(x, y), rel=1e-6)
    assert q.images == (None, 500) and np.isnan(q.kid) and not q.precision
    assert float(te.frechet(statistics, y, spatial=True).fd) == pytest.approx(0, abs=1e-9)


def test_bad_features_are_one_sentence(tmp_path: object) -> None:
    x = features(1, 100, 4)
    with pytest.raises(te.ProgramError, match="4 and 3 dimensions"):
        te.frechet(x, x[:, :3])
    nan = x.copy()
    nan[7, 1] = np.nan
    with pytest.raises(te.ProgramError, match="y.npy: a feature of image 7"):
        te.frechet(x, nan)
    with pytest.raises(te.ProgramError, match="10 images are too few"):
        te.frechet(x, x[:10])
    images = f"{tmp_path}/images.npz"
    np.savez(images, arr_0=np.zeros((8, 4, 4, 3), np.uint8))
    with pytest.raises(te.UsageError, match="holds images; give the features that a network makes of them"):
        te.frechet(images, x)
