"""What is wrong with a block in its place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from math import prod
from typing import Any, cast

from studio.engine.errors import Fix, ParameterError, ShapeError
from studio.engine.layers import registry as layers
from studio.engine.params import REQUIRED, snake_case
from studio.engine.workspace import Shape
from studio.project.edits import set_layer
from studio.project.examine import Facts, Wrong
from studio.project.problems import Problem, problem
from studio.project.repairs import removal, repairs, setting
from studio.project.values import Block, Project

LARGEST = 1 << 28
"""The most numbers that one block's weights, or its output for one batch, may have: 1 GiB."""


def block_problems(
    project: Project, position: int, shapes: list[Shape | None], facts: Facts
) -> Iterator[Problem]:
    """What is wrong with the block at ``position``; ``shapes`` goes up to its input."""
    block = project.blocks[position]
    for wrong in facts.wrong:
        if wrong.param is not None:
            yield _param_problem(block, wrong)
        elif block.layer.class_name not in layers:
            yield problem(wrong.error, block.id, fixes=(removal(block),))
        else:
            before = project.blocks[position - 1] if position else None
            start = shapes[-2] if before else shapes[-1]
            fixes = repairs(before, block, start, lambda shape: True)
            yield problem(wrong.error, block.id, fixes=fixes or (removal(block),))
    too_large = _size_problem(block, facts, project.settings.batch_size)
    if too_large:
        yield too_large


def _param_problem(block: Block, wrong: Wrong) -> Problem:
    name = wrong.param or ""
    layer = block.layer
    param = layers.find(layer.class_name).params.get(name)
    if param is None:
        rest = {key: value for key, value in layer.config.items() if key != name}
        mended = replace(layer, config=rest)
        fix = Fix(f"Remove {name}", partial(set_layer, block_id=block.id, layer=mended))
        return problem(wrong.error, block.id, subject=name, param=name, fixes=(fix,))
    fixes = () if param.initial is REQUIRED else (setting(block, name, param.initial),)
    return problem(wrong.error, block.id, subject=param.label, param=name, fixes=fixes)


def _size_problem(block: Block, facts: Facts, batch_size: int) -> Problem | None:
    batch = batch_size if type(batch_size) is int else 1
    outputs = batch * prod(size or 1 for size in (facts.output_shape or ())[1:])
    for count, what in ((facts.params or 0, "weights"), (outputs, "outputs for one batch")):
        if count > LARGEST:
            error = ShapeError(f"at most {LARGEST:,} {what}", f"{count:,}")
            return problem(error, block.id)
    return None


INPUT = "input_layer"


def name_problems(project: Project) -> Iterator[Problem]:
    """Blocks whose own name another one has too, of its own or as a numbered class name.

    Keras has a name for what comes before the first block.
    """
    names = block_names(project)
    counts = Counter([*names, INPUT])
    for block, name in zip(project.blocks, names, strict=True):
        if counts[name] > 1 and "name" in block.layer.config:
            error = ParameterError("a name that no other block has", repr(name))
            fix = setting(block, "name", None)
            yield problem(error, block.id, subject="Name", param="name", fixes=(fix,))


def dtype_problems(project: Project) -> Iterator[Problem]:
    """Blocks that compute with another number type than the first one."""
    types = [_dtype(block.layer.config) for block in project.blocks]
    for block, own in zip(project.blocks, types, strict=True):
        if own != types[0]:
            error = ParameterError(f"that of the first block, {types[0]}", own)
            fix = setting(block, "dtype", types[0])
            yield problem(error, block.id, subject="Number type", param="dtype", fixes=(fix,))


def _dtype(config: Mapping[str, Any]) -> str:
    """A layer's number type; a wrapper without one has that of the layer within."""
    inner = config.get("layer")
    within = "float32"
    if isinstance(inner, Mapping):
        within = _dtype(cast("Mapping[str, Any]", inner).get("config", {}))
    return str(config.get("dtype") or within)


def block_names(project: Project) -> list[str]:
    """What each layer is called in the model: its own name, or as in Keras its class, numbered."""
    names: list[str] = []
    numbers: Counter[str] = Counter()
    for block in project.blocks:
        own = block.layer.config.get("name")
        base = snake_case(block.layer.class_name)
        if own is None:
            names.append(f"{base}_{numbers[base]}" if numbers[base] else base)
            numbers[base] += 1
        else:
            names.append(str(own))
    return names
