"""Random streams derived from a seed and a purpose, never from global state.

The numbers that a layer draws in a given epoch, step and shard depend on nothing else, so a run can
be cut, resumed or spread over threads and still draws the same.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from zlib import crc32

import numpy as np

GOLDEN = 0x9E3779B97F4A7C15F39CC0605CEDC835
"""2¹²⁸ divided by the golden ratio: of its first 2⁹⁶ multiples, modulo 2¹²⁸, no two are nearer to
each other than 2³⁰."""

_default: list[int | None] = [None]


def generator(seed: int, *purpose: str | int) -> np.random.Generator:
    """A generator of its own for every (seed, purpose): ``generator(7, "shuffle", epoch)``."""
    return np.random.Generator(np.random.SFC64(_sequence(seed, purpose)))


class Stream:
    """One purpose's random numbers at many places, each a generator's that is moved there.

    To move one takes a tenth of the time that it takes to make one.
    """

    def __init__(self, seed: int, *purpose: str | int) -> None:
        self._bits = np.random.PCG64DXSM(_sequence(seed, purpose))
        self._start = self._bits.state
        self._generator = np.random.Generator(self._bits)

    def at(self, epoch: int, step: int, shard: int) -> np.random.Generator:
        """The generator at the numbers of that place; for use until the next call."""
        self._bits.state = self._start
        self._bits.advance(((epoch << 64) + (step << 32) + shard) * GOLDEN % 2**128)
        return self._generator


def _sequence(seed: int, purpose: Iterable[str | int]) -> np.random.SeedSequence:
    words = [crc32(word.encode()) if isinstance(word, str) else word for word in purpose]
    return np.random.SeedSequence([seed, *words])


def set_random_seed(seed: int) -> None:
    """The seed of every model made from here on that is not given one (Keras' name)."""
    _default[0] = seed


def default_seed() -> int:
    """The seed set by :func:`set_random_seed`, else a new one from the operating system."""
    return secrets.randbits(32) if _default[0] is None else _default[0]
