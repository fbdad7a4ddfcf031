"""The layers, by Keras' names."""

from studio.engine.layers.base import Layer, layers
from studio.engine.layers.conv import Conv2D
from studio.engine.layers.dense import Dense
from studio.engine.layers.dropout import Dropout
from studio.engine.layers.flatten import Flatten
from studio.engine.layers.input import Input
from studio.engine.layers.pooling import MaxPooling2D
from studio.engine.layers.recurrent import SimpleRNN

registry = layers

__all__ = [
    "Conv2D",
    "Dense",
    "Dropout",
    "Flatten",
    "Input",
    "Layer",
    "MaxPooling2D",
    "SimpleRNN",
    "registry",
]
