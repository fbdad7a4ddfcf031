"""Random streams: the same at the same place, others elsewhere, and even."""

from __future__ import annotations

import numpy as np

from studio.engine.random import Stream, generator


def test_a_place_has_its_numbers_however_it_is_reached() -> None:
    stream = Stream(7, "layer", 3)
    first = stream.at(1, 2, 3).random(50)
    stream.at(0, 0, 0).integers(0, 9, 7, np.uint8)
    assert (stream.at(1, 2, 3).random(50) == first).all()
    assert (Stream(7, "layer", 3).at(1, 2, 3).random(50) == first).all()


def test_elsewhere_are_other_numbers() -> None:
    seen: set[bytes] = set()
    count = 0
    for seed in (7, 8):
        for purpose in (("layer", 3), ("layer", 4), ("other", 3)):
            stream = Stream(seed, *purpose)
            for place in ((0, 0, 0), (0, 0, 1), (0, 1, 0), (1, 0, 0), (9, 4_000_000_000, 7)):
                seen.add(stream.at(*place).bytes(8))
                count += 1
    assert len(seen) == count
    assert generator(7, "a").bytes(8) != generator(7, "b").bytes(8)


def test_neighbouring_places_are_unrelated() -> None:
    stream = Stream(0, "dropout")
    rows = np.array([stream.at(0, step, 0).random(1000) for step in range(200)])
    related = np.atleast_2d(np.corrcoef(rows))[~np.eye(200, dtype=bool)]
    assert np.abs(related).max() < 5.5 / np.sqrt(1000)
    assert abs(rows.mean() - 0.5) < 4 * np.sqrt(1 / 12 / rows.size)
    assert abs(rows[:, 0].mean() - 0.5) < 4 * np.sqrt(1 / 12 / 200)
