"""Our HDF5 subset alone: both ways, and against files that mean harm."""

from __future__ import annotations

import random
import struct
import tracemalloc

import numpy as np
import pytest

from studio.engine.errors import FormatError
from studio.engine.saving.hdf5_read import hdf5_arrays
from studio.engine.saving.hdf5_write import hdf5_bytes
from studio.engine.workspace import Array


def sample() -> dict[str, Array]:
    """Arrays of several types and shapes, more in one group than one tree node holds."""
    stream = np.random.default_rng(0)
    arrays: dict[str, Array] = {
        f"optimizer/vars/{i}": stream.normal(size=(i % 4, 3)).astype("f4") for i in range(300)
    }
    arrays["layers/dense/vars/0"] = stream.normal(size=(4, 5))
    arrays["layers/dense/vars/1"] = np.arange(5, dtype="i8")
    arrays["layers/größe/vars/0"] = np.float32(3.5) * np.ones((), "f2")
    arrays["flags"] = np.arange(6, dtype="u1").reshape(2, 3)
    return arrays


def test_what_was_written_is_read() -> None:
    arrays = sample()
    found = hdf5_arrays(hdf5_bytes(arrays, groups=("vars", "layers/dropout/vars")))
    assert found.keys() == arrays.keys()
    for path, array in arrays.items():
        assert found[path].dtype == array.dtype
        assert found[path].shape == array.shape
        np.testing.assert_array_equal(found[path], array)


def test_an_array_cannot_be_a_group() -> None:
    with pytest.raises(FormatError, match="expected a group"):
        hdf5_bytes({"a": np.zeros(1), "a/b": np.zeros(1)})
    with pytest.raises(FormatError, match="each path once"):
        hdf5_bytes({"a/b": np.zeros(1), "a": np.zeros(1)})
    with pytest.raises(FormatError, match="array of numbers"):
        hdf5_bytes({"a": np.array(["text"])})


def small() -> bytes:
    """A file that is quick to damage everywhere."""
    return hdf5_bytes({"layers/dense/vars/0": np.ones((3, 4), "f4"), "b": np.arange(3)})


def test_every_truncation_is_refused() -> None:
    data = small()
    for size in range(len(data) - 8):
        with pytest.raises(FormatError):
            hdf5_arrays(data[:size])


def test_damage_is_refused_or_harmless() -> None:
    """Whatever is flipped, the answer is arrays no larger than the file, or a FormatError."""
    data = small()
    stream = random.Random(1)
    refused = 0
    tracemalloc.start()
    try:
        for _ in range(3_000):
            damaged = bytearray(data)
            for _ in range(stream.choice((1, 1, 2, 8))):
                place = stream.randrange(len(data))
                damaged[place] = stream.choice(
                    (0, 1, 255, damaged[place] ^ 1 << stream.randrange(8))
                )
            try:
                found = hdf5_arrays(bytes(damaged))
            except FormatError:
                refused += 1
                continue
            assert sum(array.nbytes for array in found.values()) <= len(data)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()
    assert refused > 300


def replaced(data: bytes, old: bytes, new: bytes, count: int = 1) -> bytes:
    """The file with one known place changed."""
    assert data.count(old) >= 1
    return data.replace(old, new, count)


def test_sizes_are_checked_against_the_bytes_that_are_there() -> None:
    shape = struct.pack("<QQ", 3, 4)
    for sizes in ((2**40, 4), (2**63, 2), (3, 5), (0, 2**63), (2**62, 0)):
        with pytest.raises(FormatError):
            hdf5_arrays(replaced(small(), shape, struct.pack("<QQ", *sizes)))


def first_entry_of_the_root(data: bytearray) -> int:
    """Where the address of the root's first member stands; groups come after their members."""
    return data.rindex(b"SNOD") + 16


def test_a_group_within_itself_is_refused() -> None:
    data = bytearray(small())
    place = first_entry_of_the_root(data)
    data[place : place + 8] = data[64:72]
    with pytest.raises(FormatError, match="once"):
        hdf5_arrays(bytes(data))


def test_headers_that_share_messages_are_refused() -> None:
    """A short file of many headers that all go on in one long row of messages takes for ever."""
    data = bytearray(hdf5_bytes({name: np.ones(1) for name in "abcd"}))
    first = first_entry_of_the_root(data)
    header = int.from_bytes(data[first : first + 8], "little")
    size = int.from_bytes(data[header + 8 : header + 12], "little")
    start, shared = len(data), bytes(8000) + data[header + 16 : header + 16 + size]
    data += shared
    for number in range(4):
        place = first + 40 * number
        data[place : place + 8] = struct.pack("<Q", len(data))
        data += struct.pack("<BxHIIxxxxHHBxxx", 1, 65535, 1, 24, 0x10, 16, 0)
        data += struct.pack("<QQ", start + 8 * number, len(shared) - 8 * number)
    with pytest.raises(FormatError, match="once"):
        hdf5_arrays(bytes(data))


def test_links_are_refused() -> None:
    data = bytearray(small())
    data[first_entry_of_the_root(data) + 8] = 2
    with pytest.raises(FormatError, match="link elsewhere"):
        hdf5_arrays(bytes(data))


def test_other_versions_are_named() -> None:
    data = bytearray(small())
    data[8] = 2
    with pytest.raises(FormatError, match="version 2"):
        hdf5_arrays(bytes(data))
    with pytest.raises(FormatError, match="an HDF5 file"):
        hdf5_arrays(b"PK\x03\x04 something else entirely")
