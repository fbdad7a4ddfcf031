"""The long short-term memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from studio.engine.activations import Sigmoid, Tanh, activations
from studio.engine.initializers import Initializer, initializers
from studio.engine.layers.base import WeightSpec, register
from studio.engine.layers.reading import Reading
from studio.engine.layers.recurrent import (
    Finish,
    Recurrent,
    Steps,
    recurrent_layers,
    slope,
    tanh_slope,
)
from studio.engine.layers.tiles import in_rows
from studio.engine.params import Boolean
from studio.engine.plan import as_arrays
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

    def run(self, reading: Reading, context: Context) -> tuple[Steps, Any]:
        """Per step: one product, the gates, the cell, the output.

        A step's gates lie in the order o, i, f, g, and below them the cell that they meet: those
        with σ are one run of memory, so are those that the gradient of the cell goes to, and i · g
        and f · c are one product of neighbours.
        """
        read, states, space = reading.read, reading.states, context.workspace
        time, units, batch = reading.time, *states.shape[1:]
        dtype, usual = states.dtype, self._usual
        weights = np.roll(
            self.joined(
                self["kernel"], self["bias"] if self.use_bias else None, self["recurrent_kernel"]
            ),
            units,
            axis=0,
        )
        if usual:
            # σ(z) = tanh(z / 2) / 2 + 1 / 2: with halved weights all gates are one tanh.
            weights[: 3 * units] *= 0.5
        whole = space.array("z", (time + 1, 5 * units, batch), dtype)
        z, cells = whole[:-1, : 4 * units], whole[:, 4 * units :]
        raw = None if usual else space.array("raw", z.shape, dtype)
        cells[0] = 0
        told = space.array("told", (time, units, batch), dtype)
        written = space.array("written", (2 * units, batch), dtype)
        new, kept = written[:units], written[units:]
        plain = reading.skips is None and reading.drop is None
        tiles, in_tiles = in_rows(weights, z)
        one, half = as_arrays(1, 0.5, dtype=dtype)
        series = (
            read, in_tiles, z, z[:, : 3 * units], z[:, :units], z[:, units : 3 * units],
            z[:, 3 * units :], whole[:, 3 * units :], cells[1:], told, states[1:],
        )  # fmt: skip

        def steps(piece: slice) -> None:
            each = zip(range(time)[piece], *[part[piece] for part in series], strict=True)
            for t, seen, into, all_gates, gates, o, i_f, g, g_cell, cell, tanh, h in each:
                np.matmul(tiles, seen, out=into)
                if raw is None:
                    np.tanh(all_gates, out=all_gates)
                    np.add(gates, one, out=gates)
                    np.multiply(gates, half, out=gates)
                else:
                    raw[t] = all_gates
                    gates[:] = self.recurrent_activation.forward(gates)
                    g[:] = self.activation.forward(g)
                np.multiply(i_f, g_cell, out=written)
                np.add(new, kept, out=cell)
                if usual:
                    np.tanh(cell, out=tanh)
                else:
                    tanh[:] = self.activation.forward(cell.copy())
                np.multiply(o, tanh, out=h)
                if not plain:
                    reading.carry(t, cells)

        return steps, (z, raw, cells, told)

    def slopes(self, reading: Reading, cache: Any, context: Context) -> tuple[Steps, Any]:
        """What the gradients of c and h are multiplied by to be those of o, i, f and g.

        di = g · i', df = c_{t-1} · f', dg = i · g' (all times dc), do = tanh(c) · o' (times dh);
        dc gets dh · o · tanh'(c), whose factor lies above that of o.
        """
        z, raw, cells, told = cache
        time, units, batch = told.shape
        factors = context.workspace.array("factors", (time, 5 * units, batch), z.dtype)
        to_cell, dz = factors[:, :units], factors[:, units:]

        def find(piece: slice) -> None:
            do, di, df, dg = _parts(dz[piece])
            o, i, f, g = _parts(z[piece])
            into_cell = to_cell[piece]
            if raw is None:
                np.subtract(1, z[piece], out=dz[piece])
                np.multiply(dz[piece], z[piece], out=dz[piece])
                tanh_slope(g, out=dg)
                tanh_slope(told[piece], out=into_cell)
            else:
                o_in, i_in, f_in, g_in = _parts(raw[piece])
                gate, act = self.recurrent_activation, self.activation
                for slopes, function, out, into in (
                    (di, gate, i, i_in), (df, gate, f, f_in), (do, gate, o, o_in),
                    (dg, act, g, g_in), (into_cell, act, told[piece], cells[1:][piece]),
                ):  # fmt: skip
                    slope(function, out if function.saves == "output" else into, out=slopes)
            di *= g
            df *= cells[piece]
            dg *= i
            do *= told[piece]
            into_cell *= o

        return find, factors

    def run_back(
        self, arriving: Array, reading: Reading, cache: Any, factors: Any, context: Context
    ) -> tuple[Steps, list[tuple[str, Array, Array]], Finish]:
        """dh · factors for c and o, dc · factors for i, f and g; what these four give is dh."""
        units = self.units
        dz = factors[:, units:]
        dh = self.last(arriving, reading, context)
        dc = context.workspace.zeros("dc", dh.shape, dh.dtype)
        back, before = in_rows(np.roll(self["recurrent_kernel"], units, axis=1), dh)
        split = factors.reshape(reading.time, 5, *dh.shape)
        series = (dz, split[:, :2], split[:, 0], split[:, 2:], _parts(cache[0])[2])

        def steps(piece: slice) -> None:
            times = range(reading.time)[piece]
            each = list(zip(times, *[part[piece] for part in series], strict=True))
            for t, gates, outer, through, inner, f in reversed(each):
                kept = self.set_aside(t, reading, dh, dc)
                np.multiply(outer, dh, out=outer)
                np.add(dc, through, out=dc)
                np.multiply(inner, dc, out=inner)
                np.multiply(dc, f, out=dc)
                np.matmul(back, gates, out=before)
                self.step_down(t, dh, arriving, reading)
                if kept:
                    np.add(dh, kept[0], out=dh)
                    np.add(dc, kept[1], out=dc)

        def finish(whole: Array) -> tuple[list[tuple[Array, Array]], dict[str, Array]]:
            kernel = np.roll(self["kernel"], units, axis=1)
            found = np.roll(whole, -units, axis=1)
            return [(dz, kernel)], self.split_gradients(found, reading, context)

        return steps, [("whole", reading.read[:-1], dz)], finish


def _parts(gates: Array) -> list[Array]:
    """o, i, f and g of the gates, (…, 4 · units, batch)."""
    units = gates.shape[-2] // 4
    return [gates[..., k * units : (k + 1) * units, :] for k in range(4)]
