"""How gradients change weights (https://keras.io/api/optimizers/).

All weights of a model lie in one flat buffer, and so do their gradients and each of an optimizer's
``slots`` (averages and the like). An update walks over them in pieces that fit the processor's
cache, with in-place arithmetic: ``lay`` of each class is one formula for one piece.
"""

from studio.engine.optimizers import schedules
from studio.engine.optimizers.adam import Adam, Adamax, AdamW, Nadam
from studio.engine.optimizers.base import Optimizer, optimizers
from studio.engine.optimizers.scaled import Adadelta, Adagrad, RMSprop
from studio.engine.optimizers.sgd import SGD, Lion

get = deserialize = optimizers.make
serialize = optimizers.serialize

__all__ = [
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Lion",
    "Nadam",
    "Optimizer",
    "RMSprop",
    "deserialize",
    "get",
    "optimizers",
    "schedules",
    "serialize",
]
