"""Keras' Sequential in NumPy: a library that stands on its own.

A program written for Keras runs with only its import lines changed::

    from studio.engine import Sequential
    from studio.engine.layers import Dense
"""

from studio.engine import (
    activations,
    callbacks,
    config,
    constraints,
    initializers,
    layers,
    losses,
    metrics,
    models,
    optimizers,
    regularizers,
    saving,
    schedules,
)
from studio.engine.layers.input import Input
from studio.engine.random import set_random_seed
from studio.engine.sequential import Sequential

__all__ = [
    "Input",
    "Sequential",
    "activations",
    "callbacks",
    "config",
    "constraints",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "models",
    "optimizers",
    "regularizers",
    "saving",
    "schedules",
    "set_random_seed",
]
