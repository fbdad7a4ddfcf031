"""Recurrent layers against Keras: gates, sequences, masks, directions."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

from tests.parity.compare import check_layer

NAMES = ("SimpleRNN", "LSTM", "GRU")
OPTIONS: list[dict[str, Any]] = [
    {},
    {"return_sequences": True},
    {"go_backwards": True, "return_sequences": True},
    {"go_backwards": True},
    {"use_bias": False},
    {"activation": "relu"},
    {"activation": "sigmoid", "return_sequences": True},
]
GATED: list[dict[str, Any]] = [
    {"recurrent_activation": "tanh"},
    {"recurrent_activation": "leaky_relu", "return_sequences": True},
]
MASK = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [0, 1, 0, 1, 1]], bool)


@pytest.mark.parametrize(("name", "options"), list(product(NAMES, OPTIONS)))
def test_options(name: str, options: dict[str, Any]) -> None:
    check_layer(name, {"units": 4, **options}, (3, 6, 2))


@pytest.mark.parametrize(("name", "options"), list(product(NAMES[1:], GATED)))
def test_activations_of_gates(name: str, options: dict[str, Any]) -> None:
    check_layer(name, {"units": 4, **options}, (3, 6, 2))


@pytest.mark.parametrize("options", [*OPTIONS[:5], *GATED])
def test_gru_that_resets_before_its_product(options: dict[str, Any]) -> None:
    check_layer("GRU", {"units": 4, "reset_after": False, **options}, (3, 6, 2))


@pytest.mark.parametrize(
    ("name", "options"),
    list(product(NAMES, [{}, {"return_sequences": True}, {"activation": "relu"}])),
)
def test_masks(name: str, options: dict[str, Any]) -> None:
    check_layer(name, {"units": 4, **options}, (3, 5, 2), mask=MASK)
    if name == "GRU":
        check_layer(name, {"units": 4, "reset_after": False, **options}, (3, 5, 2), mask=MASK)


def test_an_lstm_that_forgets_from_the_start() -> None:
    check_layer("LSTM", {"units": 3, "unit_forget_bias": False}, (2, 4, 3))
