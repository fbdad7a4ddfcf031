"""Data and stacks for the tests of what is checked, and what a test asks of a report."""

from collections.abc import Mapping

from studio.data.dataset import DatasetInfo
from studio.engine.losses import Kind
from studio.project import edits
from studio.project.checks import Report, check
from studio.project.problems import Problem
from studio.project.values import Block, Project, Spec


def info(shape: tuple[int, ...], outputs: int, kind: Kind = "multiclass") -> DatasetInfo:
    classes = tuple(map(str, range(outputs))) if kind == "multiclass" else ()
    return DatasetInfo("iris", "", "", "", kind, shape, 100, "", classes)


IMAGES = info((28, 28, 1), 10)
TABLE = info((4,), 3)
NUMBERS = info((10,), 1, "regression")
TWO = info((2,), 1, "binary")


def stack(*specs: tuple[str, Mapping[str, object]] | str, loss: str = "cce") -> Project:
    made = [Spec(*spec) if isinstance(spec, tuple) else Spec(spec) for spec in specs]
    project = Project(tuple(Block(number, spec) for number, spec in enumerate(made, 1)))
    return edits.set_loss(project, loss)


def dense(units: object, activation: str = "relu") -> tuple[str, Mapping[str, object]]:
    return "Dense", {"units": units, "activation": activation}


CONV = ("Conv2D", {"filters": 8, "kernel_size": (3, 3), "activation": "relu"})
OUT = dense(10, "softmax")


def only(report: Report) -> Problem:
    assert len(report.problems) == 1
    return report.problems[0]


def mended(project: Project, data: DatasetInfo, fix: int = 0) -> Project:
    """The project after the fix of its only problem, which leaves none."""
    project = only(check(project, data)).fixes[fix].edit(project)
    assert check(project, data).problems == ()
    return project


def classes(project: Project) -> list[str]:
    return [block.layer.class_name for block in project.blocks]
