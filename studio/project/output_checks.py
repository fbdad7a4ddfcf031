"""Whether what comes out of the stack suits the data and the loss."""

from __future__ import annotations

from collections.abc import Iterator

from studio.engine.errors import Fix, ParameterError, ShapeError
from studio.engine.layers import registry as layers
from studio.engine.layers.base import shape_text
from studio.engine.losses import losses
from studio.engine.params import snake_case
from studio.engine.workspace import Shape
from studio.project.edits import insert_block, insert_spec, set_loss
from studio.project.examine import Facts
from studio.project.problems import Problem, problem
from studio.project.propose import ADVICE, DataInfo, output_layer, proposed_activation, suits
from studio.project.repairs import repairs, setting
from studio.project.values import Block, Project


def empty_problem(info: DataInfo) -> Problem:
    """The problem of a stack without blocks."""
    return problem(
        ShapeError("at least one block", "none", advice="Drag one from the palette."),
        "stack",
        fixes=(adding_output(info, len(info.input_shape)),),
    )


def adding_output(info: DataInfo, rank: int) -> Fix:
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
    project: Project, before: Block | None, shape: Shape, facts: Facts, info: DataInfo
) -> Iterator[Problem]:
    """What is wrong with the last block.

    Args:
        project: the whole.
        before: the block under the last one.
        shape: the input shape of ``before``, else that of the last one.
        facts: those of the last block.
        info: about the data.
    """
    block, target = project.blocks[-1], (None, info.outputs)
    output = facts.output_shape
    if output is None:
        return
    if output != target:
        fixes = repairs(before, block, shape, lambda found: found == target, info.outputs)
        wanted = "1 number" if info.outputs == 1 else f"{info.outputs} numbers"
        yield problem(
            ShapeError(
                f"an output of {wanted} per sample for this data", shape_text(output),
                advice="Change this block, or add an output block.",
            ),
            block.id,
            fixes=fixes or (adding_output(info, len(output) - 1),),
        )  # fmt: skip
        return
    loss = project.settings.loss
    if not suits(loss, info.kind):
        return
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


def loss_problems(project: Project, info: DataInfo) -> Iterator[Problem]:
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
