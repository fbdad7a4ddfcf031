"""Edits: pure functions from a project to a project."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import count
from typing import Any

from studio.data.catalogue import find
from studio.engine.layers import registry as layers
from studio.engine.losses import losses
from studio.engine.metrics import metrics
from studio.engine.optimizers import optimizers
from studio.project.metrics import fitted_metric, proposed_metrics
from studio.project.propose import fitted, proposed_loss
from studio.project.specs import new_spec, set_spec_param, with_value
from studio.project.values import WHOLE, Block, DataChoice, Project, Spec

# The stack


def insert_block(project: Project, index: int, class_name: str) -> Project:
    """A new block before position ``index``; at the end from the stack's length on.

    Raises:
        UnknownNameError: if there is no such layer.
    """
    return insert_spec(project, index, new_spec(layers, class_name))


def insert_spec(project: Project, index: int, layer: Spec) -> Project:
    """A block of that layer before position ``index``."""
    blocks = list(project.blocks)
    blocks.insert(max(index, 0), Block(new_id(project), layer))
    return replace(project, blocks=tuple(blocks))


def new_id(project: Project) -> int:
    """A number that no block of the project has."""
    taken = {block.id for block in project.blocks}
    following = 1 + max(taken, default=0)
    # A file may hold the largest one that there can be.
    return following if following < WHOLE else next(n for n in count(1) if n not in taken)


def remove_blocks(project: Project, ids: Iterable[int]) -> Project:
    """The project without those blocks."""
    gone = set(ids)
    return replace(project, blocks=tuple(block for block in project.blocks if block.id not in gone))


def move_block(project: Project, block_id: int, index: int) -> Project:
    """That block at position ``index`` of the stack as it is without it.

    Raises:
        KeyError: if there is no such block.
    """
    block = project.block(block_id)
    blocks = [other for other in project.blocks if other is not block]
    blocks.insert(max(index, 0), block)
    return replace(project, blocks=tuple(blocks))


def duplicate_block(project: Project, block_id: int) -> Project:
    """A copy of that block right after it. A name of its own is not copied: names are unique.

    Raises:
        KeyError: if there is no such block.
    """
    position = project.position(block_id)
    layer = project.blocks[position].layer
    config = {name: value for name, value in layer.config.items() if name != "name"}
    return insert_spec(project, position + 1, replace(layer, config=config))


def set_param(project: Project, block_id: int, name: str, value: Any) -> Project:
    """Another value of a block's parameter, valid or not (see :func:`set_spec_param`).

    Raises:
        KeyError: if there is no such block.
        UnknownNameError: if its layer is not known, or has no such parameter.
    """
    layer = project.block(block_id).layer
    return set_layer(project, block_id, set_spec_param(layer, layers, name, value))


def set_layer(project: Project, block_id: int, layer: Spec) -> Project:
    """Another layer in a block."""
    position = project.position(block_id)
    blocks = list(project.blocks)
    blocks[position] = Block(block_id, layer)
    return replace(project, blocks=tuple(blocks))


# The data


def set_data(project: Project, choice: DataChoice) -> Project:
    """Other data; output block, loss and metrics are set to what the new targets ask for.

    Raises:
        UnknownNameError: if there are no such data.
    """
    info = find(choice.name)
    loss = proposed_loss(project.settings.loss, info.kind)
    blocks = project.blocks
    if blocks:
        blocks = (*blocks[:-1], replace(blocks[-1], layer=fitted(blocks[-1].layer, info, loss)))
    chosen = proposed_metrics(project.settings.metrics, info)
    settings = replace(project.settings, loss=loss, metrics=chosen)
    return replace(project, blocks=blocks, data=choice, settings=settings)


def set_data_option(project: Project, name: str, value: Any) -> Project:
    """Another value of an option of synthetic data, valid or not.

    Raises:
        UnknownNameError: if the data are not known, or have no such option.
    """
    data = project.data
    options = with_value(find(data.name).options, data.options, name, value)
    return replace(project, data=replace(data, options=options))


# How to train


def set_settings(project: Project, **changes: Any) -> Project:
    """Other values of epochs, batch_size, validation_split or seed, valid or not."""
    return replace(project, settings=replace(project.settings, **changes))


def set_optimizer(project: Project, class_name: str) -> Project:
    """Another optimizer, with its initial values.

    Raises:
        UnknownNameError: if there is no such optimizer.
    """
    return set_settings(project, optimizer=new_spec(optimizers, class_name))


def set_optimizer_param(project: Project, name: str, value: Any) -> Project:
    """Another value of a parameter of the optimizer, such as the learning rate."""
    spec = set_spec_param(project.settings.optimizer, optimizers, name, value)
    return set_settings(project, optimizer=spec)


def set_loss(project: Project, class_name: str) -> Project:
    """Another loss, with its initial values.

    Raises:
        UnknownNameError: if there is no such loss.
    """
    return set_settings(project, loss=new_spec(losses, class_name))


def set_loss_param(project: Project, name: str, value: Any) -> Project:
    """Another value of a parameter of the loss."""
    return set_settings(project, loss=set_spec_param(project.settings.loss, losses, name, value))


def add_metric(project: Project, class_name: str) -> Project:
    """A metric more, with initial values that make sense for the data.

    Raises:
        UnknownNameError: if there is no such metric, or no such data.
    """
    metric = fitted_metric(new_spec(metrics, class_name), find(project.data.name))
    return set_settings(project, metrics=(*project.settings.metrics, metric))


def replace_metric(project: Project, metric: Spec, *others: Spec) -> Project:
    """Others, or none, in the place of a metric; of equal ones the last. Nothing if it is gone."""
    found = project.settings.metrics
    if metric not in found:
        return project
    last = len(found) - 1 - found[::-1].index(metric)
    return set_settings(project, metrics=(*found[:last], *others, *found[last + 1 :]))
