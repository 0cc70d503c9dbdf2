"""Results are the program's own numbers, print usefully and become figures and data frames."""

import dataclasses
import pickle
from pathlib import Path

import numpy as np
import pytest

import token_entropy as te
from conftest import FloatArray, IntArray

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("agg")


def test_maps_are_those_of_the_command(tokens: te.Tokens, codes: IntArray, codebook: FloatArray,
                                       tmp_path: Path) -> None:
    np.save(tmp_path / "codes.npy", codes)
    np.save(tmp_path / "book.npy", codebook)
    files = ["--tokens", str(tmp_path / "codes.npy"), "--codebook", str(tmp_path / "book.npy")]
    result = te.run("entropy-map", "--ref", "1,2", *files)
    m = te.entropy_map(tokens, ref=(1, 2))
    assert m.entropy.shape == (4, 4) and m.entropy.dtype == np.float64
    assert np.isnan(m.entropy[1, 2]) and np.isnan(m.entropy).sum() == 1
    found = np.array(result["maps"][0]["entropy"], dtype=object).astype(float)
    assert np.array_equal(m.entropy, found, equal_nan=True)
    np.testing.assert_allclose(m.entropy, m.marginal - m.information, atol=1e-12)
    assert m.reference == (1, 2) and "400 images" in repr(m)
    assert len(te.entropy_maps(tokens, "all")) == 16
    bits = te.entropy_map(tokens, ref=(1, 2), units="bits")
    np.testing.assert_allclose(bits.information * np.log(2), m.information, rtol=1e-12)


def test_arrays_in_a_file_are_those_of_json(codes: IntArray, codebook: FloatArray, tmp_path: Path) -> None:
    np.save(tmp_path / "codes.npy", codes)
    np.save(tmp_path / "book.npy", codebook)
    tokens = ["--tokens", str(tmp_path / "codes.npy"), "--codebook", str(tmp_path / "book.npy")]
    files = {"maps": tmp_path / "maps.npz", "orders": tmp_path / "orders.npz"}
    maps = te.run("entropy-map", "--all", *tokens, "--output", str(files["maps"]))
    orders = te.run("order-compare", "raster", "diagonal", *tokens, "--output", str(files["orders"]))
    for kind, result in (("maps", maps), ("orders", orders)):
        with np.load(files[kind]) as arrays:
            assert b'"schema_version":' in arrays["facts"][0]
            names = [name.partition("/")[2] for name in arrays if name.startswith(kind + "/")]
            assert len(names) >= 5
            for name in names:
                if name == "name":
                    continue
                for row, one in zip(arrays[f"{kind}/{name}"], result[kind]):
                    expected = np.atleast_1d(np.array(one.get(name, np.nan), dtype=object).astype(float))
                    found = np.atleast_1d(row)[:len(expected)]
                    np.testing.assert_array_equal(found, expected, err_msg=name)
    h5py = pytest.importorskip("h5py")
    te.run("entropy-map", "--ref", "1,1", *tokens, "--output", str(tmp_path / "one.h5"))
    with h5py.File(tmp_path / "one.h5") as file, np.load(files["maps"]) as arrays:
        np.testing.assert_array_equal(file["maps/entropy"][0], arrays["maps/entropy"][5])


def test_comparisons_are_mappings(tokens: te.Tokens) -> None:
    columns = te.Order.from_table([[1, 2, 3, 4]] * 4, name="columns")
    r = te.order_compare(tokens, ["raster", "diagonal", columns])
    assert list(r) == ["raster", "diagonal", "columns"] and len(r) == 3
    assert float(r["columns"].total) == pytest.approx(r["columns"].increase.sum(), abs=1e-9)
    np.testing.assert_allclose(r["diagonal"].parallel - r["diagonal"].sequential, r["diagonal"].increase, atol=1e-9)
    assert r["columns"].step_increase.sum() == pytest.approx(float(r["columns"].total), abs=1e-9)
    d = r.difference("diagonal", "raster")
    assert float(d) == pytest.approx(r["diagonal"].total - r["raster"].total, abs=1e-9)
    assert d.standard_error > 0 and r.difference("raster", "diagonal") == -d
    # Of two orders that are not the first: as if one of them were.
    other = te.order_compare(tokens, ["diagonal", columns])
    pair = r.difference("columns", "diagonal")
    assert float(pair) == pytest.approx(float(other["columns"].difference_from_first), abs=1e-9)
    assert pair.standard_error == pytest.approx(other["columns"].difference_from_first.standard_error, rel=1e-6)
    gaussian = te.order_compare(tokens, ["raster", "diagonal"], bound="wishart", errors="gaussian")
    assert np.isnan(gaussian.difference("diagonal", "raster").standard_error)
    with pytest.raises(KeyError, match="there are raster, diagonal, columns"):
        r["distant"]
    with pytest.raises(dataclasses.FrozenInstanceError):
        r.unit = "bits"  # type: ignore[misc]
    assert "diagonal" in repr(r) and "±" in repr(r)


def test_everything_is_drawn_and_framed(tokens: te.Tokens) -> None:
    pandas = pytest.importorskip("pandas")
    m, r = te.entropy_map(tokens, ref=(0, 0)), te.order_compare(tokens, ["raster", "diagonal"])
    for ax in (m.plot(), m.plot(quantity="entropy"), r.plot(), r["raster"].plot(), te.order("raster", (4, 4)).plot()):
        ax.figure.canvas.draw()
        assert ax.get_title() or ax.get_xlabel()
    with pytest.raises(ValueError, match="quantity"):
        m.plot(quantity="energy")
    assert len(m.to_frame()) == 16 and set(m.to_frame()["unit"]) == {"nats"}
    assert list(r.to_frame()["order"]) == ["raster", "diagonal"]
    assert isinstance(r["raster"].to_frame(), pandas.DataFrame)


def test_estimates_are_floats_with_errors() -> None:
    e = te.Estimate(277.7412, 1.5342)
    assert str(e) == "277.7 ± 1.5" and e * 2 == 2 * 277.7412
    again = pickle.loads(pickle.dumps(e))
    assert again == e and again.standard_error == e.standard_error
    assert repr(te.Estimate(2.0)) == "2" and np.isnan(te.Estimate(None))
