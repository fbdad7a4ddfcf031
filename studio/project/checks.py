"""What every block makes of its input, and what is wrong with a project, in words."""

from __future__ import annotations

from dataclasses import dataclass

from studio.data.dataset import DatasetInfo
from studio.engine.errors import StateError, one_line
from studio.engine.layers.base import shape_text
from studio.engine.workspace import Shape
from studio.project.block_checks import block_problems, dtype_problems, name_problems
from studio.project.data_checks import data_problems, info_of
from studio.project.examine import Facts, examine
from studio.project.metric_checks import metric_problems
from studio.project.output_checks import loss_problems, output_problems
from studio.project.problems import Place, Problem
from studio.project.settings_checks import reduction_problems, settings_problems, split_problems
from studio.project.values import Block, Project


@dataclass(frozen=True)
class Row:
    """What is shown of one block.

    Args:
        block: the block.
        settings: its key settings in a few words.
        output_shape: batch (None) first; None behind a problem.
        shape_text: the same as people write it, ``"26 × 26 × 16"``.
        params: how many numbers its weights hold; None behind a problem.
        problem: the worst problem of this block.
    """

    block: Block
    settings: str
    output_shape: Shape | None
    shape_text: str
    params: int | None
    problem: Problem | None


@dataclass(frozen=True)
class Report:
    """The outcome of a check: one row per block, and all problems from the bottom up."""

    rows: tuple[Row, ...]
    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        """Whether training can start; warnings don't keep it from that."""
        return not any(found.severity == "error" for found in self.problems)

    @property
    def total_params(self) -> int:
        """How many numbers all known weights hold."""
        return sum(row.params or 0 for row in self.rows)

    def require(self) -> None:
        """Check that training can start.

        Raises:
            StateError: the first problem that keeps it from that.
        """
        for found in self.problems:
            if found.severity == "error":
                raise StateError(found.expected, found.found, self._place(found), found.advice)

    def _place(self, found: Problem) -> str:
        place = str(found.where)
        for number, row in enumerate(self.rows, 1):
            if row.block.id == found.where:
                place = f"block {number} ({one_line(row.block.layer.class_name, 40)})"
        return f"{place} {found.param or ''}".strip()


def check(project: Project, info: DatasetInfo | None = None) -> Report:
    """Work out all shapes and sizes, and whether the project can be trained. No array is made.

    Args:
        project: any project.
        info: about its data; looked up by their name where not given.
    """
    problems = list(data_problems(project))
    if info is None:
        info = info_of(project)
    shapes: list[Shape | None] = [info and (None, *info.input_shape)]
    found: list[Facts] = []
    for position, block in enumerate(project.blocks):
        facts = examine(block.layer, shapes[-1])
        found.append(facts)
        problems += block_problems(project, position, shapes, facts)
        shapes.append(facts.output_shape)
    problems += name_problems(project)
    problems += dtype_problems(project)
    problems += settings_problems(project)
    problems += reduction_problems(project)
    problems += metric_problems(project, info)
    if info is not None:
        problems += output_problems(project, shapes, found, info)
        problems += loss_problems(project, info)
        problems += split_problems(project, info)
    first: dict[Place, Problem] = {}
    for one in sorted(problems, key=lambda one: one.severity):
        first.setdefault(one.where, one)
    rows = [
        Row(
            block,
            facts.settings,
            facts.output_shape,
            "?" if facts.output_shape is None else shape_text(facts.output_shape),
            facts.params,
            first.get(block.id),
        )
        for block, facts in zip(project.blocks, found, strict=True)
    ]
    return Report(tuple(rows), tuple(problems))
