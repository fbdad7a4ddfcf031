"""A project as a model of the engine."""

from __future__ import annotations

from typing import cast

from studio.data.dataset import DatasetInfo
from studio.engine import Sequential
from studio.engine.layers import Layer
from studio.engine.layers import registry as layers
from studio.engine.losses import losses
from studio.engine.optimizers import optimizers
from studio.project.checks import check
from studio.project.metrics import made
from studio.project.propose import ADVICE
from studio.project.values import Project


def build_model(project: Project, info: DatasetInfo, threads: int | None = None) -> Sequential:
    """The model, built and compiled, with the weights that the project's seed gives it.

    Args:
        project: a project without errors.
        info: about its data.
        threads: how many threads it trains on; all processors where not given.

    Raises:
        StateError: if the check of the project finds an error.
    """
    check(project, info).require()
    settings = project.settings
    stack = [cast("Layer", block.layer.make(layers)) for block in project.blocks]
    model = Sequential(stack, seed=settings.seed, threads=threads)
    model.build((None, *info.input_shape))
    model.compile(
        optimizer=settings.optimizer.make(optimizers),
        loss=settings.loss.make(losses),
        metrics=[ADVICE[info.kind].figure, *map(made, settings.metrics)],
    )
    return model
