"""The simple recurrent layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from studio.engine.activations import activations
from studio.engine.constraints import constraints
from studio.engine.initializers import initializers
from studio.engine.layers.base import Gradients, Layer, WeightSpec, known, register
from studio.engine.params import Boolean, Integer
from studio.engine.registry import Named
from studio.engine.regularizers import regularizers
from studio.engine.workspace import Array, Context, Shape


@register()
class SimpleRNN(Layer):
    """h_t = activation(x_t · kernel + h_{t-1} · recurrent_kernel + bias), h_0 = 0.

    Input shape: ``(batch, time, features)``. Output shape: ``(batch, units)``, or with
    ``return_sequences`` ``(batch, time, units)``.
    Source: Elman, 1990; https://keras.io/api/layers/recurrent_layers/simple_rnn/
    """

    category = "Recurrent"
    help = "Reads a sequence step by step and remembers what it has read."
    input_ranks = (3,)

    units = Integer(minimum=1, initial=32, label="Units", help="How many numbers it remembers.")
    activation = Named(activations, "tanh", label="Activation", help="Applied at each step.")
    use_bias = Boolean(True, label="Bias", help="Whether a learned number is added to each unit.")
    kernel_initializer = Named(initializers, "glorot_uniform", advanced=True)
    recurrent_initializer = Named(initializers, "orthogonal", advanced=True)
    bias_initializer = Named(initializers, "zeros", advanced=True)
    kernel_regularizer = Named(regularizers, None, optional=True, help="Keeps weights small.")
    recurrent_regularizer = Named(regularizers, None, optional=True, advanced=True)
    bias_regularizer = Named(regularizers, None, optional=True, advanced=True)
    activity_regularizer = Named(regularizers, None, optional=True, advanced=True)
    kernel_constraint = Named(constraints, None, optional=True, advanced=True)
    recurrent_constraint = Named(constraints, None, optional=True, advanced=True)
    bias_constraint = Named(constraints, None, optional=True, advanced=True)
    return_sequences = Boolean(False, label="Return sequences",
                               help="Gives the output of every step, not the last.")  # fmt: skip

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """(batch, time, features) → (batch, units) or (batch, time, units)."""
        self.check_input(input_shape)
        batch, time, _ = input_shape
        return (batch, time, self.units) if self.return_sequences else (batch, self.units)

    def weight_specs(self, input_shape: Shape) -> tuple[WeightSpec, ...]:
        """A kernel (features, units), a recurrent kernel (units, units) and a bias (units,)."""
        features = known(input_shape[-1], self, "number of features")
        kernel = WeightSpec("kernel", (features, self.units), self.kernel_initializer,
                            self.kernel_regularizer, self.kernel_constraint)  # fmt: skip
        recurrent = WeightSpec("recurrent_kernel", (self.units, self.units),
                               self.recurrent_initializer, self.recurrent_regularizer,
                               self.recurrent_constraint)  # fmt: skip
        bias = WeightSpec("bias", (self.units,), self.bias_initializer,
                          self.bias_regularizer, self.bias_constraint)  # fmt: skip
        return (kernel, recurrent, bias) if self.use_bias else (kernel, recurrent)

    def work(self) -> float:
        """Every weight is used once per time step."""
        steps = self.input_shape[1] if self.input_shape else None
        return float(sum(weight.value.size for weight in self.weights) * (steps or 1))

    def forward(self, x: Array, context: Context) -> tuple[Array, Any]:
        """One product for the inputs of all steps, then one small product per step."""
        batch, time, features = x.shape
        space = context.workspace
        steps = space.array("steps", (time, batch, features), x.dtype)
        np.copyto(steps, x.swapaxes(0, 1))
        z = space.array("z", (time, batch, self.units), x.dtype)
        np.matmul(steps.reshape(-1, features), self["kernel"], out=z.reshape(-1, self.units))
        if self.use_bias:
            z += self["bias"]
        saved = z
        in_place = self.activation.saves == "output"
        outputs = z if in_place else space.array("outputs", z.shape, z.dtype)
        recurrent, product = self["recurrent_kernel"], space.array("product", z.shape[1:], z.dtype)
        for t in range(time):
            if t:
                z[t] += np.matmul(outputs[t - 1], recurrent, out=product)
            if in_place:
                self.activation.forward(z[t], out=z[t])
            else:
                outputs[t] = self.activation.forward(z[t])
        y = outputs.swapaxes(0, 1) if self.return_sequences else outputs[-1]
        return np.ascontiguousarray(y), (steps, saved, outputs)

    def backward(self, dy: Array, cache: Any, context: Context) -> tuple[Array | None, Gradients]:
        """Backpropagation through time; the weights' products run over all steps at once."""
        steps, saved, outputs = cache
        space = context.workspace
        time = len(steps)
        recurrent = self["recurrent_kernel"]
        dz = space.array("dz", outputs.shape, dy.dtype)
        dh: Array = dy[:, -1] if self.return_sequences else dy
        for t in range(time - 1, -1, -1):
            dz[t] = self.activation.backward(dh, saved[t])
            if t:
                dh = np.matmul(dz[t], recurrent.T)
                if self.return_sequences:
                    dh += dy[:, t - 1]
        flat_dz = dz.reshape(-1, self.units)
        gradients = {
            "kernel": np.matmul(
                steps.reshape(-1, steps.shape[-1]).T,
                flat_dz,
                out=context.gradient("kernel", self["kernel"]),
            ),
            "recurrent_kernel": np.matmul(
                outputs[:-1].reshape(-1, self.units).T,
                dz[1:].reshape(-1, self.units),
                out=context.gradient("recurrent_kernel", recurrent),
            ),
        }
        if self.use_bias:
            gradients["bias"] = np.add.reduce(
                flat_dz, axis=0, out=context.gradient("bias", self["bias"])
            )
        if not context.needs_input_gradient:
            return None, gradients
        dsteps = np.matmul(flat_dz, self["kernel"].T).reshape(steps.shape)
        return np.ascontiguousarray(dsteps.swapaxes(0, 1)), gradients
