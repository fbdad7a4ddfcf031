"""Our HDF5 subset against h5py, the library that Keras writes its weights with."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from studio.engine.errors import FormatError
from studio.engine.saving.hdf5_read import hdf5_arrays
from studio.engine.saving.hdf5_write import hdf5_bytes

h5py: Any = pytest.importorskip("h5py", reason="needs h5py")

TYPES = ["f2", "<f4", ">f4", "<f8", "i1", "<i2", ">i4", "<i8", "u1", "<u2", "<u8"]


def written(fill: Callable[[Any], Any], **options: Any) -> bytes:
    """A file that h5py wrote."""
    file = io.BytesIO()
    with h5py.File(file, "w", **options) as h5:
        fill(h5)
    return file.getvalue()


def test_h5py_reads_what_we_write() -> None:
    stream = np.random.default_rng(0)
    arrays: dict[str, Any] = {
        f"t/{i}": (100 * stream.normal(size=(2, 3))).astype(t) for i, t in enumerate(TYPES)
    }
    arrays |= {f"many/{i}": stream.normal(size=i % 5).astype("f4") for i in range(1500)}
    arrays["scalar"] = np.array(2.5)
    arrays["größe/0"] = np.arange(3)
    with h5py.File(io.BytesIO(hdf5_bytes(arrays, ("empty/group",)))) as h5:
        for path, array in arrays.items():
            assert h5[path].dtype == array.dtype.newbyteorder("<")
            np.testing.assert_array_equal(h5[path][()], array)
        assert len(h5["many"]) == 1500
        assert len(h5["empty/group"]) == 0


def test_we_read_what_h5py_writes() -> None:
    stream = np.random.default_rng(0)
    arrays: dict[str, Any] = {
        f"t/{i}": (100 * stream.normal(size=(2, 3))).astype(t) for i, t in enumerate(TYPES)
    }
    arrays |= {f"deep/er/many/{i}": stream.normal(size=i % 5).astype("f4") for i in range(3000)}
    arrays["scalar"] = np.array(2.5)
    arrays["größe/0"] = np.arange(3)

    def fill(h5: Any) -> None:
        for path, array in arrays.items():
            h5.create_dataset(path, data=array)
        for name, group in h5.items():
            for number in range(20):  # Headers with continuation blocks.
                group.attrs[f"{name}{number}"] = "text" * 40

    found = hdf5_arrays(written(fill))
    assert found.keys() == arrays.keys()
    for path, array in arrays.items():
        np.testing.assert_array_equal(found[path], array)


def hard_link(h5: Any) -> None:
    """The same group by two names, and a group within itself."""
    h5.create_group("a")
    h5["a/again"] = h5["a"]


def virtual(h5: Any) -> None:
    """An array whose numbers lie in another file."""
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "x", (4,))
    h5.create_virtual_dataset("x", layout)


REFUSED: dict[str, Callable[[Any], Any]] = {
    "a soft link": lambda h5: h5.__setitem__("x", h5py.SoftLink("/y")),
    "an external link": lambda h5: h5.__setitem__("x", h5py.ExternalLink("/etc/passwd", "/")),
    "a hard link": hard_link,
    "a virtual array": virtual,
    "an external array": lambda h5: h5.create_dataset(
        "x", (4,), "f4", external=[("/etc/passwd", 0, 16)]
    ),
    "compression": lambda h5: h5.create_dataset("x", data=np.zeros(99), compression="gzip"),
    "chunks": lambda h5: h5.create_dataset("x", data=np.zeros(99), chunks=(9,)),
    "text": lambda h5: h5.create_dataset("x", data="text"),
    "records": lambda h5: h5.create_dataset("x", data=np.zeros(3, "i4,f4")),
    "complex numbers": lambda h5: h5.create_dataset("x", data=np.zeros(3, complex)),
    "a named type": lambda h5: h5.__setitem__("x", np.dtype("f8")),
    "references": lambda h5: h5.create_dataset("x", data=h5.ref, dtype=h5py.ref_dtype),
}


@pytest.mark.parametrize("what", REFUSED)
def test_all_else_is_refused(what: str) -> None:
    with pytest.raises(FormatError):
        hdf5_arrays(written(REFUSED[what]))


def test_the_newest_format_is_refused_by_name() -> None:
    data = written(lambda h5: h5.create_dataset("x", data=np.zeros(3)), libver="latest")
    with pytest.raises(FormatError, match="superblock"):
        hdf5_arrays(data)
