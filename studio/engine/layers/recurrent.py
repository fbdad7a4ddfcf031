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
from studio.engine.errors import ParameterError
from studio.engine.initializers import initializers
from studio.engine.layers.base import Gradients, Layer, WeightSpec, known
from studio.engine.layers.reading import Reading, Skips
from studio.engine.layers.step_products import StepProducts
from studio.engine.params import Boolean, Integer, Real
from studio.engine.registry import Named, Registry
from studio.engine.regularizers import regularizers
from studio.engine.workspace import ALONE, Array, Context, Shape, Task, Threads

AHEAD = 1 << 19
"""How many numbers are worked on at a time on the way forward: with few calls beside it, the
recurrence seldom waits for the interpreter lock."""
BEHIND = 1 << 18
"""How many on the way back, where there is as much to do beside the recurrence as in it."""
LEAST_BESIDE = 1 << 13
"""How many numbers a step's gates have at least for another thread to be asked: where calls are
shorter, the two would only wait for each other."""

Steps = Callable[[slice], None]
"""Works on the steps of a piece."""
Finish = Callable[..., tuple[list[tuple[Array, Array]], dict[str, Array]]]
"""From the summed products to the gradients before the activations, each with the kernel it came
by, and those of the weights."""


class Recurrent(Layer):
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

    def forward(self, x: Array, context: Context) -> tuple[Array, Any]:
        """Shapes (batch, time, features) → (batch, units) or (batch, time, units)."""
        reading = self._reading(x, context)
        steps, cache = self.run(reading, context)
        pieces = reading.pieces(self.gates * self.units, AHEAD)
        ready: list[Task] = []
        # Nothing comes back to a frozen layer with none to be trained below it.
        comes_back = context.needs_input_gradient or self.trainable_weights
        prepared = None
        if context.training and comes_back:
            prepared = self.slopes(reading, cache, context)
        threads = self._threads(pieces, reading, context)
        for piece in pieces:
            steps(piece)
            if prepared is not None:
                ready.append(threads.beside(partial(prepared[0], piece)))
        states, shown = reading.states[1:], self._shown(reading)
        if self.return_sequences:
            y = (states if shown is None else states * shown).transpose(2, 0, 1)
        else:
            y = (states[-1] if shown is None else states[-1] * shown[-1]).T
        return np.ascontiguousarray(y), (reading, cache, prepared, ready)

    def backward(self, dy: Array, cache: Any, context: Context) -> tuple[Array | None, Gradients]:
        """Backpropagation through time (Werbos, 1990)."""
        reading, inner, prepared, ready = cache
        time = reading.time
        pieces = [
            slice(time - piece.stop, time - piece.start)
            for piece in reading.pieces(self.gates * self.units, BEHIND)
        ]
        if prepared is None:
            prepared = self.slopes(reading, inner, context)
            ready = [ALONE.beside(partial(prepared[0], piece)) for piece in pieces]
        for wait in ready:
            wait()
        order = (1, 2, 0) if self.return_sequences else (1, 0)
        shape = tuple(dy.shape[axis] for axis in order)
        arriving = context.workspace.array("arriving", shape, dy.dtype)
        np.copyto(arriving, dy.transpose(order))
        shown = self._shown(reading)
        if shown is not None:
            arriving *= shown if self.return_sequences else shown[-1]
        back, products, finish = self.run_back(arriving, reading, inner, prepared[1], context)
        longest = max(piece.stop - piece.start for piece in pieces)
        sums = [StepProducts(*factors, longest, context) for factors in products]
        added: list[Task] = []
        threads = self._threads(pieces, reading, context)
        for piece in pieces:
            back(piece)
            added += [each.add(piece, threads) for each in sums]
        taken = [each.take() for each in sums]
        for wait in added:
            wait()
        parts, gradients = finish(*map(StepProducts.total, sums, taken))
        if not context.needs_input_gradient:
            return None, gradients
        steps = context.workspace.array(
            "steps", (reading.time, reading.features, len(dy)), dy.dtype
        )
        half = reading.time // 2
        wait = threads.beside(partial(_inputs_back, parts, steps, slice(0, half)))
        _inputs_back(parts, steps, slice(half, None))
        wait()
        if reading.drop_inputs is not None:
            steps *= reading.drop_inputs
        return np.ascontiguousarray(self._in_order(steps.transpose(2, 0, 1))), gradients

    def run(self, reading: Reading, context: Context) -> tuple[Steps, Any]:
        """What fills in the states of a piece, the first one first; and all else that it leaves."""
        raise NotImplementedError

    def slopes(self, reading: Reading, cache: Any, context: Context) -> tuple[Steps, Any]:
        """What fills in the factors of a piece that the way back needs, and those factors."""
        raise NotImplementedError

    def run_back(
        self, arriving: Array, reading: Reading, cache: Any, factors: Any, context: Context
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

    def joined(self, kernel: Array, bias: Array | None, recurrent: Array) -> Array:
        """One matrix for ``[x ; 1 ; h]``."""
        row = np.zeros_like(kernel[0]) if bias is None else bias
        return np.ascontiguousarray(np.concatenate([kernel, row[None], recurrent]).T)

    def split_gradients(self, whole: Array, reading: Reading, context: Context) -> dict[str, Array]:
        """The gradients of all weights from that of the joined ones, (rows, gates · units)."""
        rows = reading.features
        parts = {"kernel": whole[:rows], "recurrent_kernel": whole[rows + 1 :]}
        if self.use_bias:
            parts["bias"] = whole[rows]
        return {name: self.written(name, part, context) for name, part in parts.items()}

    def written(self, name: str, values: Array, context: Context) -> Array:
        """The gradient of a weight, put where it belongs."""
        into = context.gradient(name, self[name])
        np.copyto(into, values)
        return into

    def last(self, arriving: Array, reading: Reading, context: Context) -> Array:
        """The gradient of the last state, to be worked on."""
        dh = context.workspace.array("dh", reading.states.shape[1:], arriving.dtype)
        np.copyto(dh, arriving[-1] if self.return_sequences else arriving)
        return dh

    def set_aside(self, t: int, reading: Reading, *gradients: Array) -> list[Array]:
        """Take the rows that are masked in step t out of gradients of its states."""
        skips = reading.skips
        if skips is None or not skips.some[t]:
            return []
        kept = [gradient * skips.skipped[t] for gradient in gradients]
        for gradient in gradients:
            np.multiply(gradient, skips.counted[t], out=gradient)
        return kept

    def step_down(self, t: int, dh: Array, arriving: Array, reading: Reading) -> None:
        """From what came through the product of step t to the gradient of the state before it."""
        if reading.drop is not None:
            dh *= reading.drop
        if self.return_sequences and t:
            dh += arriving[t - 1]

    def _reading(self, x: Array, context: Context) -> Reading:
        batch, time, features = x.shape
        space, first = context.workspace, features + 1
        read = space.array("read", (time + 1, first + self.units, batch), x.dtype)
        np.copyto(read[:-1, :features], self._in_order(x).transpose(1, 2, 0))
        read[:, features] = 1
        read[0, first:] = 0
        states = read[:, first:]
        drop_inputs = self._drop(context, "dropout", self.dropout, (batch, features), x.dtype)
        if drop_inputs is not None:
            read[:-1, :features] *= drop_inputs
        drop = self._drop(
            context, "recurrent", self.recurrent_dropout, (batch, self.units), x.dtype
        )
        if drop is not None:
            states = space.array("states", states.shape, x.dtype)
            states[0] = 0
        skips = None
        if context.mask is not None:
            skips = Skips.outside(self._in_order(context.mask).T[:, None], x.dtype)
        return Reading(read, states, features, skips, drop, drop_inputs)

    def _shown(self, reading: Reading) -> Array | None:
        """What all outputs are multiplied with, if not 1."""
        if reading.skips is None or not self.zero_output_for_mask:
            return None
        return reading.skips.counted

    def _in_order(self, batch_first: Array) -> Array:
        return batch_first[:, ::-1] if self.go_backwards else batch_first

    def _drop(
        self, context: Context, name: str, rate: float, shape: tuple[int, ...], dtype: Any
    ) -> Array | None:
        if not rate or not context.training:
            return None
        random = context.random(f"{name} {self.seed}")
        kept = (random.random(shape, np.float32) >= np.float32(rate)).astype(dtype)
        return np.ascontiguousarray(kept.T) * dtype.type(0 if rate == 1 else 1 / (1 - rate))


recurrent_layers: Registry[Layer] = Registry("a recurrent layer", Recurrent, spelled=str)
"""Those that Bidirectional can wrap."""


def slope(activation: Activation, saved: Array, out: Array) -> None:
    """The derivative of an activation that works on each number by itself, into ``out``."""
    if isinstance(activation, Tanh):
        tanh_slope(saved, out)
    else:
        out[...] = activation.backward(np.ones_like(saved), saved)


def tanh_slope(y: Array, out: Array) -> None:
    """The derivative of tanh from its values: 1 - y²."""
    np.multiply(y, y, out=out)
    np.subtract(1, out, out=out)


def _inputs_back(parts: list[tuple[Array, Array]], steps: Array, some: slice) -> None:
    """dx of some steps: every gradient before the activations through the kernel it came by."""
    for number, (dz, kernel) in enumerate(parts):
        if number == 0:
            np.matmul(kernel, dz[some], out=steps[some])
        else:
            steps[some] += np.matmul(kernel, dz[some])
