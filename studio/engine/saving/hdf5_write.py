"""Writing the plain part of HDF5: groups and uncompressed arrays, as h5py writes them by default.

Source: HDF5 File Format Specification 3.0, https://support.hdfgroup.org/documentation/hdf5/latest/
(superblock version 0, groups as symbol tables, object headers version 1, contiguous layout).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from studio.engine.errors import FormatError
from studio.engine.workspace import Array

SIGNATURE = b"\x89HDF\r\n\x1a\n"
UNDEFINED = 0xFFFFFFFFFFFFFFFF
LEAF = 4
"""Half of how many names a symbol node holds: HDF5's own default."""

Tree: TypeAlias = "dict[str, Tree | Array]"


@dataclass
class _Writer:
    """A file under construction: pieces in order, and where the next one goes.

    Attributes:
        children: half of how many symbol nodes a group's tree holds; the same for all groups.
    """

    children: int
    pieces: list[bytes] = field(default_factory=list[bytes])
    end: int = 96

    def put(self, data: bytes) -> int:
        """Append data at a multiple of 8 bytes; return their address."""
        address = self.end
        data += bytes(-len(data) % 8)
        self.pieces.append(data)
        self.end += len(data)
        return address


def hdf5_bytes(arrays: Mapping[str, Array], groups: tuple[str, ...] = ()) -> bytes:
    """An HDF5 file with these arrays, by path such as ``"layers/dense/vars/0"``.

    Args:
        arrays: whole or floating-point numbers.
        groups: paths of groups that exist although they may be empty.

    Raises:
        FormatError: if an array has another type, or a path is array and group at once.
    """
    tree: Tree = {}
    for path in groups:
        _group(tree, path.split("/"))
    for path, array in arrays.items():
        *parents, name = path.split("/")
        parent = _group(tree, parents)
        if name in parent:
            raise FormatError("each path once", path, "HDF5 file")
        parent[name] = np.asarray(array)
    nodes = -(-_widest(tree) // (2 * LEAF))
    writer = _Writer(children=max(16, -(-nodes // 2)))
    root = _write_group(writer, tree)
    superblock = SIGNATURE + struct.pack(
        "<8BHHI4Q", 0, 0, 0, 0, 0, 8, 8, 0, LEAF, writer.children, 0, 0, UNDEFINED, writer.end,
        UNDEFINED,
    )  # fmt: skip
    return b"".join([superblock, _entry(0, *root), *writer.pieces])


def _group(tree: Tree, names: list[str]) -> Tree:
    for name in names:
        below = tree.setdefault(name, {})
        if not isinstance(below, dict):
            raise FormatError("a group", f"the array {name!r}", "HDF5 file")
        tree = below
    return tree


def _widest(tree: Tree) -> int:
    return max([len(tree), *(_widest(below) for below in tree.values() if isinstance(below, dict))])


def _entry(name: int, header: int, tree: int = 0, heap: int = 0) -> bytes:
    """A symbol table entry; a group's also caches where its tree and its names are."""
    return struct.pack("<QQIIQQ", name, header, 1 if tree else 0, 0, tree, heap)


def _write_group(writer: _Writer, group: Tree) -> tuple[int, int, int]:
    """The addresses of a group's header, tree and heap."""
    names = sorted(group, key=str.encode)
    heap, offsets = bytearray(8), list[int]()
    for name in names:
        offsets.append(len(heap))
        heap += name.encode() + b"\0"
        heap += bytes(-len(heap) % 8)
    entries: list[bytes] = []
    for name, offset in zip(names, offsets, strict=True):
        below = group[name]
        if isinstance(below, dict):
            entries.append(_entry(offset, *_write_group(writer, below)))
        else:
            entries.append(_entry(offset, _write_array(writer, below)))
    keys, nodes = [0], list[int]()
    for start in range(0, len(entries), 2 * LEAF):
        part = entries[start : start + 2 * LEAF]
        body = b"".join(part).ljust(2 * LEAF * 40, b"\0")
        nodes.append(writer.put(b"SNOD" + struct.pack("<BBH", 1, 0, len(part)) + body))
        keys.append(offsets[start + len(part) - 1])
    links = [number for pair in zip(keys, nodes, strict=False) for number in pair] + keys[-1:]
    tree = b"TREE" + struct.pack("<BBHQQ", 0, 0, len(nodes), UNDEFINED, UNDEFINED)
    tree += struct.pack(f"<{len(links)}Q", *links)
    tree_address = writer.put(tree.ljust(24 + (4 * writer.children + 1) * 8, b"\0"))
    heap_address = writer.put(
        b"HEAP" + struct.pack("<4xQQQ", len(heap), 1, writer.end + 32) + bytes(heap)
    )
    message = struct.pack("<QQ", tree_address, heap_address)
    return _write_header(writer, [(0x11, message)]), tree_address, heap_address


def _write_array(writer: _Writer, array: Array) -> int:
    """The address of an array's header."""
    data = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()
    address = writer.put(data) if data else UNDEFINED
    space = struct.pack(f"<BBB5x{array.ndim}Q", 1, array.ndim, 0, *array.shape)
    fill = struct.pack("<BBBBI", 2, 2, 2, 1, 0)
    layout = struct.pack("<BBQQ", 3, 1, address, len(data))
    return _write_header(
        writer, [(0x01, space), (0x03, _datatype(array.dtype)), (0x05, fill), (0x08, layout)]
    )


def _datatype(dtype: np.dtype[np.generic]) -> bytes:
    """A datatype message: two's complement or IEEE 754, lowest byte first."""
    size = dtype.itemsize
    if dtype.kind == "f" and size in (2, 4, 8):
        exponent, mantissa = {2: (5, 10), 4: (8, 23), 8: (11, 52)}[size]
        bias = 2 ** (exponent - 1) - 1
        return struct.pack(
            "<4BIHHBBBBI", 0x11, 0x20, 8 * size - 1, 0, size, 0, 8 * size,
            mantissa, exponent, 0, mantissa, bias,
        )  # fmt: skip
    if dtype.kind in "iu":
        signed = 0x08 if dtype.kind == "i" else 0
        return struct.pack("<4BIHH", 0x10, signed, 0, 0, size, 0, 8 * size)
    raise FormatError("an array of numbers", dtype.name, "HDF5 file")


def _write_header(writer: _Writer, messages: list[tuple[int, bytes]]) -> int:
    """The address of an object header (version 1) with these messages."""
    body = b""
    for kind, data in messages:
        data += bytes(-len(data) % 8)
        body += struct.pack("<HHB3x", kind, len(data), 0) + data
    return writer.put(struct.pack("<BxHII4x", 1, len(messages), 1, len(body)) + body)
