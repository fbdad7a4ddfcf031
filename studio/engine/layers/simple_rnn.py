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
    recurrent_layers,
    slope,
)
from studio.engine.layers.tiles import in_rows
from studio.engine.params import Integer
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

    def run(self, reading: Reading, context: Context) -> tuple[Steps, Any]:
        """One product per step."""
        read, states, act = reading.read, reading.states, self.activation
        bias = self["bias"] if self.use_bias else None
        weights = self.joined(self["kernel"], bias, self["recurrent_kernel"])
        z = context.workspace.array("z", (reading.time, *states.shape[1:]), states.dtype)
        tiles, products = in_rows(weights, z)
        plain = reading.skips is None and reading.drop is None

        def steps(piece: slice) -> None:
            for t in range(reading.time)[piece]:
                h = states[t + 1]
                np.matmul(tiles, read[t], out=products[t])
                y = act.forward(z[t], out=h)
                if y is not h:
                    np.copyto(h, y)
                if not plain:
                    reading.carry(t)

        return steps, z if act.saves == "input" else states[1:]

    def slopes(self, reading: Reading, cache: Any, context: Context) -> tuple[Steps, Any]:
        """activation'."""
        dz = context.workspace.array("dz", cache.shape, cache.dtype)

        def find(piece: slice) -> None:
            slope(self.activation, cache[piece], out=dz[piece])

        return find, dz

    def run_back(
        self, arriving: Array, reading: Reading, cache: Any, factors: Any, context: Context
    ) -> tuple[Steps, list[tuple[str, Array, Array]], Finish]:
        """dz_t = dh_t · activation', dh_{t-1} = dz_t · recurrent_kernelᵀ."""
        dz: Array = factors
        dh = self.last(arriving, reading, context)
        back, before = in_rows(self["recurrent_kernel"], dh)

        def steps(piece: slice) -> None:
            for t in reversed(range(reading.time)[piece]):
                kept = self.set_aside(t, reading, dh)
                np.multiply(dz[t], dh, out=dz[t])
                np.matmul(back, dz[t], out=before)
                self.step_down(t, dh, arriving, reading)
                if kept:
                    np.add(dh, kept[0], out=dh)

        def finish(whole: Array) -> tuple[list[tuple[Array, Array]], dict[str, Array]]:
            return [(dz, self["kernel"])], self.split_gradients(whole, reading, context)

        return steps, [("whole", reading.read[:-1], dz)], finish
