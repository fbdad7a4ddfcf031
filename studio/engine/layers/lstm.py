"""The long short-term memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from studio.engine.activations import Sigmoid, Tanh, activations
from studio.engine.initializers import Initializer, initializers
from studio.engine.layers.base import WeightSpec, register
from studio.engine.layers.recurrent import Reading, Recurrent, recurrent_layers, slope, tanh_slope
from studio.engine.params import Boolean
from studio.engine.registry import Named
from studio.engine.workspace import Array, Context, Shape


class ForgetBias(Initializer):
    """1 for the forget gate; the others start as they would (Jozefowicz et al., 2015)."""

    others = Named(initializers, "zeros")

    def draw(self, shape: tuple[int, ...], random: np.random.Generator) -> Array:
        units = shape[0] // 4
        first, last = (self.others((size,), float, random) for size in (units, 2 * units))
        return np.concatenate([first, np.ones(units), last])


@register()
@recurrent_layers.register()
class LSTM(Recurrent):
    """Keeps a cell c that gates write to, forget and read.

    i, f, o = σ(x · W + h · U + b) of their parts, g = activation(x · W_g + h · U_g + b_g),
    c_t = f · c_{t-1} + i · g, h_t = o · activation(c_t); parts in the order i, f, g, o.
    Input shape: ``(batch, time, features)``. Output shape: ``(batch, units)``, or with
    ``return_sequences`` ``(batch, time, units)``.
    Source: Hochreiter and Schmidhuber, 1997; https://keras.io/api/layers/recurrent_layers/lstm/
    """

    help = "Reads a sequence and learns what to keep, forget and tell: remembers for long."
    gates = 4

    recurrent_activation = Named(activations, "sigmoid", advanced=True, after="activation",
                                 help="Applied to the gates.")  # fmt: skip
    unit_forget_bias = Boolean(True, advanced=True, after="bias_initializer",
                               help="Starts with gates that forget little.")  # fmt: skip

    def weight_specs(self, input_shape: Shape) -> tuple[WeightSpec, ...]:
        """As of all recurrent layers; the bias of the forget gate may start at one."""
        specs = super().weight_specs(input_shape)
        if not (self.use_bias and self.unit_forget_bias):
            return specs
        *others, bias = specs
        started = WeightSpec(
            "bias", bias.shape, ForgetBias(bias.initializer), bias.regularizer, bias.constraint
        )
        return (*others, started)

    @property
    def _usual(self) -> bool:
        """Whether all activations are tanh and σ, which one call computes for all gates."""
        return isinstance(self.activation, Tanh) and isinstance(self.recurrent_activation, Sigmoid)

    def run(self, reading: Reading, context: Context) -> Any:
        """Per step: one product, the gates, the cell, the output."""
        read, states, space = reading.read, reading.states, context.workspace
        time, batch, units = reading.time, states.shape[1], self.units
        dtype, usual = states.dtype, self._usual
        weights = self.joined(
            self["kernel"], self["bias"] if self.use_bias else None, self["recurrent_kernel"]
        )
        half, shift = _halves(units, dtype)
        if usual:
            # σ(z) = tanh(z / 2) / 2 + 1 / 2: with halved weights all gates are one tanh.
            weights *= half
        z = space.array("z", (time, batch, 4 * units), dtype)
        raw = None if usual else space.array("raw", z.shape, dtype)
        cells = space.array("cells", (time + 1, batch, units), dtype)
        cells[0] = 0
        told = space.array("told", (time, batch, units), dtype)
        written = space.array("written", (batch, units), dtype)
        plain = reading.mask is None and reading.drop is None
        each = zip(read, z, *_parts(z), cells, cells[1:], told, states[1:], strict=False)
        for t, (seen, gates, i, f, g, o, before, cell, tanh, h) in enumerate(each):
            np.matmul(seen, weights, out=gates)
            if raw is None:
                np.tanh(gates, out=gates)
                gates *= half
                gates += shift
            else:
                raw[t] = gates
                for part in (i, f, o):
                    part[:] = self.recurrent_activation.forward(part)
                g[:] = self.activation.forward(g)
            np.multiply(f, before, out=cell)
            np.multiply(i, g, out=written)
            cell += written
            if usual:
                np.tanh(cell, out=tanh)
            else:
                tanh[:] = self.activation.forward(cell.copy())
            np.multiply(o, tanh, out=h)
            if not plain:
                reading.carry(t, cells)
        return z, raw, cells, told

    def run_back(
        self, arriving: Array, reading: Reading, cache: Any, context: Context
    ) -> tuple[list[tuple[Array, Array]], dict[str, Array]]:
        """The slopes of all gates of some steps at once, then the steps."""
        z, told = cache[0], cache[3]
        space, units = context.workspace, self.units
        dz = space.array("dz", z.shape, z.dtype)
        to_cell = space.array("to_cell", told.shape, z.dtype)
        written = dz.reshape(*told.shape[:2], 4, units)[:, :, :3]
        do, forget = _parts(dz)[3], _parts(z)[1]
        back = np.ascontiguousarray(self["recurrent_kernel"].T)
        dh = self.last(arriving, reading, context)
        dc = space.zeros("dc", dh.shape, z.dtype)
        through = space.array("through", dh.shape, z.dtype)
        dc_row = dc[:, None]
        for piece in reading.pieces(4 * units):
            self._slopes(piece, cache, dz[piece], to_cell[piece])
            steps = range(piece.start, piece.stop)
            each = zip(steps, dz[piece], written[piece], do[piece], forget[piece], to_cell[piece],
                       strict=True)  # fmt: skip
            for t, gates, inner, outer, f, factor in reversed(list(each)):
                kept = self.set_aside(t, reading, dh, dc)
                np.multiply(dh, factor, out=through)
                dc += through
                inner *= dc_row
                outer *= dh
                dc *= f
                np.matmul(gates, back, out=dh)
                self.step_down(t, dh, arriving, reading)
                if kept:
                    dh += kept[0]
                    dc += kept[1]
        return [(dz, self["kernel"])], self.joined_gradients(dz, reading, context)

    def _slopes(self, steps: slice, cache: Any, dz: Array, to_cell: Array) -> None:
        """What the gradients of c and h are multiplied by to be those of i, f, g and o.

        di = g · i', df = c_{t-1} · f', dg = i · g' (all times dc), do = tanh(c) · o' (times dh);
        dc gets dh · o · tanh'(c).
        """
        z, raw, cells, told = cache[0][steps], cache[1], cache[2], cache[3][steps]
        before = cells[steps]
        i, f, g, o = _parts(z)
        di, df, dg, do = _parts(dz)
        if raw is None:
            np.subtract(1, z, out=dz)
            dz *= z
            tanh_slope(g, out=dg)
            tanh_slope(told, out=to_cell)
        else:
            i_in, f_in, g_in, o_in = _parts(raw[steps])
            gate, act = self.recurrent_activation, self.activation
            after = cells[steps.start + 1 : steps.stop + 1]
            for slopes, function, out, into in (
                (di, gate, i, i_in), (df, gate, f, f_in), (do, gate, o, o_in),
                (dg, act, g, g_in), (to_cell, act, told, after),
            ):  # fmt: skip
                slope(function, out if function.saves == "output" else into, out=slopes)
        di *= g
        df *= before
        dg *= i
        do *= told
        to_cell *= o


def _parts(gates: Array) -> list[Array]:
    """i, f, g and o of the gates side by side."""
    units = gates.shape[-1] // 4
    return [gates[..., k * units : (k + 1) * units] for k in range(4)]


def _halves(units: int, dtype: Any) -> tuple[Array, Array]:
    """Factors and summands that make σ of the gates i, f and o out of tanh, and leave g alone."""
    half = np.full(4 * units, 0.5, dtype)
    half[2 * units : 3 * units] = 1
    shift = np.full(4 * units, 0.5, dtype)
    shift[2 * units : 3 * units] = 0
    return half, shift
