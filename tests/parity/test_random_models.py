"""Random models in both libraries: outputs, gradients, 20 training steps, files both ways.

``STUDIO_PARITY_MODELS=3000 pytest tests/parity/test_random_models.py`` compares more of them; the
worst relative difference of each kind is told at the end.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.parity.compare_models import differences, rounding
from tests.parity.random_models import plan
from tests.parity.worst import note

MODELS = int(os.environ.get("STUDIO_PARITY_MODELS", "300"))

LIMITS = {"float32": 1e-5, "float64": 1e-6}
AS_KERAS = 10
"""Where Keras in float32 is far from Keras in float64, we may be so many times as far from it."""


@pytest.mark.parametrize("seed", range(MODELS))
def test_model(seed: int, tmp_path: Path) -> None:
    chosen = plan(seed)
    bad: list[str] = []
    for dtype, limit in LIMITS.items():
        found = differences(chosen, dtype, tmp_path)
        far = {kind for kind, value in found.items() if not value <= limit}
        allowed = rounding(chosen) if far and dtype == "float32" else {}
        if allowed:
            # What a training leads to is as well or badly conditioned as its weights.
            allowed["history"] = max(allowed["history"], allowed["trained weights"])
        for kind, value in found.items():
            note(f"{dtype} {kind}", value, f"model {seed}")
            if not value <= max(limit, AS_KERAS * allowed.get(kind, 0)):
                bad.append(f"{dtype} {kind}: {value:.2g}, Keras' rounding {allowed.get(kind)}")
    assert not bad, f"{bad} in {chosen}"
