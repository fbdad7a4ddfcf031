"""What the recurrent layers share.

All work with the time first and the batch last, so that each gate of a step is one run of memory.
What a step's product reads lies below each other, [x_t ; 1 ; h_{t-1}]: a step is one product with
kernel, bias and recurrent kernel side by side. On the way back only the recurrence itself goes
step by step. The factors that don't depend on what arrives, and the gradients of the weights, are
computed for some steps at once, beside the recurrence on another thread where there is one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from studio.engine.activations import Activation, Tanh, activations
from studio.engine.constraints import constraints
from studio.engine.errors import ParameterError, ShapeError
from studio.engine.initializers import initializers
from studio.engine.layers.base import Gradients, Layer, WeightSpec, known
from studio.engine.layers.beside import Beside
from studio.engine.layers.planned import Planned
from studio.engine.layers.reading import Pairs, Reading, Skips
from studio.engine.layers.step_products import StepProducts
from studio.engine.params import Boolean, Integer, Real
from studio.engine.plan import Do
from studio.engine.registry import Named, Registry
from studio.engine.regularizers import regularizers
from studio.engine.workspace import ALONE, Array, Context, Shape, Threads

AHEAD = 1 << 19
"""How many numbers are worked on at a time on the way forward: with few calls beside it, the
recurrence seldom waits for the interpreter lock."""
BEHIND = 1 << 18
"""How many on the way back, where there is as much to do beside the recurrence as in it."""
LEAST_BESIDE = 1 << 13
"""How many numbers a step's gates have at least for another thread to be asked: where calls are
shorter, the two would only wait for each other."""

Steps = Callable[[slice, Do], None]
"""Has the steps of a piece worked on."""
Finish = Callable[[list[Array], Do], tuple[list[tuple[Array, Array]], dict[str, Array]]]
"""From the summed products to the gradients before the activations, each with the kernel it came
by, and those of the weights."""


class Recurrent(Planned):
    """A layer that reads a sequence step by step and carries a state.

    Subclasses say how many ``gates`` a unit has, and define ``run``, ``slopes`` and ``run_back``.
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
        return float(sum(weight.value.size for weight in self.weights) * self.serial_steps())

    def serial_steps(self) -> int:
        """One per time step."""
        return (self.input_shape[1] if self.input_shape else None) or 1

    def compute_mask(self, x: Array, mask: Array | None) -> Array | None:
        """A sequence keeps its mask; a single output has none."""
        return mask if self.return_sequences else None

    def lay(self, x: Array, context: Context, do: Do) -> tuple[Array, Any]:
        """Shapes (batch, time, features) → (batch, units) or (batch, time, units)."""
        reading = self._reading(x, context, do)
        steps, cache = self.run(reading, context, do)
        pieces = reading.pieces(self.gates * self.units, AHEAD)
        beside = Beside(self._threads(pieces, reading, context))
        # Nothing comes back to a frozen layer with none to be trained below it.
        comes_back = context.needs_input_gradient or self.trainable_weights
        prepared = None
        if context.training and comes_back:
            prepared = self.slopes(reading, cache, context)
        for piece in pieces:
            steps(piece, do)
            if prepared is not None:
                beside.lay(partial(prepared[0], piece), do)
        states, shown = reading.states[1:], self._shown(reading)
        found = states.transpose(2, 0, 1) if self.return_sequences else states[-1].T
        y = context.workspace.array("y", found.shape, x.dtype)
        if shown is None:
            do(np.copyto, y, found)
        else:
            counted = shown.transpose(2, 0, 1) if self.return_sequences else shown[-1].T
            do(np.multiply, found, counted, out=y)
        return y, (reading, cache, prepared, beside)

    def lay_back(
        self, dy: Array, cache: Any, context: Context, do: Do
    ) -> tuple[Array | None, Gradients]:
        """Backpropagation through time (Werbos, 1990)."""
        reading, inner, prepared, beside = cache
        time, space = reading.time, context.workspace
        pieces = [
            slice(time - piece.stop, time - piece.start)
            for piece in reading.pieces(self.gates * self.units, BEHIND)
        ]
        if prepared is None:
            prepared = self.slopes(reading, inner, context)
            for piece in pieces:
                prepared[0](piece, do)
        beside.lay_wait(do)
        came = dy.transpose((1, 2, 0) if self.return_sequences else (1, 0))
        arriving = space.array("arriving", came.shape, dy.dtype)
        do(np.copyto, arriving, came)
        shown = self._shown(reading)
        if shown is not None:
            counted = shown if self.return_sequences else shown[-1]
            do(np.multiply, arriving, counted, out=arriving)
        back, products, finish = self.run_back(arriving, reading, inner, prepared[1], context, do)
        beside = Beside(self._threads(pieces, reading, context))
        sums = [StepProducts(*factors, pieces, beside, context, do) for factors in products]
        for number, piece in enumerate(pieces):
            back(piece, do)
            for each in sums:
                each.lay_piece(number, do)
        for each in sums:
            each.lay_rest(do)
        beside.lay_wait(do)
        parts, gradients = finish([each.lay_total(do) for each in sums], do)
        if not context.needs_input_gradient:
            return None, gradients
        steps = space.array("steps", (time, reading.features, len(dy)), dy.dtype)
        half = 0 if beside.alone else time // 2
        if half:
            beside.lay(partial(self._inputs_back, parts, steps, slice(0, half), context), do)
        self._inputs_back(parts, steps, slice(half, time), context, do)
        beside.lay_wait(do)
        if reading.drop_inputs is not None:
            do(np.multiply, steps, reading.drop_inputs, out=steps)
        dx = space.array("dx", (len(dy), time, reading.features), dy.dtype)
        do(np.copyto, self._in_order(dx), steps.transpose(2, 0, 1))
        return dx, gradients

    def run(self, reading: Reading, context: Context, do: Do) -> tuple[Steps, Any]:
        """What fills in the states of a piece, the first one first; and all else that it leaves."""
        raise NotImplementedError

    def slopes(self, reading: Reading, cache: Any, context: Context) -> tuple[Steps, Any]:
        """What fills in the factors of a piece that the way back needs, and those factors."""
        raise NotImplementedError

    def run_back(
        self, arriving: Array, reading: Reading, cache: Any, factors: Any, context: Context, do: Do
    ) -> tuple[Steps, list[tuple[str, Array, Array]], Finish]:
        """What takes a piece back, the :class:`StepProducts` to sum, and what to make of them.

        The last piece goes back first. Of the sums follow the gradients.
        ``arriving`` is the gradient of every step's output, or (units, batch) that of the last.
        """
        raise NotImplementedError

    def _threads(self, pieces: list[slice], reading: Reading, context: Context) -> Threads:
        """Who works beside the recurrence: with a single piece there is nothing to do meanwhile."""
        short = reading.batch * self.gates * self.units < LEAST_BESIDE
        return ALONE if short or len(pieces) == 1 else context.threads

    def join(
        self, kernel: Array | None, bias: Array | None, recurrent: Array, into: Array, do: Do
    ) -> None:
        """Write one matrix for ``[x ; 1 ; h]``, turned around; what is None counts as zeros."""
        row = into.shape[1] - len(recurrent) - 1
        parts = ((into[:, :row], kernel), (into[:, row], bias), (into[:, row + 1 :], recurrent))
        for part, values in parts:
            if values is None:
                do(part.fill, 0)
            else:
                do(np.copyto, part, values.T)

    def split_gradients(
        self, whole: Array, reading: Reading, context: Context, do: Do
    ) -> dict[str, Array]:
        """The gradients of all weights from that of the joined ones, (rows, gates · units)."""
        rows = reading.features
        parts = {"kernel": whole[:rows], "recurrent_kernel": whole[rows + 1 :]}
        if self.use_bias:
            parts["bias"] = whole[rows]
        return {name: self.written(name, part, context, do) for name, part in parts.items()}

    def written(self, name: str, values: Array, context: Context, do: Do) -> Array:
        """The gradient of a weight, put where it belongs."""
        into = context.gradient(name, self[name])
        do(np.copyto, into, values)
        return into

    def last(self, arriving: Array, reading: Reading, context: Context, do: Do) -> Array:
        """The gradient of the last state, to be worked on."""
        dh = context.workspace.array("dh", reading.states.shape[1:], arriving.dtype)
        do(np.copyto, dh, arriving[-1] if self.return_sequences else arriving)
        return dh

    def aside(self, context: Context, *gradients: Array) -> Pairs:
        """Each with room for what a mask keeps apart of it during a step."""
        return [
            (gradient, context.workspace.array(f"kept {number}", gradient.shape, gradient.dtype))
            for number, gradient in enumerate(gradients)
        ]

    def step_down(self, t: int, dh: Array, arriving: Array, reading: Reading, do: Do) -> None:
        """From what came through the product of step t to the gradient of the state before it."""
        if reading.drop is not None:
            do(np.multiply, dh, reading.drop, out=dh)
        if self.return_sequences and t:
            do(np.add, dh, arriving[t - 1], out=dh)

    def _reading(self, x: Array, context: Context, do: Do) -> Reading:
        batch, time, features = x.shape
        space, first = context.workspace, features + 1
        read = space.array("read", (time + 1, first + self.units, batch), x.dtype)
        inputs, states = read[:-1, :features], read[:, first:]
        do(np.copyto, inputs, self._in_order(x).transpose(1, 2, 0))
        do(read[:, features].fill, 1)
        do(read[0, first:].fill, 0)
        drop_inputs = self._drop("dropout", self.dropout, (features, batch), context, x.dtype, do)
        if drop_inputs is not None:
            do(np.multiply, inputs, drop_inputs, out=inputs)
        rate = self.recurrent_dropout
        drop = self._drop("recurrent", rate, (self.units, batch), context, x.dtype, do)
        if drop is not None:
            states = space.array("states", states.shape, x.dtype)
            do(states[0].fill, 0)
        skips = None
        if context.mask is not None:
            if context.mask.ndim != 2:
                wanted, found = "a mask of time steps", f"one of shape {context.mask.shape}"
                raise ShapeError(wanted, found, self.label)
            mask = self._in_order(context.mask).T[:, None]
            skips = Skips.outside(mask, space, x.dtype, do)
        return Reading(read, states, features, skips, drop, drop_inputs)

    def _shown(self, reading: Reading) -> Array | None:
        """What all outputs are multiplied with, if not 1."""
        if reading.skips is None or not self.zero_output_for_mask:
            return None
        return reading.skips.counted

    def _in_order(self, batch_first: Array) -> Array:
        return batch_first[:, ::-1] if self.go_backwards else batch_first

    def _drop(
        self,
        name: str,
        rate: float,
        shape: tuple[int, int],
        context: Context,
        dtype: Any,
        do: Do,
    ) -> Array | None:
        """The factors of a dropout, the batch last."""
        if not rate or not context.training:
            return None
        drop = context.workspace.array(f"factors of {name}", shape, dtype)
        do(self._draw, drop, name, rate, context)
        return drop

    def _draw(self, drop: Array, name: str, rate: float, context: Context) -> None:
        random = context.random(f"{name} {self.seed}")
        kept = random.random(drop.T.shape, np.float32) >= np.float32(rate)
        np.multiply(kept.T, drop.dtype.type(0 if rate == 1 else 1 / (1 - rate)), out=drop)

    def _inputs_back(
        self, parts: list[tuple[Array, Array]], steps: Array, some: slice, context: Context, do: Do
    ) -> None:
        """dx of some steps: every gradient before the activations through the kernel it came by."""
        (dz, kernel), *others = parts
        into = steps[some]
        do(np.matmul, kernel, dz[some], out=into)
        for dz, kernel in others:
            more = context.workspace.array("more steps", steps.shape, steps.dtype)[some]
            do(np.matmul, kernel, dz[some], out=more)
            do(np.add, into, more, out=into)


recurrent_layers: Registry[Layer] = Registry("a recurrent layer", Recurrent, spelled=str)
"""Those that Bidirectional can wrap."""


def lay_activation(activation: Activation, z: Array, out: Array, do: Do) -> None:
    """An activation of z, which may be ``out`` itself."""
    if isinstance(activation, Tanh):
        do(np.tanh, z, out=out)
    else:
        do(_apply, activation, z, out)


def _apply(activation: Activation, z: Array, out: Array) -> None:
    in_place = activation.saves == "output" or z is not out
    y = activation.forward(z, out=out if in_place else None)
    if y is not out:
        np.copyto(out, y)


def lay_slope(activation: Activation, saved: Array, out: Array, do: Do) -> None:
    """The derivative of an activation that works on each number by itself, into ``out``."""
    if isinstance(activation, Tanh):
        # 1 - y²
        do(np.multiply, saved, saved, out=out)
        do(np.subtract, 1, out, out=out)
    else:
        do(_find_slope, activation, saved, out)


def _find_slope(activation: Activation, saved: Array, out: Array) -> None:
    out[...] = activation.backward(np.ones_like(saved), saved)
