"""Reading the plain part of HDF5 from files that nobody vouches for.

Read is what h5py writes by default and what Keras' weight files hold: groups as symbol tables and
uncompressed arrays of numbers. All else is refused: links to other places or files, filters, other
layouts and types. Every address is checked before it is followed, no address is followed twice,
and no array may be larger than the bytes that are there for it.

Source: HDF5 File Format Specification 3.0, https://support.hdfgroup.org/documentation/hdf5/latest/
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from math import prod
from typing import Any, NamedTuple, NoReturn

import numpy as np

from studio.engine.errors import FormatError
from studio.engine.saving.hdf5_write import SIGNATURE, UNDEFINED
from studio.engine.workspace import Array

DEPTH = 32
"""How deep groups may be nested."""
OBJECTS = 200_000
"""How many groups and arrays a file may have."""
RANK = 16
"""How many dimensions an array may have."""


def hdf5_arrays(data: bytes, where: str = "HDF5 file") -> dict[str, Array]:
    """All arrays in the bytes of an HDF5 file, by path such as ``"layers/dense/vars/0"``.

    They are read-only views of ``data``: no memory is taken for them.

    Raises:
        FormatError: if the file is damaged, or uses more of HDF5 than is read here.
    """
    file = _File(memoryview(data), where)
    if data[:8] != SIGNATURE:
        file.refuse("an HDF5 file", "other bytes")
    version, sizes = data[8] if len(data) > 8 else None, data[13:15]
    if version != 0 or sizes != b"\x08\x08":
        file.refuse("an HDF5 file with a superblock of version 0", f"version {version}")
    base, _, end, driver = struct.unpack("<4Q", file.bytes(24, 32))
    if base != 0 or driver != UNDEFINED or end > len(data):
        file.refuse("a whole HDF5 file", f"{len(data)} of {end} bytes")
    _, header = struct.unpack("<QQ", file.bytes(56, 16))
    file.visit(header, "", 0)
    return file.arrays


class _Message(NamedTuple):
    """One message of an object header: what kind, and where its data lie."""

    kind: int
    start: int
    size: int


@dataclass
class _File:
    """The bytes of a file, what was found in them, and which addresses have been followed."""

    data: memoryview
    where: str
    arrays: dict[str, Array] = field(default_factory=dict[str, Array])
    seen: set[int] = field(default_factory=set[int])
    taken: int = 0
    read: int = 0

    def refuse(self, expected: str, found: str) -> NoReturn:
        """Raise the error for this file."""
        raise FormatError(expected, found, self.where, "The file is damaged or not supported.")

    def bytes(self, start: int, size: int) -> bytes:
        """A copy of some bytes, which must be there."""
        if start + size > len(self.data):
            self.refuse(f"{size} bytes at {start}", f"the end of the file at {len(self.data)}")
        return bytes(self.data[start : start + size])

    def once(self, address: int) -> None:
        """Note an address as followed; a second time would be a loop or a copy of a whole tree."""
        if address in self.seen or len(self.seen) >= OBJECTS:
            self.refuse("each part of the file once", f"address {address} again")
        self.seen.add(address)

    def visit(self, header: int, path: str, depth: int) -> None:
        """Read the group or array whose header is there."""
        self.once(header)
        if depth > DEPTH:
            self.refuse(f"groups nested {DEPTH} deep at most", path[:200])
        messages = {message.kind: message for message in self.messages(header)}
        if 0x11 in messages:
            table = messages[0x11]
            tree, heap = struct.unpack("<QQ", self.bytes(table.start, 16))
            for name, child in self.children(tree, self.heap(heap)):
                self.visit(child, f"{path}/{name}" if path else name, depth + 1)
        elif {0x01, 0x03, 0x08} <= messages.keys():
            if 0x0B in messages or 0x07 in messages:
                self.refuse(
                    "an array stored plainly", "a filter or an external file: " + path[:200]
                )
            parts = (self.bytes(m.start, m.size) for m in (messages[kind] for kind in (1, 3, 8)))
            self.arrays[path] = self.array(path, *parts)
        else:
            self.refuse("a group or an array", f"another object: {path[:200]}")

    def messages(self, header: int) -> list[_Message]:
        """The messages of an object header of version 1, its continuations included."""
        version, count, _, size = struct.unpack("<BxHII", self.bytes(header, 12))
        if version != 1:
            self.refuse("an object header of version 1", str(version))
        blocks, found = [(header + 16, size)], list[_Message]()
        while blocks:
            start, size = blocks.pop()
            stop = start + size
            if stop > len(self.data):
                self.refuse("a header within the file", f"one up to {stop}")
            while start + 8 <= stop and len(found) < count:
                kind, length, flags = struct.unpack("<HHB", self.bytes(start, 5))
                if start + 8 + length > stop or flags & 2:
                    self.refuse("a header message of its own", f"{length} bytes, flags {flags}")
                found.append(_Message(kind, start + 8, length))
                if kind == 0x10:
                    blocks.append(struct.unpack("<QQ", self.bytes(start + 8, 16)))
                    self.once(blocks[-1][0])
                start += 8 + length
        self.read += len(found)
        # Each takes 8 bytes: there are more only if headers share them.
        if self.read > len(self.data) // 8:
            self.refuse("each part of the file once", f"header messages at {header} again")
        return found

    def heap(self, address: int) -> tuple[int, int]:
        """Where the names of a group lie, and how many bytes they have."""
        signature, size, _, start = struct.unpack("<4s4xQQQ", self.bytes(address, 32))
        if signature != b"HEAP" or start + size > len(self.data):
            self.refuse("names of a group", f"other bytes at {address}")
        return start, size

    def children(
        self, tree: int, heap: tuple[int, int], level: int = DEPTH
    ) -> list[tuple[str, int]]:
        """The names in a group and the addresses of their headers."""
        self.once(tree)
        head = self.bytes(tree, 8)
        kind, found_level, count = struct.unpack("<4xBBH", head)
        if head[:4] != b"TREE" or kind != 0 or found_level >= level:
            self.refuse("the tree of a group", f"other bytes at {tree}")
        links = struct.unpack(f"<{2 * count}Q", self.bytes(tree + 32, 16 * count))[::2]
        found: list[tuple[str, int]] = []
        for link in links:
            if found_level:
                found += self.children(link, heap, found_level)
            else:
                found += self.symbols(link, heap)
        return found

    def symbols(self, node: int, heap: tuple[int, int]) -> list[tuple[str, int]]:
        """The names in one symbol node and the addresses of their headers."""
        self.once(node)
        head = self.bytes(node, 8)
        count = int.from_bytes(head[6:8], "little")
        if head[:5] != b"SNOD\x01":
            self.refuse("names in a group", f"other bytes at {node}")
        found: list[tuple[str, int]] = []
        for offset, header, cached in struct.iter_unpack(
            "<QQI20x", self.bytes(node + 8, 40 * count)
        ):
            name = self.name(heap, offset)
            if cached == 2 or header == UNDEFINED:
                self.refuse("groups and arrays of this file", f"a link elsewhere: {name[:200]!r}")
            found.append((name, header))
        return found

    def name(self, heap: tuple[int, int], offset: int) -> str:
        """One name from the names of a group."""
        start, size = heap
        if offset >= size:
            self.refuse("a name", f"an offset of {offset} in {size} bytes")
        text, end, _ = self.bytes(start + offset, min(size - offset, 1024)).partition(b"\0")
        try:
            name = text.decode()
        except UnicodeDecodeError:
            name = ""
        if not end or not name or "/" in name or name in (".", ".."):
            self.refuse("a name", repr(text[:80]))
        return name

    def array(self, path: str, space: bytes, datatype: bytes, layout: bytes) -> Array:
        """The array that three messages describe."""
        shape, dtype = self.shape(space, path), self.dtype(datatype, path)
        size = prod(shape) * dtype.itemsize
        if layout[:2] == b"\x03\x01" and len(layout) >= 18:
            start, stored = struct.unpack("<QQ", layout[2:18])
            data = self.data[start : start + stored] if start != UNDEFINED else self.data[:0]
        elif layout[:2] == b"\x03\x00" and len(layout) >= 4:
            stored = int.from_bytes(layout[2:4], "little")
            data = memoryview(layout)[4 : 4 + stored]
        else:
            self.refuse("an array stored as one block", f"layout {layout[:2].hex()}: {path[:200]}")
        self.taken += size
        if len(data) < size or self.taken > len(self.data):
            self.refuse(f"{size} bytes of numbers: {path[:200]}", f"{len(data)}")
        return (
            np.frombuffer(data, dtype, prod(shape)).reshape(shape)
            if size
            else np.zeros(shape, dtype)
        )

    def shape(self, space: bytes, path: str) -> tuple[int, ...]:
        """The sizes in a dataspace message."""
        version, rank = (space[0], space[1]) if len(space) > 3 else (0, 0)
        start = {1: 8, 2: 4}.get(version, len(space))
        if rank > RANK or len(space) < start + 8 * rank or (version == 2 and space[3] == 2):
            self.refuse(f"an array of at most {RANK} dimensions", f"{rank}: {path[:200]}")
        shape: tuple[int, ...] = struct.unpack(f"<{rank}Q", space[start : start + 8 * rank])
        # Even without numbers NumPy refuses sizes beyond its own.
        if prod(max(size, 1) for size in shape) >= 2**48:
            self.refuse("an array that fits the file", f"sizes {shape}: {path[:200]}")
        return shape

    def dtype(self, message: bytes, path: str) -> np.dtype[Any]:
        """The number type in a datatype message: whole or IEEE floating-point."""
        if len(message) >= 12:
            kind, bits, size = message[0] & 15, message[1], int.from_bytes(message[4:8], "little")
            order = ">" if bits & 1 else "<"
            plain = message[8:12] == struct.pack("<HH", 0, 8 * size & 0xFFFF)
            if kind == 0 and plain and size in (1, 2, 4, 8):
                return np.dtype(f"{order}{'i' if bits & 8 else 'u'}{size}")
            fields = {2: b"\x0a\x05\x00\x0a", 4: b"\x17\x08\x00\x17", 8: b"\x34\x0b\x00\x34"}
            if kind == 1 and plain and message[12:16] == fields.get(size) and not bits & 0x40:
                return np.dtype(f"{order}f{size}")
        return self.refuse("an array of whole or floating-point numbers", f"another: {path[:200]}")
