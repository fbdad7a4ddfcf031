"""The long short-term memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from studio.engine.activations import Sigmoid, Tanh, activations, logistic
from studio.engine.initializers import Initializer, initializers
from studio.engine.layers.base import WeightSpec, register
from studio.engine.layers.reading import Reading
from studio.engine.layers.recurrent import (
    Finish,
    Recurrent,
    Steps,
    lay_activation,
    lay_slope,
    recurrent_layers,
)
from studio.engine.layers.tiles import in_rows
from studio.engine.params import Boolean
from studio.engine.plan import Do
from studio.engine.registry import Named
from studio.engine.workspace import Array, Context, Shape


class ForgetBias(Initializer):
    """1 for the forget gate; the others start as they would (Jozefowicz et al., 2015)."""

    others = Named(initializers, "zeros")

    def check_shape(self, shape: tuple[int, ...]) -> None:
        self.others.check_shape(shape)

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

    def run(self, reading: Reading, context: Context, do: Do) -> tuple[Steps, Any]:
        """Per step: one product, the gates, the cell, the output.

        A step's gates lie in the order o, i, f, g, and below them the cell that they meet: those
        with σ are one run of memory, so are those that the gradient of the cell goes to, and i · g
        and f · c are one product of neighbours.
        """
        read, states, space = reading.read, reading.states, context.workspace
        time, units, batch = reading.time, *states.shape[1:]
        dtype, usual = states.dtype, self._usual
        weights = space.array("weights", (4 * units, read.shape[1]), dtype)
        kernel, recurrent = self["kernel"], self["recurrent_kernel"]
        bias = self["bias"] if self.use_bias else None
        for own, into in _order(units):
            part = None if bias is None else bias[own]
            self.join(kernel[:, own], part, recurrent[:, own], weights[into], do)
        if usual:
            gates = weights[: 3 * units]
            do(np.multiply, gates, np.array(logistic.factor(), dtype), out=gates)
        whole = space.array("z", (time + 1, 5 * units, batch), dtype)
        z, cells = whole[:-1, : 4 * units], whole[:, 4 * units :]
        raw = None if usual else space.array("raw", z.shape, dtype)
        do(cells[0].fill, 0)
        told = space.array("told", (time, units, batch), dtype)
        written = space.array("written", (2 * units, batch), dtype)
        tiles, in_tiles = in_rows(weights, z)

        def steps(piece: slice, do: Do) -> None:
            for t in range(time)[piece]:
                gates, g, cell = z[t, : 3 * units], z[t, 3 * units :], cells[t + 1]
                do(np.matmul, tiles, read[t], out=in_tiles[t])
                if raw is None:
                    logistic.lay_gates(z[t], 3 * units, do)
                else:
                    do(np.copyto, raw[t], z[t])
                    lay_activation(self.recurrent_activation, gates, gates, do)
                    lay_activation(self.activation, g, g, do)
                do(np.multiply, gates[units:], whole[t, 3 * units :], out=written)
                do(np.add, written[:units], written[units:], out=cell)
                lay_activation(self.activation, cell, told[t], do)
                do(np.multiply, gates[:units], told[t], out=states[t + 1])
                reading.carry(t, do, cells)

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

        def find(piece: slice, do: Do) -> None:
            d_o, d_i, d_f, d_g = _parts(dz[piece])
            o, i, f, g = _parts(z[piece])
            into_cell = to_cell[piece]
            if raw is None:
                do(np.subtract, 1, z[piece], out=dz[piece])
                do(np.multiply, dz[piece], z[piece], out=dz[piece])
                lay_slope(self.activation, g, d_g, do)
                lay_slope(self.activation, told[piece], into_cell, do)
            else:
                o_in, i_in, f_in, g_in = _parts(raw[piece])
                gate, act = self.recurrent_activation, self.activation
                for slopes, function, out, into in (
                    (d_i, gate, i, i_in), (d_f, gate, f, f_in), (d_o, gate, o, o_in),
                    (d_g, act, g, g_in), (into_cell, act, told[piece], cells[1:][piece]),
                ):  # fmt: skip
                    saved = out if function.saves == "output" else into
                    lay_slope(function, saved, slopes, do)
            for slopes, factor in (
                (d_i, g), (d_f, cells[piece]), (d_g, i), (d_o, told[piece]), (into_cell, o),
            ):  # fmt: skip
                do(np.multiply, slopes, factor, out=slopes)

        return find, factors

    def run_back(
        self, arriving: Array, reading: Reading, cache: Any, factors: Any, context: Context, do: Do
    ) -> tuple[Steps, list[tuple[str, Array, Array]], Finish]:
        """dh · factors for c and o, dc · factors for i, f and g; what these four give is dh."""
        units, space = self.units, context.workspace
        dz, f = factors[:, units:], _parts(cache[0])[2]
        dh = self.last(arriving, reading, context, do)
        dc = space.array("dc", dh.shape, dh.dtype)
        do(dc.fill, 0)
        recurrent, kernel = (
            self._turned_kernel(name, context, do) for name in ("recurrent_kernel", "kernel")
        )
        back, before = in_rows(recurrent, dh)
        split = factors.reshape(reading.time, 5, *dh.shape)

        pairs = self.aside(context, dh, dc)

        def steps(piece: slice, do: Do) -> None:
            for t in reversed(range(reading.time)[piece]):
                reading.set_aside(t, pairs, do)
                outer, inner = split[t, :2], split[t, 2:]
                do(np.multiply, outer, dh, out=outer)
                do(np.add, dc, outer[0], out=dc)
                do(np.multiply, inner, dc, out=inner)
                do(np.multiply, dc, f[t], out=dc)
                do(np.matmul, back, dz[t], out=before)
                self.step_down(t, dh, arriving, reading, do)
                reading.put_back(t, pairs, do)

        def finish(sums: list[Array], do: Do) -> tuple[list[tuple[Array, Array]], dict[str, Array]]:
            (whole,) = sums
            found = space.array("turned back", whole.shape, whole.dtype)
            for own, turned in _order(units):
                do(np.copyto, found[:, own], whole[:, turned])
            return [(dz, kernel)], self.split_gradients(found, reading, context, do)

        return steps, [("whole", reading.read[:-1], dz)], finish

    def _turned_kernel(self, name: str, context: Context, do: Do) -> Array:
        """A kernel with its parts in the order o, i, f, g."""
        kernel = self[name]
        found = context.workspace.array(f"turned {name}", kernel.shape, kernel.dtype)
        for own, turned in _order(self.units):
            do(np.copyto, found[:, turned], kernel[:, own])
        return found


def _parts(gates: Array) -> list[Array]:
    """o, i, f and g of the gates, (…, 4 · units, batch)."""
    units = gates.shape[-2] // 4
    return [gates[..., k * units : (k + 1) * units, :] for k in range(4)]


def _order(units: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Where weights have the gates, i, f, g and o, and where o, i, f and g are worked on."""
    last = 3 * units
    return (slice(last, None), slice(None, units)), (slice(None, last), slice(units, None))
