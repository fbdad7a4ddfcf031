"""Reads the real data that come with the program."""

from __future__ import annotations

import numpy as np

from studio.data.dataset import Dataset, DatasetInfo
from studio.engine.params import Declared
from studio.resources import resource


def read_table(info: DatasetInfo, options: Declared) -> Dataset:
    """A CSV file: a row of names, then numbers; the last column is the target."""
    path = resource("datasets", f"{info.name}.csv")
    with path.open(encoding="utf-8") as file:
        *feature_names, _ = file.readline().rstrip("\n").split(",")
        table = np.loadtxt(file, delimiter=",")
    y = table[:, -1] if info.kind == "regression" else table[:, -1].astype(np.int64)
    return Dataset(info, table[:, :-1], y, tuple(feature_names), options)


def read_images(info: DatasetInfo, options: Declared) -> Dataset:
    """An npz file: grey pixels ``x`` (samples, height, width) and class numbers ``y``."""
    with np.load(resource("datasets", f"{info.name}.npz"), allow_pickle=False) as arrays:
        return Dataset(info, arrays["x"][..., None], arrays["y"].astype(np.int64), (), options)
