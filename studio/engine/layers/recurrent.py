"""What the recurrent layers share, and the simplest of them.

All work time-major, ``(time, batch, features)``: one product for the inputs of all steps, one small
product per step for the state. On the way back the derivatives of the activations are computed for
all steps at once, so that a step is little more than its product.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from studio.engine.activations import Activation, activations
from studio.engine.constraints import constraints
from studio.engine.errors import ParameterError
from studio.engine.initializers import initializers
from studio.engine.layers.base import (
    Gradients,
    Layer,
    WeightSpec,
    add_rows,
    known,
    register,
)
from studio.engine.params import Boolean, Integer, Real
from studio.engine.registry import Named, Registry
from studio.engine.regularizers import regularizers
from studio.engine.workspace import Array, Context, Shape


class Recurrent(Layer):
    """A layer that reads a sequence step by step and carries a state.

    Subclasses say how many ``gates`` a unit has, and define ``run`` and ``run_back``.
    """

    category = "Recurrent"
    input_ranks = (3,)
    gates = 1

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
    dropout = Real(0.0, minimum=0, maximum=1, label="Dropout",
                   help="The fraction of inputs set to zero, the same at all steps.")  # fmt: skip
    recurrent_dropout = Real(0.0, minimum=0, maximum=1, advanced=True,
                             help="The fraction of the state set to zero, likewise.")  # fmt: skip
    seed = Integer(None, minimum=0, optional=True, advanced=True, help="Fixes what is dropped.")
    return_sequences = Boolean(False, label="Return sequences",
                               help="Gives the output of every step, not the last.")  # fmt: skip
    go_backwards = Boolean(False, advanced=True, help="Reads from the end to the start.")
    zero_output_for_mask = Boolean(False, advanced=True, after="go_backwards",
                                   help="Whether masked steps give 0.")  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("activation", "recurrent_activation"):
            chosen = getattr(self, name, None)
            if chosen is not None and not chosen.elementwise:
                found = repr(type(chosen).__name__.lower())
                wanted = "an activation that works on each number by itself"
                raise ParameterError(wanted, found, f"{self.label} {name}")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """(batch, time, features) → (batch, units) or (batch, time, units)."""
        self.check_input(input_shape)
        batch, time, _ = input_shape
        return (batch, time, self.units) if self.return_sequences else (batch, self.units)

    def weight_specs(self, input_shape: Shape) -> tuple[WeightSpec, ...]:
        """Kernel (features, gates · units), recurrent kernel (units, gates · units), bias."""
        features, width = (
            known(input_shape[-1], self, "number of features"),
            self.gates * self.units,
        )
        kernel = WeightSpec("kernel", (features, width), self.kernel_initializer,
                            self.kernel_regularizer, self.kernel_constraint)  # fmt: skip
        recurrent = WeightSpec("recurrent_kernel", (self.units, width), self.recurrent_initializer,
                               self.recurrent_regularizer, self.recurrent_constraint)  # fmt: skip
        if not self.use_bias:
            return kernel, recurrent
        bias = WeightSpec("bias", self.bias_shape(), self.bias_initializer,
                          self.bias_regularizer, self.bias_constraint)  # fmt: skip
        return kernel, recurrent, bias

    def bias_shape(self) -> tuple[int, ...]:
        """The shape of the bias."""
        return (self.gates * self.units,)

    def work(self) -> float:
        """Every weight is used once per time step."""
        steps = self.input_shape[1] if self.input_shape else None
        return float(sum(weight.value.size for weight in self.weights) * (steps or 1))

    def compute_mask(self, x: Array, mask: Array | None) -> Array | None:
        """A sequence keeps its mask; a single output has none."""
        return mask if self.return_sequences else None

    def forward(self, x: Array, context: Context) -> tuple[Array, Any]:
        """Shapes (batch, time, features) → (batch, units) or (batch, time, units)."""
        steps = context.workspace.array("steps", (x.shape[1], len(x), x.shape[2]), x.dtype)
        np.copyto(steps, self._in_order(x).swapaxes(0, 1))
        mask = None if context.mask is None else self._in_order(context.mask).T[..., None]
        drop = self._drop(context, "dropout", self.dropout, steps.shape[1:], x.dtype)
        drop_state = self._drop(
            context, "recurrent", self.recurrent_dropout, (len(x), self.units), x.dtype
        )
        if drop is not None:
            steps *= drop
        states, cache = self.run(steps, mask, drop_state, context)
        shown = mask if self.zero_output_for_mask else None
        if not self.return_sequences:
            y = states[-1] if shown is None else states[-1] * shown[-1]
        elif shown is None:
            y = states[1:].swapaxes(0, 1)
        else:
            y = (states[1:] * shown).swapaxes(0, 1)
        return np.ascontiguousarray(y), (steps, mask, drop, drop_state, states, cache)

    def backward(self, dy: Array, cache: Any, context: Context) -> tuple[Array | None, Gradients]:
        """Backpropagation through time (Werbos, 1990)."""
        steps, mask, drop, drop_state, states, inner = cache
        time, batch = steps.shape[:2]
        if self.return_sequences:
            arriving = context.workspace.array("arriving", (time, batch, self.units), dy.dtype)
            np.copyto(arriving, dy.swapaxes(0, 1))
        else:
            arriving = dy
        if mask is not None and self.zero_output_for_mask:
            arriving = arriving * (mask if self.return_sequences else mask[-1])
        dz, gradients = self.run_back(arriving, steps, mask, drop_state, states, inner, context)
        width = self.gates * self.units
        flat = dz.reshape(-1, width)
        kernel = self["kernel"]
        gradients["kernel"] = np.matmul(
            steps.reshape(-1, steps.shape[-1]).T, flat, out=context.gradient("kernel", kernel)
        )
        if not context.needs_input_gradient:
            return None, gradients
        dsteps = context.workspace.array("dsteps", steps.shape, dy.dtype)
        np.matmul(flat, kernel.T, out=dsteps.reshape(-1, steps.shape[-1]))
        if drop is not None:
            dsteps *= drop
        return np.ascontiguousarray(self._in_order(dsteps.swapaxes(0, 1))), gradients

    def run(
        self, steps: Array, mask: Array | None, drop: Array | None, context: Context
    ) -> tuple[Array, Any]:
        """The states (time + 1, batch, units), the first one zero, and what ``run_back`` needs."""
        raise NotImplementedError

    def run_back(
        self,
        arriving: Array,
        steps: Array,
        mask: Array | None,
        drop: Array | None,
        states: Array,
        cache: Any,
        context: Context,
    ) -> tuple[Array, dict[str, Array]]:
        """The gradient before the activations by the input's part, and of all weights but kernel.

        ``arriving`` is the gradient of every step's output, or (batch, units) that of the last.
        """
        raise NotImplementedError

    def project(self, steps: Array, kernel: Array, bias: Array | None, context: Context) -> Array:
        """The inputs of all steps times the kernel: (time, batch, gates · units)."""
        width = kernel.shape[1]
        z = context.workspace.array("z", (*steps.shape[:2], width), steps.dtype)
        np.matmul(steps.reshape(-1, steps.shape[-1]), kernel, out=z.reshape(-1, width))
        if bias is not None:
            z += bias
        return z

    def states(self, steps: Array, context: Context, name: str = "states") -> Array:
        """Room for the states of all steps, the one before the first set to zero."""
        shape = (len(steps) + 1, steps.shape[1], self.units)
        found = context.workspace.array(name, shape, steps.dtype)
        found[0] = 0
        return found

    def dropped(self, states: Array, drop: Array | None) -> Array:
        """The states that the recurrent product sees."""
        return states if drop is None else states * drop

    def _in_order(self, batch_first: Array) -> Array:
        return batch_first[:, ::-1] if self.go_backwards else batch_first

    def _drop(
        self, context: Context, name: str, rate: float, shape: tuple[int, ...], dtype: Any
    ) -> Array | None:
        if not rate or not context.training:
            return None
        random = context.random(f"{name} {self.seed}")
        kept = (random.random(shape, np.float32) >= np.float32(rate)).astype(dtype)
        return kept * dtype.type(0 if rate == 1 else 1 / (1 - rate))


recurrent_layers: Registry[Layer] = Registry("a recurrent layer", Recurrent, spelled=str)
"""Those that Bidirectional can wrap."""


def slope(activation: Activation, saved: Array) -> Array:
    """The derivative of an activation that works on each number by itself."""
    return activation.backward(np.ones_like(saved), saved)


@register()
@recurrent_layers.register()
class SimpleRNN(Recurrent):
    """h_t = activation(x_t · kernel + h_{t-1} · recurrent_kernel + bias), h_0 = 0.

    Input shape: ``(batch, time, features)``. Output shape: ``(batch, units)``, or with
    ``return_sequences`` ``(batch, time, units)``.
    Source: Elman, 1990; https://keras.io/api/layers/recurrent_layers/simple_rnn/
    """

    help = "Reads a sequence step by step and remembers what it has read."

    seed = Integer(None, minimum=0, optional=True, advanced=True, after="go_backwards",
                   help="Fixes what is dropped.")  # fmt: skip

    def run(
        self, steps: Array, mask: Array | None, drop: Array | None, context: Context
    ) -> tuple[Array, Any]:
        """One product per step."""
        z = self.project(steps, self["kernel"], self["bias"] if self.use_bias else None, context)
        states, recurrent = self.states(steps, context), self["recurrent_kernel"]
        product = context.workspace.array("product", z.shape[1:], z.dtype)
        act = self.activation
        keeps_output = act.saves == "output"
        for t in range(len(steps)):
            if t:
                z[t] += np.matmul(self.dropped(states[t], drop), recurrent, out=product)
            y = act.forward(z[t], out=states[t + 1])
            if y is not states[t + 1]:
                states[t + 1] = y
            if mask is not None:
                if keeps_output:
                    z[t] = states[t + 1]
                np.copyto(states[t + 1], states[t], where=~mask[t])
        if mask is None and keeps_output:
            return states, states[1:]
        return states, z

    def run_back(
        self,
        arriving: Array,
        steps: Array,
        mask: Array | None,
        drop: Array | None,
        states: Array,
        cache: Any,
        context: Context,
    ) -> tuple[Array, dict[str, Array]]:
        """dz_t = dh_t · activation', dh_{t-1} = dz_t · recurrent_kernelᵀ."""
        dz = slope(self.activation, cache)
        if mask is not None:
            dz *= mask
        back = np.ascontiguousarray(self["recurrent_kernel"].T)
        dh = context.workspace.array("dh", states.shape[1:], dz.dtype)
        np.copyto(dh, arriving[-1] if self.return_sequences else arriving)
        for t in range(len(steps) - 1, -1, -1):
            dz[t] *= dh
            if not t:
                break
            kept = None if mask is None else dh * ~mask[t]
            np.matmul(dz[t], back, out=dh)
            if drop is not None:
                dh *= drop
            if kept is not None:
                dh += kept
            if self.return_sequences:
                dh += arriving[t - 1]
        flat = dz.reshape(-1, self.units)
        seen = self.dropped(states[:-1], drop).reshape(-1, self.units)
        recurrent = context.gradient("recurrent_kernel", self["recurrent_kernel"])
        gradients = {"recurrent_kernel": np.matmul(seen.T, flat, out=recurrent)}
        if self.use_bias:
            gradients["bias"] = add_rows(flat, context.gradient("bias", self["bias"]))
        return dz, gradients
