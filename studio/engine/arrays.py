"""What users hand in, as arrays of numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from studio.engine.errors import DataError
from studio.engine.workspace import Array


def as_numbers(values: Any, what: str) -> Array:
    """Numbers or truth values as an array.

    Raises:
        DataError: if they are something else.
    """
    try:
        array = np.asarray(values)
    except ValueError:
        raise DataError("an array of numbers", "rows of different lengths", what) from None
    except (TypeError, RuntimeError, OverflowError, MemoryError) as error:
        raise DataError("an array of numbers", str(error)[:200], what) from None
    if array.dtype.kind not in "biuf":
        advice = "Convert texts to numbers first." if array.dtype.kind in "USO" else ""
        found = f"{type(values).__name__} of {array.dtype.name}"
        raise DataError("an array of numbers", found, what, advice)
    return array


def as_array(values: Any, what: str, dtype: str, keep_integers: bool = False) -> Array:
    """Numbers as an array of the model's type.

    Truth values are converted too, and whole numbers unless they are to be kept as they are: not
    all above 2^24 exist in float32.

    Raises:
        DataError: if they are not numbers, or some are missing (NaN) or infinite.
    """
    array = as_numbers(values, what)
    if keep_integers and array.dtype.kind in "iu":
        return array
    with np.errstate(over="ignore"):
        if array.dtype.kind != "f" or array.dtype != dtype:
            array = array.astype(dtype)
        total = np.add.reduce(array, axis=None)
    if not np.isfinite(total) and not np.isfinite(array).all():
        rows = array.reshape(len(array) if array.ndim else 1, -1)
        row = int(np.argmin(np.isfinite(rows).all(axis=1)))
        bad = "NaN (a missing value)" if np.isnan(rows[row]).any() else "an infinite value"
        raise DataError("finite numbers", f"{bad} in row {row}", what, "Fill or remove such rows.")
    return array
