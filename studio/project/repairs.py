"""A search for edits that make a block fit: one change if that is enough, else two.

It knows no layer. It tries what the declarations offer: the other words of a choice, a yes for a
no, a number of outputs, and a block without parameters put before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from typing import Any

from studio.engine.errors import Fix
from studio.engine.layers import registry as layers
from studio.engine.layers.wrapper import Inner
from studio.engine.params import Boolean, Choice, Integer, Param
from studio.engine.workspace import Shape
from studio.project.edits import insert_spec, remove_blocks, set_param
from studio.project.examine import examine
from studio.project.problems import setting_words
from studio.project.specs import set_spec_param
from studio.project.values import Block, Config, Project, Spec

MOST = 2
"""How many changes are offered for one problem, beside taking a block out."""

Goal = Callable[[Shape], bool]


def repairs(
    before: Block | None, block: Block, shape: Shape | None, goal: Goal, size: int | None = None
) -> tuple[Fix, ...]:
    """Edits after which the block's output shape meets ``goal``.

    Args:
        before: the block under it, which may be changed too.
        block: the block that does not fit.
        shape: the input shape of ``before``, or of ``block`` where there is none; nothing helps
            where it is not known.
        goal: whether an output shape is right.
        size: a number that may be tried as a number of outputs.
    """
    window = Project((before, block) if before else (block,))
    singles = list(_candidates(window, block.id, size))
    pairs = (
        _both(first, second)
        for first in singles
        for second in _candidates(first.edit(window), block.id, size)
    )

    def good(fixes: Iterable[Fix]) -> tuple[Fix, ...]:
        return tuple(islice(_different(window, shape, goal, fixes), MOST))

    return good(singles) or good(pairs)


def insert_before(project: Project, block_id: int, layer: Spec) -> Project:
    """A block of that layer before the block of that id."""
    return insert_spec(project, project.position(block_id), layer)


def removal(block: Block) -> Fix:
    """The edit that takes the block out."""
    return Fix("Remove this block", partial(remove_blocks, ids=(block.id,)))


def removal_of_newer(before: Block | None, block: Block, shape: Shape | None) -> Fix:
    """The edit that takes out what came last: ``block``, or the one under it that is why.

    Args:
        before: the block under it.
        block: the block that does not fit.
        shape: the input shape of ``before``.
    """
    if before and before.id > block.id and _output(Project((block,)), shape):
        name = before.layer.class_name
        return Fix(f"Remove {name} before it", partial(remove_blocks, ids=(before.id,)))
    return removal(block)


def setting(block: Block, name: str, value: Any, of: str = "") -> Fix:
    """The edit that sets a parameter."""
    label = setting_words(layers.find(block.layer.class_name).params[name], value, of)
    return Fix(label, partial(set_param, block_id=block.id, name=name, value=value))


def _candidates(window: Project, block_id: int, size: int | None) -> Iterator[Fix]:
    position = window.position(block_id)
    block = window.blocks[position]
    yield from _alternatives(block, size, "")
    for spec in _simple_layers():
        label = f"Insert {spec.class_name} before it"
        yield Fix(label, partial(insert_before, block_id=block_id, layer=spec))
    if position:
        under = window.blocks[position - 1]
        yield from _alternatives(under, None, f" of {under.layer.class_name} before it")


def _alternatives(block: Block, size: int | None, of: str) -> Iterator[Fix]:
    """Other values of a block's everyday parameters, and of those of layers within it."""
    if block.layer.class_name not in layers:
        return
    for name, param in layers.find(block.layer.class_name).params.items():
        now = block.layer.config.get(name, param.default)
        for option in _options(param, now, size):
            yield setting(block, name, option, of)
        if isinstance(param, Inner) and (spec := Spec.of(now, param.registry)):
            within = f" of {param.label.lower()}{of}"
            for label, value in _alternatives_within(param, spec, within):
                yield Fix(label, partial(set_param, block_id=block.id, name=name, value=value))


def _alternatives_within(param: Inner, spec: Spec, of: str) -> Iterator[tuple[str, Config]]:
    """Other values of a layer within: first what one chosen now would start with."""
    registry = param.registry
    declared = registry.find(spec.class_name).params
    changes = [
        (name, value)
        for name, value in param.starts.items()
        if value != spec.config.get(name, declared[name].default)
    ]
    for name, inner in declared.items():
        now = spec.config.get(name, inner.default)
        changes += [(name, option) for option in _options(inner, now, None)]
    for name, value in changes:
        changed = set_spec_param(spec, registry, name, value)
        yield setting_words(declared[name], value, of), changed.value


def _options(param: Param[Any], now: Any, size: int | None) -> list[Any]:
    """Other values that an everyday parameter may be given."""
    if param.advanced:
        return []
    if isinstance(param, Choice):
        return [option for option in param.options if option != now]
    if isinstance(param, Boolean):
        return [not now]
    return [size] if isinstance(param, Integer) and size is not None else []


def _simple_layers() -> list[Spec]:
    """The layers that only rearrange and need no parameters."""
    return [
        Spec(cls.__name__)
        for cls in layers
        if cls.category in ("Core", "Reshaping")
        and not any(param.required for param in cls.params.values())
    ]


def _different(
    window: Project, shape: Shape | None, goal: Goal, fixes: Iterable[Fix]
) -> Iterator[Fix]:
    """Those that meet the goal, without those that lead to the same as one before."""
    reached: list[Project] = []
    for fix in fixes:
        mended = fix.edit(window)
        output = _output(mended, shape)
        if output is not None and goal(output) and mended not in reached:
            reached.append(mended)
            yield fix


def _output(window: Project, shape: Shape | None) -> Shape | None:
    """The shape that comes out of all blocks; None where one does not fit."""
    for block in window.blocks:
        shape = examine(block.layer, shape).output_shape if shape else None
    return shape


def _both(first: Fix, second: Fix) -> Fix:
    label = f"{first.label} and {second.label[0].lower()}{second.label[1:]}"
    return Fix(label, lambda project: second.edit(first.edit(project)))
