"""Random streams derived from a seed and a purpose, never from global state.

The numbers that a layer draws in a given epoch, step and shard depend on nothing else, so a run can
be cut, resumed or spread over threads and still draws the same.
"""

from __future__ import annotations

import secrets
from zlib import crc32

import numpy as np

_default: list[int | None] = [None]


def generator(seed: int, *purpose: str | int) -> np.random.Generator:
    """A generator of its own for every (seed, purpose): ``generator(7, "shuffle", epoch)``."""
    words = [crc32(word.encode()) if isinstance(word, str) else word for word in purpose]
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence([seed, *words])))


def set_random_seed(seed: int) -> None:
    """The seed of every model made from here on that is not given one (Keras' name)."""
    _default[0] = seed


def default_seed() -> int:
    """The seed set by :func:`set_random_seed`, else a new one from the operating system."""
    return secrets.randbits(32) if _default[0] is None else _default[0]
