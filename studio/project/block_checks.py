"""What is wrong with a block in its place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from math import prod
from typing import Any, NamedTuple, cast

from studio.engine.errors import Fix, ParameterError, ShapeError, StudioError, one_line
from studio.engine.layers import registry as layers
from studio.engine.layers.wrapper import Inner
from studio.engine.params import REQUIRED, Param, snake_case
from studio.engine.workspace import Shape
from studio.project.edits import set_layer, set_param, set_settings
from studio.project.examine import Facts, Wrong, wrong_parameters
from studio.project.problems import Problem, problem, setting_words
from studio.project.repairs import removal, removal_of_newer, repairs, setting
from studio.project.specs import set_spec_param
from studio.project.values import Block, Project, Spec

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
        elif block.layer.class_name not in layers or facts.output_shape is not None:
            yield problem(wrong.error, block.id, fixes=(removal(block),))
        else:
            before = project.blocks[position - 1] if position else None
            start = shapes[-2] if before else shapes[-1]
            fixes = repairs(before, block, start, lambda shape: True)
            taking_out = removal_of_newer(before, block, start)
            yield problem(wrong.error, block.id, fixes=(*fixes, taking_out))
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
        fix = Fix(
            f"Remove {one_line(name, 40)}", partial(set_layer, block_id=block.id, layer=mended)
        )
        return problem(wrong.error, block.id, subject=name, param=name, fixes=(fix,))
    within = _within(param, layer.config.get(name))
    if within is not None:
        set_all = partial(set_param, block_id=block.id, name=name, value=within.mended)
        return problem(
            within.error, block.id, subject=within.param.label, param=f"{name}.{within.path}",
            fixes=(Fix(setting_words(within.param, within.initial), set_all),),
        )  # fmt: skip
    fixes = () if param.initial is REQUIRED else (setting(block, name, param.initial),)
    return problem(wrong.error, block.id, subject=param.label, param=name, fixes=fixes)


class _WrongWithin(NamedTuple):
    """An invalid parameter of a layer within a layer.

    Attributes:
        path: its name within, perhaps of a layer within that one.
        param: its declaration.
        error: what is wrong.
        initial: the value that mends it.
        mended: the outermost layer within with that value.
    """

    path: str
    param: Param[Any]
    error: StudioError
    initial: Any
    mended: Any


def _within(param: Param[Any], value: Any) -> _WrongWithin | None:
    """The first parameter that is invalid in a layer within, if one that can be set is."""
    if not isinstance(param, Inner) or not isinstance(value, Mapping):
        return None
    registry = param.registry
    spec = Spec.of(cast("Mapping[str, Any]", value), registry)
    wrong = next(iter(wrong_parameters(spec, registry)), None) if spec else None
    if spec is None or wrong is None or not wrong.param:
        return None
    inner = registry.find(spec.class_name).params.get(wrong.param)
    if inner is None:
        return None
    found = _within(inner, spec.config.get(wrong.param))
    if found is None:
        if inner.initial is REQUIRED:
            return None
        found = _WrongWithin("", inner, wrong.error, inner.initial, inner.initial)
    path = f"{wrong.param}.{found.path}".rstrip(".")
    mended = set_spec_param(spec, registry, wrong.param, found.mended).value
    return found._replace(path=path, mended=mended)


def _size_problem(block: Block, facts: Facts, batch_size: int) -> Problem | None:
    weights = facts.params or 0
    if weights > LARGEST:
        return problem(ShapeError(f"at most {LARGEST:,} weights", f"{weights:,}"), block.id)
    batch = batch_size if type(batch_size) is int else 1
    outputs = prod(size or 1 for size in (facts.output_shape or ())[1:])
    if batch * outputs <= LARGEST:
        return None
    expected, found = f"at most {LARGEST:,} outputs for one batch", f"{batch * outputs:,}"
    if outputs > LARGEST:
        return problem(ShapeError(expected, found), block.id)
    fitting = 1 << ((LARGEST // outputs).bit_length() - 1)
    advice = f"With a batch size of {fitting:,} it fits."
    fix = Fix(f"Set batch size to {fitting:,}", partial(set_settings, batch_size=fitting))
    return problem(ShapeError(expected, found, advice=advice), block.id, fixes=(fix,))


INPUT = "input_layer"
"""What Keras calls that which comes before the first block."""


def name_problems(project: Project) -> Iterator[Problem]:
    """Blocks whose own name another one has too, of its own or as a numbered class name."""
    names = block_names(project)
    counts = Counter([*names, INPUT])
    for block, name in zip(project.blocks, names, strict=True):
        known = block.layer.class_name in layers
        if known and counts[name] > 1 and "name" in block.layer.config:
            error = ParameterError("a name that no other block has", repr(name))
            fix = setting(block, "name", None)
            yield problem(error, block.id, subject="Name", param="name", fixes=(fix,))


def dtype_problems(project: Project) -> Iterator[Problem]:
    """Blocks that compute with another number type than the first one that is known."""
    known = [block for block in project.blocks if block.layer.class_name in layers]
    types = [_dtype(block.layer.config) for block in known]
    for block, own in zip(known, types, strict=True):
        if own != types[0]:
            error = ParameterError(f"that of the first block, {types[0]}", own)
            fix = setting(block, "dtype", types[0])
            yield problem(error, block.id, subject="Number type", param="dtype", fixes=(fix,))


def _dtype(config: Mapping[str, Any]) -> str:
    """A layer's number type; a wrapper without one has that of the layer within."""
    inner = Spec.of(config.get("layer"), layers)
    return str(config.get("dtype") or (_dtype(inner.config) if inner else "float32"))


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
