"""The fully connected layer."""

from __future__ import annotations

from typing import Any

from studio.engine.activations import Activation, activations
from studio.engine.constraints import constraints
from studio.engine.initializers import initializers
from studio.engine.layers.base import (
    Gradients,
    Layer,
    WeightSpec,
    activate,
    add_rows,
    deactivate,
    known,
    register,
)
from studio.engine.layers.products import multiply, parts
from studio.engine.params import Boolean, Integer
from studio.engine.registry import Named
from studio.engine.regularizers import regularizers
from studio.engine.workspace import Array, Context, Shape


@register()
class Dense(Layer):
    """y = activation(x · kernel + bias).

    Input shape: ``(batch, …, inputs)``. Output shape: ``(batch, …, units)``.
    Source: https://keras.io/api/layers/core_layers/dense/
    """

    category = "Core"
    help = "Connects every input to every unit."

    units = Integer(minimum=1, initial=32, label="Units", help="How many outputs it has.")
    activation = Named(activations, "linear", initial="relu",
                       label="Activation", help="Applied to the output.")  # fmt: skip
    use_bias = Boolean(True, label="Bias", help="Whether a learned number is added to each unit.")
    kernel_initializer = Named(initializers, "glorot_uniform", advanced=True)
    bias_initializer = Named(initializers, "zeros", advanced=True)
    kernel_regularizer = Named(regularizers, None, optional=True, help="Keeps weights small.")
    bias_regularizer = Named(regularizers, None, optional=True, advanced=True)
    activity_regularizer = Named(regularizers, None, optional=True, advanced=True)
    kernel_constraint = Named(constraints, None, optional=True, advanced=True)
    bias_constraint = Named(constraints, None, optional=True, advanced=True)

    @property
    def output_activation(self) -> Activation:
        """The activation that its output ends with."""
        return self.activation

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The last dimension becomes ``units``."""
        self.check_input(input_shape)
        return (*input_shape[:-1], self.units)

    def weight_specs(self, input_shape: Shape) -> tuple[WeightSpec, ...]:
        """A kernel of (inputs, units) and a bias of (units,)."""
        inputs = known(input_shape[-1], self, "number of inputs")
        kernel = WeightSpec("kernel", (inputs, self.units), self.kernel_initializer,
                            self.kernel_regularizer, self.kernel_constraint)  # fmt: skip
        bias = WeightSpec("bias", (self.units,), self.bias_initializer,
                          self.bias_regularizer, self.bias_constraint)  # fmt: skip
        return (kernel, bias) if self.use_bias else (kernel,)

    def divides(self, batch: int) -> bool:
        """Where its products are large enough."""
        return parts(self.work() * batch) > 1

    def forward(self, x: Array, context: Context) -> tuple[Array, Any]:
        """Shapes (…, inputs) → (…, units)."""
        z = context.workspace.array("z", (*x.shape[:-1], self.units), x.dtype)
        multiply((_rows(x), self["kernel"], _rows(z)), threads=context.threads)
        if self.use_bias:
            z += self["bias"]
        y, saved = activate(self.activation, z, context)
        return y, (x, saved)

    def backward(self, dy: Array, cache: Any, context: Context) -> tuple[Array | None, Gradients]:
        """dz = dy · activation', dkernel = xᵀ · dz, dbias = Σ dz, dx = dz · kernelᵀ."""
        x, saved = cache
        kernel = self["kernel"]
        dz = _rows(deactivate(self.activation, dy, saved, context))
        gradients = {"kernel": context.gradient("kernel", kernel)}
        products = [(_rows(x).T, dz, gradients["kernel"])]
        dx = None
        if context.needs_input_gradient:
            dx = context.workspace.array("dx", x.shape, x.dtype)
            products.append((dz, kernel.T, _rows(dx)))
        multiply(*products, threads=context.threads)
        if self.use_bias:
            gradients["bias"] = add_rows(dz, context.gradient("bias", self["bias"]))
        return dx, gradients


def _rows(x: Array) -> Array:
    """(…, n) → (rows, n)."""
    return x if x.ndim == 2 else x.reshape(-1, x.shape[-1])
