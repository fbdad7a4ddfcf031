"""The gated recurrent unit."""

from __future__ import annotations

from typing import Any

import numpy as np

from studio.engine.activations import Sigmoid, Tanh, activations
from studio.engine.layers.base import register
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
from studio.engine.workspace import Array, Context


@register()
@recurrent_layers.register()
class GRU(Recurrent):
    """Two gates say how much of the state is kept and how much of it the next one sees.

    z, r = σ(x · W + h · U + b) of their parts; with ``reset_after`` the candidate is
    g = activation(x · W_g + b_g + r ⊙ (h · U_g + c_g)), else activation(x · W_g + (r ⊙ h) · U_g
    + b_g); h_t = z ⊙ h_{t-1} + (1 - z) ⊙ g. With ``reset_after`` the bias is (2, 3 · units).
    Input shape: ``(batch, time, features)``. Output shape: ``(batch, units)``, or with
    ``return_sequences`` ``(batch, time, units)``.
    Source: Cho et al., 2014; https://keras.io/api/layers/recurrent_layers/gru/
    """

    help = "Reads a sequence and learns what to keep; a little smaller than an LSTM."
    gates = 3

    recurrent_activation = Named(activations, "sigmoid", advanced=True, after="activation",
                                 help="Applied to the gates.")  # fmt: skip
    reset_after = Boolean(True, advanced=True, after="go_backwards",
                          help="Whether the reset gate acts on the state's product.")  # fmt: skip

    def bias_shape(self) -> tuple[int, ...]:
        """With ``reset_after`` the input's part and the state's have biases of their own."""
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def run(self, reading: Reading, context: Context) -> tuple[Steps, Any]:
        """Per step: a product for both gates, one for the candidate, and the new state."""
        read, states, space = reading.read, reading.states, context.workspace
        time, units, batch = reading.time, *states.shape[1:]
        dtype, after, edge = states.dtype, self.reset_after, 2 * self.units
        usual = isinstance(self.recurrent_activation, Sigmoid) and isinstance(self.activation, Tanh)
        kernel, recurrent = self["kernel"], self["recurrent_kernel"]
        inputs, own = self._biases(dtype)
        if after:
            # One product for both gates and for what the reset gate acts on, h · U_g + c_g.
            none = np.zeros_like(kernel[:, edge:])
            weights = self.joined(
                np.hstack([kernel[:, :edge], none]),
                np.concatenate([inputs[:edge] + own[:edge], own[edge:]]),
                recurrent,
            )
        else:
            weights = self.joined(kernel[:, :edge], inputs[:edge], recurrent[:, :edge])
        if usual:
            weights[:edge] *= 0.5  # σ(z) = tanh(z / 2) / 2 + 1 / 2
        state_weights = None if after else np.ascontiguousarray(recurrent[:, edge:].T)
        own_inputs = np.vstack([kernel[:, edge:], inputs[None, edge:]])
        products = space.array("products", (time, len(weights), batch), dtype)
        tiles, in_tiles = in_rows(weights, products)
        gates = products[:, :edge]
        g = space.array("g", (time, units, batch), dtype)
        np.matmul(np.ascontiguousarray(own_inputs.T), read[:-1, : len(own_inputs)], out=g)
        seen = products[:, edge:] if after else read[:-1, len(own_inputs) :]
        raw_gates, raw = (None, None) if usual else (np.empty_like(gates), np.empty_like(g))
        reset = space.array("reset", (units, batch), dtype)
        plain = reading.skips is None and reading.drop is None
        one, half = as_arrays(1, 0.5, dtype=dtype)

        def steps(piece: slice) -> None:
            for t in range(time)[piece]:
                both, candidate, new = gates[t], g[t], states[t + 1]
                np.matmul(tiles, read[t], out=in_tiles[t])
                if raw_gates is None:
                    np.tanh(both, out=both)
                    np.add(both, one, out=both)
                    np.multiply(both, half, out=both)
                else:
                    raw_gates[t] = both
                    both[...] = self.recurrent_activation.forward(both)
                np.multiply(both[units:], seen[t], out=reset)
                candidate += reset if state_weights is None else np.matmul(state_weights, reset)
                if raw is None:
                    np.tanh(candidate, out=candidate)
                else:
                    raw[t] = candidate
                    candidate[...] = self.activation.forward(candidate)
                # z · h + (1 - z) · g = g + z · (h - g)
                np.subtract(states[t], candidate, out=new)
                new *= both[:units]
                new += candidate
                if not plain:
                    reading.carry(t)

        return steps, (gates, g, seen, raw_gates, raw)

    def _biases(self, dtype: Any) -> tuple[Array, Array]:
        """The bias of the input's part and that of the state's."""
        nothing = np.zeros(3 * self.units, dtype)
        if not self.use_bias:
            return nothing, nothing
        bias = self["bias"]
        return (bias[0], bias[1]) if self.reset_after else (bias, nothing)

    def slopes(self, reading: Reading, cache: Any, context: Context) -> tuple[Steps, Any]:
        """The factors of dh in the gradients of z, r and g, and of the state's part of g.

        Without ``reset_after`` that of r is what the gradient of r · h is multiplied by.
        """
        gates, g, seen, raw_gates, raw = cache
        units, edge, after = self.units, 2 * self.units, self.reset_after
        # Before the activations: of z, r, and the state's part of the candidate.
        dz = context.workspace.array("dz", (len(g), 3 * units, g.shape[2]), g.dtype)
        dg = context.workspace.array("dg", g.shape, g.dtype) if after else dz[:, edge:]
        spare = context.workspace.array("spare", g.shape, g.dtype)

        def find(piece: slice) -> None:
            both, d_candidate, rest = dz[piece, :edge], dg[piece], spare[piece]
            if raw is None:
                np.subtract(1, gates[piece], out=both)
                np.multiply(both, gates[piece], out=both)
                tanh_slope(g[piece], out=d_candidate)
            else:
                gate, act = self.recurrent_activation, self.activation
                slope(gate, (gates if gate.saves == "output" else raw_gates)[piece], out=both)
                slope(act, (g if act.saves == "output" else raw)[piece], out=d_candidate)
            np.subtract(1, gates[piece, :units], out=rest)
            d_candidate *= rest
            np.subtract(reading.states[piece], g[piece], out=rest)
            both[:, :units] *= rest
            both[:, units:] *= seen[piece]
            if after:
                both[:, units:] *= d_candidate
                np.multiply(d_candidate, gates[piece, units:], out=dz[piece, edge:])

        return find, (dz, dg)

    def run_back(
        self, arriving: Array, reading: Reading, cache: Any, factors: Any, context: Context
    ) -> tuple[Steps, list[tuple[str, Array, Array]], Finish]:
        """Nearly every gradient of a step is dh times a factor that is known before."""
        gates, _, seen = cache[:3]
        dz, dg = factors
        edge, units, after = 2 * self.units, self.units, self.reset_after
        split = dz.reshape(len(dz), 3, *dg.shape[1:])
        recurrent, kernel = self["recurrent_kernel"], self["kernel"]
        dh = self.last(arriving, reading, context)
        back = recurrent if after else np.ascontiguousarray(recurrent[:, :edge])
        tiles, before = in_rows(back, dh)
        candidate = None if after else np.ascontiguousarray(recurrent[:, edge:])
        carried = context.workspace.array("carried", dh.shape, dh.dtype)

        def steps(piece: slice) -> None:
            for t in reversed(range(reading.time)[piece]):
                kept = self.set_aside(t, reading, dh)
                np.multiply(dh, gates[t, :units], out=carried)
                dg[t] *= dh
                if candidate is None:
                    split[t] *= dh
                    np.matmul(tiles, dz[t], out=before)
                else:
                    split[t, 0] *= dh
                    through = np.matmul(candidate, dg[t])
                    split[t, 1] *= through
                    np.matmul(tiles, dz[t, :edge], out=before)
                    through *= gates[t, units:]
                    np.add(dh, through, out=dh)
                self.step_down(t, dh, arriving, reading)
                np.add(dh, carried, out=dh)
                if kept:
                    np.add(dh, kept[0], out=dh)

        def finish(
            whole: Array, other: Array
        ) -> tuple[list[tuple[Array, Array]], dict[str, Array]]:
            found = self._weights_back(whole, other, reading, context)
            if not after:
                return [(dz, kernel)], found
            return [(dz[:, :edge], kernel[:, :edge]), (dg, kernel[:, edge:])], found

        # The candidate has a product of its own: for its input, or where it reads r · h.
        read = reading.read[:-1]
        other = read[:, : reading.features + 1] if after else gates[:, units:] * seen
        return steps, [("whole", read, dz), ("other", other, dg)], finish

    def _weights_back(
        self, whole: Array, other: Array, reading: Reading, context: Context
    ) -> dict[str, Array]:
        """The gradients of the weights: the candidate has parts of its own for input and state."""
        edge, row = 2 * self.units, reading.features
        inputs, own = whole[: row + 1], whole[row]
        if self.reset_after:
            inputs = np.hstack([inputs[:, :edge], other])
        else:
            whole[row + 1 :, edge:] = other
        parts = {"kernel": inputs[:row], "recurrent_kernel": whole[row + 1 :]}
        if self.use_bias:
            parts["bias"] = np.stack([inputs[row], own]) if self.reset_after else own
        return {name: self.written(name, part, context) for name, part in parts.items()}
