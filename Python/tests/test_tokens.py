"""Arrays of every kind are read as they are, and what cannot be read is told in the program's sentence."""

from pathlib import Path

import numpy as np
import pytest

import token_entropy as te
from conftest import FloatArray, IntArray


def total(tokens: te.Tokens, **options: object) -> float:
    return float(te.order_compare(tokens, ["diagonal"], **options)["diagonal"].total)  # type: ignore[arg-type]


def test_all_forms_of_the_same_codes_give_the_same_numbers(codes: IntArray, codebook: FloatArray,
                                                           tmp_path: Path) -> None:
    expected = total(te.Tokens(codes, codebook))
    np.save(tmp_path / "codes.npy", codes.astype(np.uint16))
    np.save(tmp_path / "book.npy", codebook)
    np.savez(tmp_path / "all.npz", codes=codes, codebook=codebook, labels=np.arange(400) % 2)
    folder = tmp_path / "x_codes"
    folder.mkdir()
    for number, image in enumerate(codes):
        np.save(folder / f"{number:06}.npy", image.reshape(1, 1, 16))
    forms = [
        te.Tokens(codes.reshape(400, 16), codebook), te.Tokens(codes.astype(np.int16), codebook),
        te.Tokens(np.asfortranarray(codes), codebook), te.load(tmp_path / "codes.npy", codebook),
        te.load(tmp_path / "codes.npy", tmp_path / "book.npy"), te.load(tmp_path / "all.npz"),
        te.llamagen(folder, tmp_path / "book.npy"),
    ]
    for form in forms:
        assert total(form) == expected, form


def test_features_are_tokens_too(codes: IntArray, codebook: FloatArray) -> None:
    expected = total(te.Tokens(codes, codebook))
    features = codebook[codes]
    assert total(te.Tokens(features=features)) == pytest.approx(expected, abs=1e-9)
    first = np.moveaxis(features, -1, 1)
    assert total(te.Tokens(features=first, channels="first")) == pytest.approx(expected, abs=1e-9)
    # Far from zero single precision would keep no difference: an offset changes nothing.
    assert total(te.Tokens(features=features + 1e7)) == pytest.approx(expected, abs=1e-3)


def test_a_sample_is_that_of_the_same_file(tokens: te.Tokens) -> None:
    one, other = (te.order_compare(tokens, ["raster"], limit=300, seed=5) for _ in range(2))
    assert one.result["images"] == 300
    assert float(one["raster"].total) == float(other["raster"].total)


def test_bad_input_is_one_sentence(codes: IntArray, codebook: FloatArray) -> None:
    wrong = codes.copy()
    wrong[7, 1, 2] = 99
    with pytest.raises(te.ProgramError, match=r"codes.npy: .*99.* 32") as error:
        total(te.Tokens(wrong, codebook))
    assert "\n" not in str(error.value) and error.value.status == 1
    nan = codebook[codes]
    nan[3, 0, 0, 1] = np.nan
    with pytest.raises(te.ProgramError, match="features.npy: .*nan"):
        total(te.Tokens(features=nan))
    with pytest.raises(te.ProgramError, match="codes.npy"):
        total(te.Tokens(codes.astype(np.float64) + 0.5, codebook))
    with pytest.raises(te.ProgramError, match=r"labels"):
        total(te.Tokens(codes, codebook, labels=np.arange(3)))
    with pytest.raises(te.ProgramError, match="no square|rows and columns"):
        total(te.Tokens(codes.reshape(400, 16)[:, :15], codebook))
    with pytest.raises(TypeError, match="codes: expected an array of numbers"):
        te.Tokens(np.array(["a"]), codebook)
    with pytest.raises(ValueError, match="need a codebook"):
        te.Tokens(codes)
    with pytest.raises(te.UsageError, match="--codebook is for arrays"):
        total(te.load("scenes-12x12", codebook))


def test_what_is_left_out_is_a_warning(codes: IntArray, codebook: FloatArray, tmp_path: Path) -> None:
    folder = tmp_path / "y_codes"
    folder.mkdir()
    for number, image in enumerate(codes):
        np.save(folder / f"{number}.npy", image.reshape(1, 1, 16))
    (folder / "7.npy").write_bytes(b"")
    with pytest.warns(te.ProgramWarning, match=r"left out: .*7\.npy"):
        r = te.order_compare(te.llamagen(folder, codebook), ["raster"])
    assert r.result["images"] == 399
