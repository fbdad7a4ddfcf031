"""A thousand random bad calls: each ends in an error that says what was expected and found."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from studio.engine.errors import NumericsError, StudioError
from tests.engine import bad_models
from tests.engine.bad_data import RECIPES, Recipe, numbers_that_explode

assert bad_models.__doc__, "importing it enters its recipes"
CALLS = 1_000


@pytest.mark.parametrize("make", RECIPES, ids=lambda make: make.__name__)
def test_bad_calls(make: Recipe) -> None:
    wrong: list[str] = []
    for number in range(-(-CALLS // len(RECIPES))):
        call = make(Random(f"{make.__name__} {number}"))
        try:
            with np.errstate(all="warn"):
                result = call()
        except StudioError as error:
            if not (error.expected and error.found and len(str(error)) < 2_000):
                wrong.append(f"{number}: {str(error)[:300]!r}")
        except Exception as error:
            wrong.append(f"{number}: {type(error).__name__}: {error}"[:300])
        else:
            wrong.append(f"{number}: no error but {result!r}"[:300])
    assert not wrong, "\n".join(wrong)


def test_an_explosion_names_layer_quantity_and_batch() -> None:
    with pytest.raises(NumericsError, match=r"conv2d.*epoch.*batch"):
        numbers_that_explode(Random(0))()
