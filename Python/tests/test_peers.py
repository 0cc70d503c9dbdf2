"""Distances agree with those of pytorch-fid, torch-fidelity and clean-fid on the same features.

Their functions are taken out of the installed packages as they are: the rest of their modules loads networks of gigabytes,
which have no part in the formulas.
"""

import ast
import importlib.util
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import linalg

import token_entropy as te
from conftest import FloatArray


def functions(package: str, file: str, *names: str, **known: Any) -> list[Callable[..., Any]]:
    """Functions of a module that is not imported, with what they know of it."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        pytest.skip(f"{package} is not installed")
    source = (Path(list(spec.submodule_search_locations)[0]) / file).read_text()
    tree = ast.parse(source)
    tree.body = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name in names]
    space: dict[str, Any] = {"np": np, "linalg": linalg, **known}
    exec(compile(tree, f"{package}/{file}", "exec"), space)
    return [space[name] for name in names]


def features(seed: int, count: int, dimensions: int, shift: float = 0) -> FloatArray:
    """Features as a network makes them: not negative, of very different variances, and of single precision."""
    rng = np.random.default_rng(seed)
    scale = np.geomspace(0.05, 2, dimensions)
    mixing = np.random.default_rng(7).normal(size=(dimensions, dimensions)) / np.sqrt(dimensions)
    values = np.maximum(rng.normal(size=(count, dimensions)) @ mixing + shift, 0) * scale
    return np.asarray(values.astype(np.float32), np.float64)


X, Y = features(1, 900, 64), features(2, 900, 64, 0.2)


def statistics(x: FloatArray) -> tuple[FloatArray, FloatArray]:
    return x.mean(0), np.cov(x, rowvar=False)


@pytest.mark.parametrize("package, file, name", [
    ("pytorch_fid", "fid_score.py", "calculate_frechet_distance"),
    ("cleanfid", "fid.py", "frechet_distance"),
])
def test_fd_by_a_square_root(package: str, file: str, name: str) -> None:
    distance, = functions(package, file, name)
    with warnings.catch_warnings():
        # An argument of SciPy's that it will not have for ever.
        warnings.simplefilter("ignore")
        expected = float(distance(*statistics(X), *statistics(Y)))
    assert expected > 0.1
    assert float(te.frechet(X, Y, no_neighbor_errors=True).fd) == pytest.approx(expected, rel=1e-6)


def test_fd_by_eigenvalues() -> None:
    distance, = functions("torch_fidelity", "metric_fid.py", "fid_statistics_to_metric", vprint=lambda *_: None,
                          KEY_METRIC_FID="fid")
    a, b = ({"mu": mu, "sigma": sigma} for mu, sigma in map(statistics, (X, Y)))
    expected = distance(a, b, False)["fid"]
    assert float(te.frechet(X, Y, no_neighbor_errors=True).fd) == pytest.approx(expected, rel=1e-6)


def test_kid_of_all_samples() -> None:
    """The others take a mean over random subsets; a subset of all samples is what is measured here."""
    found = float(te.frechet(X, Y, no_neighbor_errors=True).kid)
    options = {"kid_kernel": "poly", "kid_kernel_poly_degree": 3, "kid_kernel_poly_gamma": None,
               "kid_kernel_poly_coef0": 1}
    mmd, *_ = functions("torch_fidelity", "metric_kid.py", "kernel_mmd", "kernel_poly", "kernel_rbf", "mmd2",
                        get_kwarg=lambda name, given: given[name], vassert=lambda *_: None)
    assert found == pytest.approx(float(mmd(X, Y, **options)), rel=1e-6)


def test_kid_of_clean_fid() -> None:
    kernel, = functions("cleanfid", "fid.py", "kernel_distance")
    expected = kernel(X, Y, num_subsets=1, max_subset_size=len(X))
    assert float(te.frechet(X, Y, no_neighbor_errors=True).kid) == pytest.approx(expected, rel=1e-6)


def test_their_files_are_read(tmp_path: Path) -> None:
    """The archives that pytorch-fid and ADM's evaluator keep: mu and sigma, and those of sFID."""
    (mu, sigma), (mu_s, sigma_s) = statistics(X), statistics(Y)
    np.savez_compressed(tmp_path / "fid.npz", mu=mu, sigma=sigma)
    np.savez(tmp_path / "adm.npz", mu=mu, sigma=sigma, mu_s=mu_s, sigma_s=sigma_s,
             arr_0=np.zeros((3, 8, 8, 3), np.uint8))
    expected = float(te.frechet(X, Y, no_neighbor_errors=True).fd)
    for file in ("fid.npz", "adm.npz"):
        assert float(te.frechet(tmp_path / file, Y).fd) == pytest.approx(expected, rel=1e-6)
    assert float(te.frechet(Y, tmp_path / "adm.npz", spatial=True).fd) == pytest.approx(0, abs=1e-6)


def test_images_are_read_in_every_form(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    x, y = (rng.integers(low, 200 + low, (30, 12, 10, 3)).astype(np.uint8) for low in (0, 40))
    np.savez(tmp_path / "x.npz", x)
    np.savez_compressed(tmp_path / "y.npz", arr_0=y, arr_1=np.zeros(30, np.int64))
    memory = te.frechet(x, y, extractor="pixels")
    files = te.frechet(tmp_path / "x.npz", tmp_path / "y.npz", extractor="pixels")
    assert float(memory.fd) == float(files.fd) and memory.dimensions == 224
    assert memory.result["extractor"] == "pixels"
    with pytest.raises(te.UsageError, match="holds images; give the features that a network makes"):
        te.frechet(x, y)
    with pytest.raises(te.ProgramError, match="images of unsigned bytes"):
        te.frechet(x / 255.0, y, extractor="pixels")
