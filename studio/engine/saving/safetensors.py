"""Arrays by name in one file that holds nothing but numbers.

Eight bytes give the length of a JSON header, the header gives each array's type, shape and place,
then the numbers follow without gaps. Nothing in such a file is ever run.
Source: https://huggingface.co/docs/safetensors, section Format.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, cast

import numpy as np

from studio.engine.errors import FormatError, ParameterError
from studio.engine.workspace import Array

TYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1", "BOOL": "?",
}  # fmt: skip
NAMES = {np.dtype(code): name for name, code in TYPES.items()}
HEADER_LIMIT = 100_000_000
"""The longest header in bytes that is read, as in the reference implementation."""


def dump(arrays: Mapping[str, Array], metadata: Mapping[str, str] | None = None) -> bytes:
    """The bytes of a file with those arrays, in that order.

    Raises:
        ParameterError: if an array is not of whole numbers, floats or truth values.
    """
    header: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    parts: list[bytes] = []
    start = 0
    for name, array in arrays.items():
        little = array.dtype.newbyteorder("<")
        if little not in NAMES:
            raise ParameterError(
                f"an array of one of {', '.join(TYPES)}", array.dtype.name, f"array {name!r}"
            )
        part = array.astype(little, copy=False).tobytes()
        place = [start, start + len(part)]
        header[name] = {"dtype": NAMES[little], "shape": array.shape, "data_offsets": place}
        parts.append(part)
        start += len(part)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return b"".join([len(text).to_bytes(8, "little"), text, *parts])


def parse(data: bytes, where: str = "") -> dict[str, Array]:
    """The arrays in the bytes of a file, in the order of its header; each is a copy.

    Raises:
        FormatError: if they are not such a file, or it is damaged.
    """
    header, body = _split(data, where)
    header.pop("__metadata__", None)
    entries = {name: _entry(value, f"{where} {name!r}".strip()) for name, value in header.items()}
    end = 0
    for entry in sorted(entries.values(), key=lambda entry: (entry.start, entry.stop)):
        if entry.start != end:
            raise FormatError(
                f"numbers from byte {end} on, without gaps or overlaps", str(entry.start), where
            )
        end = entry.stop
    if end != len(body):
        raise FormatError(f"{end} bytes of numbers", str(len(body)), where)
    return {
        name: np.frombuffer(body[entry.start : entry.stop], entry.dtype).reshape(entry.shape).copy()
        for name, entry in entries.items()
    }


def save_file(
    arrays: Mapping[str, Array], path: str | Path, metadata: Mapping[str, str] | None = None
) -> None:
    """Write arrays to a file.

    Raises:
        ParameterError: if an array is not of whole numbers, floats or truth values.
    """
    Path(path).write_bytes(dump(arrays, metadata))


def load_file(path: str | Path) -> dict[str, Array]:
    """The arrays in a file.

    Raises:
        FormatError: if it is not such a file, or is damaged.
    """
    return parse(Path(path).read_bytes(), str(path))


def _split(data: bytes, where: str) -> tuple[dict[str, Any], memoryview]:
    """The header and the numbers."""
    view = memoryview(data)
    size = int.from_bytes(view[:8], "little")
    if len(view) < 8 or size > min(len(view) - 8, HEADER_LIMIT):
        raise FormatError("a safetensors file", "no header of the length that it names", where)
    try:
        header = json.loads(bytes(view[8 : 8 + size]).decode(), object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        raise FormatError("a header in JSON", "something else", where) from None
    if not isinstance(header, dict):
        raise FormatError("a header that maps names to places", type(header).__name__, where)
    return cast("dict[str, Any]", header), view[8 + size :]


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(found := dict(pairs)) != len(pairs):
        raise ValueError
    return found


@dataclass(frozen=True)
class _Entry:
    """Type, shape and place of one array."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    start: int
    stop: int


def _entry(value: Any, where: str) -> _Entry:
    try:
        dtype = np.dtype(TYPES[value["dtype"]])
        shape, (start, stop) = tuple(value["shape"]), value["data_offsets"]
    except (KeyError, TypeError, ValueError):
        raise FormatError("type, shape and place of an array", repr(value)[:80], where) from None
    # Without bounds on the sizes even an empty array could have a shape that NumPy refuses.
    sizes_fit = len(shape) <= 32 and all(type(size) is int and 0 <= size < 2**48 for size in shape)
    if not sizes_fit or prod(max(size, 1) for size in shape) >= 2**48:
        raise FormatError("up to 32 sizes of an array", repr(shape)[:80], where)
    length = prod(shape) * dtype.itemsize
    if type(start) is not int or type(stop) is not int or start < 0 or stop - start != length:
        raise FormatError(f"a place of {length} bytes", f"{start!r:.40} to {stop!r:.40}", where)
    return _Entry(dtype, shape, start, stop)
