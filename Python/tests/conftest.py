"""Small data for all tests, seeded."""

import numpy as np
import numpy.typing as npt
import pytest

import token_entropy as te

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@pytest.fixture(scope="session")
def codes() -> IntArray:
    """Codes of 400 images of 4x4 cells, in which cells lean on their left neighbours."""
    rng = np.random.default_rng(1)
    result = rng.integers(0, 32, (400, 4, 4))
    for column in range(1, 4):
        same = rng.random((400, 4)) < 0.6
        result[:, :, column] = np.where(same, result[:, :, column - 1], result[:, :, column])
    return result


@pytest.fixture(scope="session")
def codebook() -> FloatArray:
    """32 entries of 2 channels."""
    return np.random.default_rng(2).normal(size=(32, 2))


@pytest.fixture(scope="session")
def tokens(codes: IntArray, codebook: FloatArray) -> te.Tokens:
    """The codes with their codebook."""
    return te.Tokens(codes, codebook, labels=np.arange(400) % 2)
