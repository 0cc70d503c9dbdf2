"""Orders go to the program and come back the same."""

from pathlib import Path

import numpy as np
import pytest

import token_entropy as te
from conftest import FloatArray, IntArray


@pytest.mark.parametrize("name", ["raster", "distant", "diagonal", "halton:steps=9", "random:seed=3"])
def test_orders_survive_every_way(name: str, tmp_path: Path) -> None:
    o = te.order(name, (6, 6))
    assert sorted(o.permutation) == list(range(36)) and o.groups.sum() == 36
    again = te.Order.from_permutation(o.permutation, o.groups, (6, 6))
    assert np.array_equal(again.table, o.table)
    assert np.array_equal(te.Order.from_table(o.table).table, o.table)
    for file in ("o.json", "o.npy"):
        o.save(tmp_path / file)
        assert np.array_equal(te.order(str(tmp_path / file), (6, 6)).table, o.table)
    o.save(tmp_path / "o.json")
    assert np.array_equal(te.order(str(tmp_path / "o.json"), (6, 6)).permutation, o.permutation)


def test_steps_may_be_coordinates() -> None:
    a = te.Order.from_steps([[(0, 0)], [(0, 1), (1, 0)], [(1, 1)]], (2, 2))
    assert np.array_equal(a.table, te.Order.from_steps([[0], [1, 2], [3]], (2, 2)).table)


def test_wrong_orders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="each of its 4 cells once"):
        te.Order.from_steps([[0], [1, 1], [3]], (2, 2))
    with pytest.raises(ValueError, match="the groups hold 3 cells"):
        te.Order.from_permutation([0, 1, 2, 3], [1, 2], (2, 2))
    with pytest.raises(TypeError, match="whole numbers"):
        te.Order.from_table([[1.0, 2.0]])
    with pytest.raises(ValueError, match="ends in .json or .npy"):
        te.order("raster", (2, 2)).save(tmp_path / "o.csv")
    with pytest.raises(te.ProgramError, match="did you mean raster"):
        te.order("rastr", (4, 4))


def test_group_sizes_are_fitted_to_arrays(tokens: te.Tokens, codes: IntArray, codebook: FloatArray,
                                          tmp_path: Path) -> None:
    for i, image in enumerate(codes):
        np.save(tmp_path / f"{i}.npy", image.reshape(1, 1, -1))
    fitted = [te.order("raster:schedule=optimal,steps=5", on) for on in (tokens, te.llamagen(tmp_path, codebook))]
    assert fitted[0].groups.tolist() == fitted[1].groups.tolist() and len(fitted[0].groups) == 5
    features = te.Tokens(features=codebook[codes])
    assert te.order("raster:schedule=optimal,steps=5", features).groups.tolist() == fitted[0].groups.tolist()


def test_a_search_finds_an_order_that_loses_less(tokens: te.Tokens) -> None:
    b = te.order_search(tokens, 8, seconds=1, seed=1)
    assert len(b.steps) == 8 and b.grid == (4, 4) and b.total.standard_error > 0
    assert "8 steps" in repr(b)
    # Rows are independent and columns lean on each other: in raster order eight pairs of neighbours are drawn together.
    again = te.order_compare(tokens, ["raster:n=2", b])
    assert again[b.name].total < again["raster:n=2"].total
