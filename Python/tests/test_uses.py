"""What the module is for, each use from arrays to a result that somebody would act on."""

from pathlib import Path

import numpy as np
import pytest

import token_entropy as te
from conftest import FloatArray, IntArray


def test_a_map_shows_what_leans_on_the_reference(codes: IntArray, codebook: FloatArray) -> None:
    m = te.entropy_map(te.Tokens(codes, codebook), ref=(1, 1))
    # Cells lean on their left neighbours with probability 0.6, rows are independent of each other.
    for cell in ((1, 0), (1, 2)):
        assert m.information[cell] > 0.1 and m.information[cell] > 4 * m.standard_error[cell]
    others = m.information[[0, 2, 3]]
    assert np.abs(others).max() < m.information[1, 0] / 3 and m.entropy.shape == m.marginal.shape == (4, 4)
    pytest.importorskip("matplotlib").use("agg")
    assert m.plot().figure.axes


def test_orders_are_compared_with_errors(tokens: te.Tokens) -> None:
    mine = te.Order.from_steps([[0, 4, 8, 12], [1, 5, 9, 13], [2, 6, 10, 14], [3, 7, 11, 15]], (4, 4), name="mine")
    r = te.order_compare(tokens, ["raster:n=4,initial=0", mine], errors="robust")
    names = list(r)
    # Rows at once lose what neighbours tell each other, columns at once nothing.
    assert r[names[0]].total > 5 * r[names[0]].total.standard_error
    assert abs(r["mine"].total) < 6 * r["mine"].total.standard_error
    gain = r.difference(names[0], "mine")
    assert gain > 5 * gain.standard_error and r["mine"].step_numbers is not None
    assert r["mine"].step_numbers.tolist() == [[1, 2, 3, 4]] * 4


def test_an_order_goes_to_a_model_and_back(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    permutation, groups = rng.permutation(16), np.array([1, 3, 4, 8])
    o = te.Order.from_permutation(permutation, groups, (4, 4), name="mine")
    o.save(tmp_path / "mine.json")
    again = te.order(str(tmp_path / "mine.json"), (4, 4))
    assert again.permutation.tolist() == permutation.tolist() and again.groups.tolist() == groups.tolist()
    assert te.Order.from_table(again.table).groups.tolist() == groups.tolist()


def test_a_search_is_an_order_with_its_loss(tokens: te.Tokens) -> None:
    b = te.order_search(tokens, 4, seconds=2)
    assert len(b.groups) == 4 and sorted(b.permutation.tolist()) == list(range(16))
    r = te.order_compare(tokens, ["raster:n=4,initial=0", b])
    first, found = r.profiles
    assert found.total < first.total


def test_features_have_a_distance() -> None:
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(400, 6)), rng.normal(size=(300, 6)) + 0.5
    q = te.frechet(x, y)
    # Two normal laws at a distance of ½ in each of six dimensions.
    assert abs(q.fd_infinity - 6 * 0.25) < 6 * q.fd_infinity.standard_error
    assert q.kid > 5 * q.kid.standard_error and 0 <= q.precision[3] <= 1


def test_a_model_is_trained_sampled_and_measured(tokens: te.Tokens, codebook: FloatArray, tmp_path: Path) -> None:
    small = {"layers": 1, "heads": 1, "width": 8, "batch": 4}
    run = te.par_train(tokens, order="raster", steps=3, output_dir=str(tmp_path / "run"), validation_images=8,
                       no_figure=True, **small)
    assert np.isfinite(run["history"][-1]["loss"])
    s = te.par_sample(model=str(tmp_path / "run/model.safetensors"), count=6)
    assert s.codes.shape == (6, 4, 4) and s.codes.max() < 32
    # An order in memory, which this model was not trained with.
    order = te.order("halton", on=(4, 4))
    with pytest.raises(te.ProgramError, match="was trained with the order raster"):
        te.par_sample(model=str(tmp_path / "run/model.safetensors"), order=order)
    s = te.par_sample(model=str(tmp_path / "run/model.safetensors"), count=2, order=order, allow_mismatch=True)
    assert s.result["steps"] == len(order.steps) and s.codes.shape == (2, 4, 4)
    r = te.fid_compare(tokens, ["raster"], seeds=1, count=24, steps=2, no_figure=True, extractor="texture",
                       output_dir=str(tmp_path / "comparison"), **{k: v for k, v in small.items() if k != "batch"})
    assert [order["name"] for order in r["orders"]] == ["raster"]
    assert np.isfinite(r["orders"][0]["measures"]["kid_texture"]["value"])
