"""Our safetensors files and those of the reference implementation are the same."""

import contextlib
import json
import random

import numpy as np
import pytest
import safetensors.numpy as reference
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from studio.engine.errors import FormatError, ParameterError
from studio.engine.saving import safetensors

SHAPES = arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
DTYPES = st.sampled_from([np.dtype(code) for code in safetensors.TYPES.values()])
ARRAYS = st.dictionaries(
    st.text(max_size=5).filter(lambda name: name != "__metadata__"),
    DTYPES.flatmap(lambda dtype: arrays.arrays(dtype, SHAPES)),
    max_size=4,
)


def same(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> bool:
    return found.keys() == expected.keys() and all(
        found[name].dtype == expected[name].dtype
        and np.array_equal(found[name], expected[name], equal_nan=expected[name].dtype.kind == "f")
        and found[name].shape == expected[name].shape
        for name in expected
    )


@given(ARRAYS)
def test_round_trip_keeps_order(values: dict[str, np.ndarray]):
    found = safetensors.parse(safetensors.dump(values, {"made": "by us"}))
    assert same(found, values)
    assert list(found) == list(values)


@given(ARRAYS)
def test_reference_reads_ours(values: dict[str, np.ndarray]):
    assert same(reference.load(safetensors.dump(values)), values)


@given(ARRAYS)
def test_we_read_the_reference(values: dict[str, np.ndarray]):
    assert same(safetensors.parse(reference.save(values, {"made": "by them"})), values)


def test_files(tmp_path):
    values = {"kernel": np.arange(6, dtype=np.float32).reshape(2, 3)}
    safetensors.save_file(values, tmp_path / "w.safetensors")
    assert same(safetensors.load_file(tmp_path / "w.safetensors"), values)


def test_big_endian_and_strided_arrays_are_written_as_their_values():
    values = np.arange(12, dtype=">f4").reshape(3, 4)[:, ::2]
    np.testing.assert_array_equal(safetensors.parse(safetensors.dump({"a": values}))["a"], values)


def test_objects_are_refused():
    with pytest.raises(ParameterError, match="'a'"):
        safetensors.dump({"a": np.array([object()])})


def file(header: object, body: bytes = b"\0" * 8) -> bytes:
    text = json.dumps(header).encode() if not isinstance(header, bytes) else header
    return len(text).to_bytes(8, "little") + text + body


def entry(dtype: object = "F32", shape: object = (2,), place: object = (0, 8)) -> dict:
    return {"a": {"dtype": dtype, "shape": shape, "data_offsets": place}}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff" * 8,
        (10**9).to_bytes(8, "little") + b"{}",
        file(b"\xff\xfe"),
        file(b"[" * 100_000),
        file([]),
        file({"a": 3}),
        file({"a": {}}),
        file(b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},' * 2 + b"}"),
        file(b'{"a":1,"a":2}'),
        file(entry("F8_E4M3")),
        file(entry(["F32"])),
        file(entry(shape=[-2])),
        file(entry(shape=[2.0])),
        file(entry(shape=[True, 2])),
        file(entry(shape=[2**40, 2**40])),
        file(entry(shape=[0, 2**70])),
        file(entry(shape=[0, 2**40, 2**40], place=[0, 0]), b""),
        file(entry(shape=[1] * 40)),
        file(entry(shape="2")),
        file(entry(shape=[3])),
        file(entry(place=[0, 16])),
        file(entry(place=[8, 0])),
        file(entry(place=[0])),
        file(entry(place=[-8, 0])),
        file(entry(place=[4, 12]), b"\0" * 12),
        file(entry(), b"\0" * 12),
        file({**entry(), "b": entry()["a"]}),
    ],
)
def test_damaged_files_are_refused(data: bytes):
    with pytest.raises(FormatError):
        safetensors.parse(data, "w.safetensors")


def test_random_damage_never_raises_anything_else():
    whole = safetensors.dump({"kernel": np.ones((3, 4), np.float32), "bias": np.zeros(4)})
    random_ = random.Random(0)
    for _ in range(3000):
        damaged = bytearray(
            whole[: random_.randint(0, len(whole))] if random_.random() < 0.3 else whole
        )
        for _ in range(random_.randint(1, 3)):
            if damaged:
                damaged[random_.randrange(min(len(damaged), 180))] = random_.randrange(256)
        with contextlib.suppress(FormatError):
            safetensors.parse(bytes(damaged))
