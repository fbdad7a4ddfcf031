"""Activation functions, as classes and by Keras' names as functions."""

from studio.engine.activations.base import Activation, activations
from studio.engine.activations.common import (
    Elu,
    Gelu,
    LeakyRelu,
    Linear,
    Relu,
    Selu,
    Sigmoid,
    Silu,
    Softmax,
    Tanh,
)
from studio.engine.activations.piecewise import (
    HardShrink,
    HardSigmoid,
    HardSilu,
    HardTanh,
    Relu6,
    SoftShrink,
    SparsePlus,
    SparseSigmoid,
    Threshold,
)
from studio.engine.activations.smooth import (
    Celu,
    Exponential,
    LogSigmoid,
    Mish,
    Softplus,
    Softsign,
    Squareplus,
    TanhShrink,
)
from studio.engine.activations.vectors import Glu, LogSoftmax, Sparsemax

get = activations.make
celu = Celu()
elu = Elu()
exponential = Exponential()
gelu = Gelu()
glu = Glu()
hard_shrink = HardShrink()
hard_sigmoid = HardSigmoid()
hard_silu = HardSilu()
hard_tanh = HardTanh()
leaky_relu = LeakyRelu()
linear = Linear()
log_sigmoid = LogSigmoid()
log_softmax = LogSoftmax()
mish = Mish()
relu = Relu()
relu6 = Relu6()
selu = Selu()
sigmoid = Sigmoid()
silu = Silu()
soft_shrink = SoftShrink()
softmax = Softmax()
softplus = Softplus()
softsign = Softsign()
sparse_plus = SparsePlus()
sparse_sigmoid = SparseSigmoid()
sparsemax = Sparsemax()
squareplus = Squareplus()
tanh = Tanh()
tanh_shrink = TanhShrink()

__all__ = [
    "Activation",
    "Celu",
    "Elu",
    "Exponential",
    "Gelu",
    "Glu",
    "HardShrink",
    "HardSigmoid",
    "HardSilu",
    "HardTanh",
    "LeakyRelu",
    "Linear",
    "LogSigmoid",
    "LogSoftmax",
    "Mish",
    "Relu",
    "Relu6",
    "Selu",
    "Sigmoid",
    "Silu",
    "SoftShrink",
    "Softmax",
    "Softplus",
    "Softsign",
    "SparsePlus",
    "SparseSigmoid",
    "Sparsemax",
    "Squareplus",
    "Tanh",
    "TanhShrink",
    "Threshold",
    "activations",
    "celu",
    "elu",
    "exponential",
    "gelu",
    "get",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_tanh",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "mish",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "tanh",
    "tanh_shrink",
]
