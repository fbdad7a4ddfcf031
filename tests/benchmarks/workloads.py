"""The networks that the benchmarks train, in words that every framework can be built from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Step = tuple[Any, ...]


@dataclass(frozen=True)
class Workload:
    """A network, its data and its batch size.

    ``layers`` are tuples: ``("dense", units, activation)``, ``("conv", filters, padding)`` (3×3,
    relu), ``("pool",)``, ``("flatten",)``, ``("dropout", rate)``, ``("rnn", kind, units)``.
    """

    name: str
    input_shape: tuple[int, ...]
    layers: tuple[Step, ...]
    batch: int
    samples: int

    @property
    def classes(self) -> int:
        """How many outputs the last layer has."""
        return self.layers[-1][1]

    @property
    def steps(self) -> int:
        """Updates per epoch."""
        return -(-self.samples // self.batch)

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """Random inputs, and random classes one-hot."""
        random = np.random.default_rng(0)
        x = random.random((self.samples, *self.input_shape), dtype=np.float32)
        labels = random.integers(0, self.classes, self.samples)
        return x, np.eye(self.classes, dtype=np.float32)[labels]


def dense(*units: int, drop: float = 0) -> tuple[Step, ...]:
    """Hidden Dense layers with relu, each followed by Dropout where asked for."""
    found: list[Step] = []
    for count in units:
        found.append(("dense", count, "relu"))
        if drop:
            found.append(("dropout", drop))
    return tuple(found)


SOFTMAX: Step = ("dense", 10, "softmax")
CNN: tuple[Step, ...] = (
    ("conv", 32, "valid"), ("pool",), ("conv", 64, "valid"), ("pool",),
    ("flatten",), ("dropout", 0.5), SOFTMAX,
)  # fmt: skip
CIFAR: tuple[Step, ...] = (
    ("conv", 32, "same"), ("conv", 32, "valid"), ("pool",),
    ("conv", 64, "same"), ("conv", 64, "valid"), ("pool",),
    ("flatten",), ("dense", 512, "relu"), ("dropout", 0.5), SOFTMAX,
)  # fmt: skip

WORKLOADS = (
    Workload("tiny", (4,), (*dense(16), ("dense", 3, "softmax")), 16, 2_000),
    Workload("mlp b32", (784,), (*dense(256, 128), SOFTMAX), 32, 16_000),
    Workload("mlp b128", (784,), (*dense(512, 512, drop=0.2), SOFTMAX), 128, 25_600),
    Workload("cnn b128", (28, 28, 1), CNN, 128, 6_400),
    Workload("cnn b32", (28, 28, 1), CNN, 32, 3_200),
    Workload("cifar b64", (32, 32, 3), CIFAR, 64, 1_920),
    Workload("lstm b64", (100, 16), (("rnn", "LSTM", 64), SOFTMAX), 64, 6_400),
    Workload("gru b64", (100, 16), (("rnn", "GRU", 64), SOFTMAX), 64, 6_400),
    Workload("rnn b32", (28, 28), (("rnn", "SimpleRNN", 64), SOFTMAX), 32, 6_400),
)
