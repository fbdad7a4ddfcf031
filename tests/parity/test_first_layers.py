"""The layers of the first slice against Keras."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.parity.compare import check_layer

CASES: list[tuple[str, dict[str, Any], tuple[int, ...]]] = [
    ("Dense", {"units": 5}, (4, 3)),
    ("Dense", {"units": 5, "activation": "relu"}, (4, 6, 3)),
    ("Dense", {"units": 5, "activation": "softmax", "use_bias": False}, (4, 3)),
    ("Dense", {"units": 3, "activation": "leaky_relu"}, (2, 3, 4, 5)),
    ("Flatten", {}, (4, 3, 2)),
    ("Dropout", {"rate": 0.5}, (4, 3)),
    ("SimpleRNN", {"units": 4}, (3, 6, 2)),
    ("SimpleRNN", {"units": 4, "return_sequences": True, "activation": "relu"}, (3, 6, 2)),
]


@pytest.mark.parametrize(("name", "config", "shape"), CASES)
def test_layer(name: str, config: dict[str, Any], shape: tuple[int, ...]) -> None:
    check_layer(name, config, shape)


def test_a_mask_passes_through_dense() -> None:
    mask = np.array([[True, True, False], [True, False, False]])
    check_layer("Dense", {"units": 2}, (2, 3, 4), mask=mask)
