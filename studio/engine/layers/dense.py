"""The fully connected layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from studio.engine.activations import Activation, activations
from studio.engine.constraints import constraints
from studio.engine.initializers import initializers
from studio.engine.layers.base import Gradients, WeightSpec, activate, deactivate, known, register
from studio.engine.layers.columns import matrix
from studio.engine.layers.planned import Planned
from studio.engine.layers.products import Product, multiply, parts
from studio.engine.params import Boolean, Integer
from studio.engine.plan import Do
from studio.engine.registry import Named
from studio.engine.regularizers import regularizers
from studio.engine.sums import add_rows
from studio.engine.workspace import ALONE, Array, Context, Shape


@register()
class Dense(Planned):
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

    def lay(self, x: Array, context: Context, do: Do) -> tuple[Array, Any]:
        """Shapes (…, inputs) → (…, units)."""
        z = context.workspace.array("z", (*x.shape[:-1], self.units), x.dtype)
        product = (matrix(x, context.scratch, do), self["kernel"], matrix(z, context.scratch, do))
        multiply(product, threads=context.threads, do=do)
        if self.use_bias:
            do(np.add, z, self["bias"], out=z)
        y, kept = activate(self.activation, z, context, do)
        return y, (x, kept)

    def lay_back(
        self, dy: Array, cache: Any, context: Context, do: Do
    ) -> tuple[Array | None, Gradients]:
        """dz = dy · activation', dkernel = xᵀ · dz, dbias = Σ dz, dx = dz · kernelᵀ."""
        x, kept = cache
        # What threads read later on must stay.
        space = context.scratch if context.threads is ALONE else context.workspace
        dz = matrix(deactivate(self.activation, dy, kept, context, do, space), space, do, "dz")
        gradients, dx = self.gradients(context), None
        back: list[Product] = []
        if context.needs_input_gradient:
            dx = context.workspace.array("dx", x.shape, x.dtype)
            back.append((dz, self["kernel"].T, matrix(dx, space, do)))
        found = matrix(x, space, do).T, dz, gradients["kernel"]
        multiply(*back, later=[found], threads=context.threads, do=do)
        if self.use_bias:
            add_rows(dz, gradients["bias"], do)
        return dx, gradients
