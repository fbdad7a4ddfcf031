"""Whether what comes out of the stack suits the data and the loss."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from studio.data.dataset import DatasetInfo
from studio.engine.errors import Fix, ParameterError, ShapeError
from studio.engine.layers import registry as layers
from studio.engine.layers.base import shape_text
from studio.engine.losses import losses
from studio.engine.params import snake_case
from studio.engine.workspace import Shape
from studio.project.edits import insert_block, insert_spec, set_loss
from studio.project.examine import Facts
from studio.project.problems import Problem, problem
from studio.project.propose import ADVICE, output_layer, proposed_activation, suits
from studio.project.repairs import repairs, setting
from studio.project.values import Project


def empty_problem(info: DatasetInfo) -> Problem:
    """The problem of a stack without blocks."""
    return problem(
        ShapeError("at least one block", "none", advice="Drag one from the palette."),
        "stack",
        fixes=(adding_output(info, len(info.input_shape)),),
    )


def adding_output(info: DatasetInfo, rank: int) -> Fix:
    """The edit that puts an output block on top of a stack whose output has ``rank`` dimensions."""
    flatten = "Flatten and " if rank > 1 else ""

    def edit(project: Project) -> Project:
        if flatten:
            project = insert_block(project, len(project.blocks), "Flatten")
        layer = output_layer(info, project.settings.loss)
        return insert_spec(project, len(project.blocks), layer)

    layer = output_layer(info, Project().settings.loss)
    return Fix(f"Add {flatten}{layer.class_name} {layer.config['units']} as output", edit)


def output_problems(
    project: Project, shapes: Sequence[Shape | None], facts: Sequence[Facts], info: DatasetInfo
) -> Iterator[Problem]:
    """Whether there is an output, and it suits the data and the loss.

    Args:
        project: the whole.
        shapes: the input shape of the stack, then the output shape of each block.
        facts: those of each block.
        info: about the data.
    """
    if not project.blocks:
        yield empty_problem(info)
        return
    output = shapes[-1]
    if output is None:
        return
    if output != (None, info.outputs):
        yield _shape_problem(project, shapes, output, info)
    elif suits(project.settings.loss, info.kind):
        yield from _activation_problems(project, facts[-1], info)


def _shape_problem(
    project: Project, shapes: Sequence[Shape | None], output: Shape, info: DatasetInfo
) -> Problem:
    block, target = project.blocks[-1], (None, info.outputs)
    before = project.blocks[-2] if len(project.blocks) > 1 else None
    start = shapes[-3] if before else shapes[-2]
    fixes = repairs(before, block, start, lambda found: found == target, info.outputs)
    wanted = "1 number" if info.outputs == 1 else f"{info.outputs} numbers"
    error = ShapeError(
        f"an output of {wanted} per sample for this data", shape_text(output),
        advice="Change this block, or add an output block.",
    )  # fmt: skip
    return problem(error, block.id, fixes=fixes or (adding_output(info, len(output) - 1),))


def _activation_problems(project: Project, facts: Facts, info: DatasetInfo) -> Iterator[Problem]:
    block, loss = project.blocks[-1], project.settings.loss
    wanted, found = proposed_activation(loss, info.kind), facts.activation
    if found is not None and snake_case(type(found).__name__) == wanted:
        return
    has_activation = "activation" in layers.find(block.layer.class_name).params
    yield problem(
        ParameterError(
            f"an output that ends with {wanted}",
            "no activation" if found is None else snake_case(type(found).__name__),
            advice=f"The loss {_words(loss.class_name)} is made for {wanted}.",
        ),
        block.id,
        param="activation" if has_activation else None,
        fixes=(setting(block, "activation", wanted),)
        if has_activation
        else (adding_output(info, 1),),
        severity="warning",
    )


def loss_problems(project: Project, info: DatasetInfo) -> Iterator[Problem]:
    """Whether the loss suits the targets."""
    loss = project.settings.loss
    if loss.class_name not in losses or suits(loss, info.kind):
        return
    kinds = losses.find(loss.class_name).kinds
    # A loss of numbers also measures probabilities, one for two classes also each of several.
    works = "regression" in kinds or (info.kind == "multiclass" and "binary" in kinds)
    advised = ADVICE[info.kind]
    yield problem(
        ParameterError(f"a loss for {advised.words}, as the data have", _words(loss.class_name)),
        "settings",
        subject="Loss",
        param="loss",
        fixes=(Fix(f"Use {_words(advised.loss)}", lambda now: set_loss(now, advised.loss)),),
        severity="warning" if works else "error",
    )


def _words(class_name: str) -> str:
    return snake_case(class_name).replace("_", " ")
