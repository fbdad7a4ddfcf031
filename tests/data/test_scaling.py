"""Scaling there and back, and kept as JSON."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import StandardScaler

from studio.data.scaling import Preprocessing, Scaling
from studio.engine.errors import FormatError

NUMBERS = st.floats(-1e6, 1e6)


def test_standard_is_that_of_scikit_learn() -> None:
    values = np.random.default_rng(0).normal(5, 3, (40, 4))
    ours = Scaling.standard(values)
    theirs: Any = StandardScaler().fit(values)
    assert np.allclose(ours.mean, theirs.mean_, rtol=1e-12)
    assert np.allclose(ours.scale, theirs.scale_, rtol=1e-12)
    assert np.allclose(ours.apply(values), theirs.transform(values), atol=1e-6)


def test_a_constant_column_becomes_zero() -> None:
    values = np.full((7, 2), 0.1)
    scaling = Scaling.standard(values)
    assert scaling.scale == (1.0, 1.0)
    assert np.allclose(scaling.apply(values), 0)


@given(st.lists(NUMBERS, min_size=2, max_size=30))
def test_undo_undoes(numbers: list[float]) -> None:
    values = np.array(numbers)[:, None]
    scaling = Scaling.standard(values)
    assert np.allclose(scaling.undo(scaling.apply(values)), values, atol=1e-6 * 2e6)


def test_one_number_is_for_all_of_an_image() -> None:
    image = np.arange(12, dtype=np.uint8).reshape(1, 3, 4, 1)
    assert np.allclose(Scaling((0.0,), (4.0,)).apply(image), image / 4)
    assert image[0, 0, 1, 0] == 1


@given(st.lists(NUMBERS, min_size=1, max_size=5), st.floats(0.01, 1e6))
def test_json_keeps_every_bit(mean: list[float], scale: float) -> None:
    value = Preprocessing(Scaling(tuple(mean), (scale,) * len(mean)), Scaling((1.5,), (scale,)))
    assert Preprocessing.from_config(json.loads(json.dumps(value.get_config()))) == value
    value = Preprocessing(value.inputs)
    assert Preprocessing.from_config(json.loads(json.dumps(value.get_config()))) == value


GOOD = {"mean": [0.0], "scale": [1.0]}


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"inputs": GOOD},
        {"inputs": None, "targets": None},
        {"inputs": 3, "targets": None},
        {"inputs": {"mean": [0.0], "scale": [0.0]}, "targets": None},
        {"inputs": {"mean": [0.0, 1.0], "scale": [1.0]}, "targets": None},
        {"inputs": {"mean": [], "scale": []}, "targets": None},
        {"inputs": {"mean": ["x"], "scale": [1.0]}, "targets": None},
        {"inputs": {"mean": [float("nan")], "scale": [1.0]}, "targets": None},
        {"inputs": GOOD, "targets": {"mean": [0.0], "scale": [float("inf")]}},
    ],
)
def test_damage_is_told(config: Any) -> None:
    with pytest.raises(FormatError, match=r"^report\.json: expected mean and scale"):
        Preprocessing.from_config(config, "report.json")
