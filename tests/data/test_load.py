"""The built-in data sets: the same values as their sources have."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pytest
from sklearn import datasets

from studio.data.catalogue import catalogue, find, load
from studio.engine.errors import ParameterError, UnknownNameError

NAMES = [info.name for info in catalogue()]
MNIST_SHA256 = "809ec085d551285cf9efad12c42a6aead98c62f96eb9936cc5b778870773e50d"


def test_the_catalogue_is_what_the_program_offers() -> None:
    kinds = {info.name: info.kind for info in catalogue()}
    assert kinds == {
        "mnist_5k": "multiclass",
        "digits": "multiclass",
        "iris": "multiclass",
        "wine": "multiclass",
        "breast_cancer": "binary",
        "diabetes": "regression",
        "moons": "binary",
        "spirals": "binary",
    }


@pytest.mark.parametrize("name", NAMES)
def test_the_catalogue_says_what_the_data_are(name: str) -> None:
    data = load(name)
    info = find(name)
    assert data.info is info
    assert data.x.shape == (info.samples, *info.input_shape)
    assert data.y.shape == (info.samples,)
    assert np.isfinite(data.x).all()
    assert np.isfinite(data.y).all()
    if info.kind == "regression":
        assert info.class_names == ()
        assert info.outputs == 1
    else:
        assert np.array_equal(np.unique(data.y), np.arange(len(info.class_names)))
        assert info.outputs == (1 if info.kind == "binary" else len(info.class_names))
    if info.full_scale is None:
        assert len(data.feature_names) == len(set(data.feature_names)) == info.input_shape[0]
    else:
        assert data.feature_names == ()
        assert (data.x.min(), data.x.max()) == (0, info.full_scale)


@pytest.mark.parametrize("name", NAMES)
def test_loaded_arrays_cannot_be_changed(name: str) -> None:
    data = load(name)
    for array in (data.x, data.y):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer"])
def test_tables_equal_those_of_scikit_learn(name: str) -> None:
    ours, theirs = load(name), getattr(datasets, f"load_{name}")()
    assert np.array_equal(ours.x, theirs.data)
    assert np.array_equal(ours.y, theirs.target)
    assert [n.replace(" ", "_") for n in ours.feature_names] == [
        n.replace(" ", "_") for n in theirs.feature_names
    ]


@pytest.mark.parametrize("name", ["iris", "breast_cancer"])
def test_classes_are_numbered_as_in_scikit_learn(name: str) -> None:
    assert find(name).class_names == tuple(getattr(datasets, f"load_{name}")().target_names)


def test_diabetes_has_the_values_as_measured() -> None:
    ours = load("diabetes")
    theirs: Any = datasets.load_diabetes(scaled=False)
    assert np.array_equal(ours.x, theirs.data)
    assert np.array_equal(ours.y, theirs.target)
    assert (ours.y.min(), ours.y.max()) == (25, 346)
    assert ours.feature_names[:4] == ("age (years)", "sex", "body mass index", "blood pressure")
    assert theirs.feature_names[:4] == ["age", "sex", "bmi", "bp"]


def test_small_digits_equal_those_of_scikit_learn() -> None:
    ours = load("digits")
    theirs: Any = datasets.load_digits()
    assert np.array_equal(ours.x[..., 0], theirs.images)
    assert np.array_equal(ours.y, theirs.target)


def test_mnist_is_whole() -> None:
    data = load("mnist_5k")
    assert np.bincount(data.y).tolist() == [500] * 10
    found = hashlib.sha256(data.x.tobytes() + data.y.astype(np.uint8).tobytes()).hexdigest()
    assert found == MNIST_SHA256


def test_an_unknown_name_meets_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"'irys'\. Did you mean 'iris'\?"):
        load("irys")
    with pytest.raises(UnknownNameError, match="Known: breast_cancer, diabetes, digits"):
        find("???")


def test_wrong_options_are_told() -> None:
    with pytest.raises(ParameterError, match="Moons samples: expected a whole number of at least"):
        load("moons", samples=3)
    with pytest.raises(UnknownNameError, match="Did you mean 'noise'"):
        load("moons", noice=0.1)
    with pytest.raises(UnknownNameError, match="Known: none"):
        load("iris", samples=3)
