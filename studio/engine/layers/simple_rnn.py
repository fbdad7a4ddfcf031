"""The simple recurrent layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from studio.engine.layers.base import register
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
from studio.engine.params import Integer
from studio.engine.plan import Do
from studio.engine.workspace import Array, Context


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

    def run(self, reading: Reading, context: Context, do: Do) -> tuple[Steps, Any]:
        """One product per step."""
        read, states, act = reading.read, reading.states, self.activation
        space, shape = context.workspace, (self.units, read.shape[1])
        weights = space.array("weights", shape, states.dtype)
        bias = self["bias"] if self.use_bias else None
        self.join(self["kernel"], bias, self["recurrent_kernel"], weights, do)
        z = space.array("z", (reading.time, *states.shape[1:]), states.dtype)
        tiles, products = in_rows(weights, z)

        def steps(piece: slice, do: Do) -> None:
            for t in range(reading.time)[piece]:
                do(np.matmul, tiles, read[t], out=products[t])
                lay_activation(act, z[t], states[t + 1], do)
                reading.carry(t, do)

        return steps, z if act.saves == "input" else states[1:]

    def slopes(self, reading: Reading, cache: Any, context: Context) -> tuple[Steps, Any]:
        """activation'."""
        dz = context.workspace.array("dz", cache.shape, cache.dtype)

        def find(piece: slice, do: Do) -> None:
            lay_slope(self.activation, cache[piece], dz[piece], do)

        return find, dz

    def run_back(
        self, arriving: Array, reading: Reading, cache: Any, factors: Any, context: Context, do: Do
    ) -> tuple[Steps, list[tuple[str, Array, Array]], Finish]:
        """dz_t = dh_t · activation', dh_{t-1} = dz_t · recurrent_kernelᵀ."""
        dz: Array = factors
        dh = self.last(arriving, reading, context, do)
        back, before = in_rows(self["recurrent_kernel"], dh)

        pairs = self.aside(context, dh)

        def steps(piece: slice, do: Do) -> None:
            for t in reversed(range(reading.time)[piece]):
                reading.set_aside(t, pairs, do)
                do(np.multiply, dz[t], dh, out=dz[t])
                do(np.matmul, back, dz[t], out=before)
                self.step_down(t, dh, arriving, reading, do)
                reading.put_back(t, pairs, do)

        def finish(sums: list[Array], do: Do) -> tuple[list[tuple[Array, Array]], dict[str, Array]]:
            (whole,) = sums
            return [(dz, self["kernel"])], self.split_gradients(whole, reading, context, do)

        return steps, [("whole", reading.read[:-1], dz)], finish
