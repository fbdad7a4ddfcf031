"""The gated recurrent unit."""

from __future__ import annotations

from typing import Any

import numpy as np

from studio.engine.activations import Sigmoid, Tanh, activations
from studio.engine.layers.base import register
from studio.engine.layers.recurrent import Reading, Recurrent, recurrent_layers, slope, tanh_slope
from studio.engine.params import Boolean
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

    def run(self, reading: Reading, context: Context) -> Any:
        """Per step: a product for both gates, one for the candidate, and the new state."""
        read, states, space = reading.read, reading.states, context.workspace
        time, batch, units = reading.time, states.shape[1], self.units
        dtype, after, edge = states.dtype, self.reset_after, 2 * self.units
        usual = isinstance(self.recurrent_activation, Sigmoid) and isinstance(self.activation, Tanh)
        kernel, recurrent = self["kernel"], self["recurrent_kernel"]
        inputs, own = self._biases(dtype)
        gate_weights = self.joined(
            kernel[:, :edge], inputs[:edge] + own[:edge], recurrent[:, :edge]
        )
        if usual:
            gate_weights *= dtype.type(0.5)  # σ(z) = tanh(z / 2) / 2 + 1 / 2
        # For [1 | h], or for r · h alone.
        ones = reading.features
        state_weights = np.concatenate([own[None, edge:], recurrent[:, edge:]])
        if not after:
            state_weights = np.ascontiguousarray(recurrent[:, edge:])
        gates = space.array("gates", (time, batch, edge), dtype)
        g = space.array("g", (time, batch, units), dtype)
        np.matmul(
            read[:-1, :, : ones + 1].reshape(-1, ones + 1),
            np.concatenate([kernel[:, edge:], inputs[None, edge:]]),
            out=g.reshape(-1, units),
        )
        # What the reset gate acts on: h · U_g + c_g, or h itself.
        seen = space.array("seen", g.shape, dtype) if after else read[:-1, :, ones + 1 :]
        raw_gates, raw = (None, None) if usual else (np.empty_like(gates), np.empty_like(g))
        reset = space.array("reset", (batch, units), dtype)
        plain = reading.mask is None and reading.drop is None
        for t in range(time):
            both, candidate, new = gates[t], g[t], states[t + 1]
            np.matmul(read[t], gate_weights, out=both)
            if raw_gates is None:
                np.tanh(both, out=both)
                both += 1
                both *= 0.5
            else:
                raw_gates[t] = both
                both[...] = self.recurrent_activation.forward(both)
            if after:
                np.matmul(read[t, :, ones:], state_weights, out=seen[t])
            np.multiply(both[:, units:], seen[t], out=reset)
            candidate += reset if after else np.matmul(reset, state_weights)
            if raw is None:
                np.tanh(candidate, out=candidate)
            else:
                raw[t] = candidate
                candidate[...] = self.activation.forward(candidate)
            # z · h + (1 - z) · g = g + z · (h - g)
            np.subtract(states[t], candidate, out=new)
            new *= both[:, :units]
            new += candidate
            if not plain:
                reading.carry(t)
        return gates, g, seen, raw_gates, raw

    def _biases(self, dtype: Any) -> tuple[Array, Array]:
        """The bias of the input's part and that of the state's."""
        nothing = np.zeros(3 * self.units, dtype)
        if not self.use_bias:
            return nothing, nothing
        bias = self["bias"]
        return (bias[0], bias[1]) if self.reset_after else (bias, nothing)

    def run_back(
        self, arriving: Array, reading: Reading, cache: Any, context: Context
    ) -> tuple[list[tuple[Array, Array]], dict[str, Array]]:
        """Nearly every gradient of a step is dh times a factor that is known before."""
        gates, g = cache[:2]
        space, units, after = context.workspace, self.units, self.reset_after
        edge, dtype = 2 * units, g.dtype
        # Before the activations: of z, r, and the state's part of the candidate.
        dz = space.array("dz", (*g.shape[:2], 3 * units), dtype)
        split = dz.reshape(*g.shape[:2], 3, units)
        dg = space.array("dg", g.shape, dtype) if after else dz[..., edge:]
        recurrent, kernel = self["recurrent_kernel"], self["kernel"]
        back = np.ascontiguousarray(recurrent.T if after else recurrent[:, :edge].T)
        candidate = None if after else np.ascontiguousarray(recurrent[:, edge:].T)
        dh = self.last(arriving, reading, context)
        carried = space.array("carried", dh.shape, dtype)
        for piece in reading.pieces(3 * units):
            self._slopes(piece, reading, cache, dz[piece], dg[piece], context)
            for t in range(piece.stop - 1, piece.start - 1, -1):
                kept = self.set_aside(t, reading, dh)
                np.multiply(dh, gates[t, :, :units], out=carried)
                dg[t] *= dh
                if candidate is None:
                    split[t] *= dh[:, None, :]
                    np.matmul(dz[t], back, out=dh)
                else:
                    split[t, :, 0] *= dh
                    through = np.matmul(dg[t], candidate)
                    split[t, :, 1] *= through
                    np.matmul(dz[t, :, :edge], back, out=dh)
                    through *= gates[t, :, units:]
                    dh += through
                self.step_down(t, dh, arriving, reading)
                dh += carried
                if kept:
                    dh += kept[0]
        found = self._weights_back(dz, dg, cache, reading, context)
        if not after:
            return [(dz, kernel)], found
        return [(dz[..., :edge], kernel[:, :edge]), (dg, kernel[:, edge:])], found

    def _slopes(
        self, steps: slice, reading: Reading, cache: Any, dz: Array, dg: Array, context: Context
    ) -> None:
        """The factors of dh in the gradients of z, r and g, and of the state's part of g.

        Without ``reset_after`` that of r is what the gradient of r · h is multiplied by.
        """
        gates, g, seen = (part[steps] for part in cache[:3])
        raw_gates, raw = cache[3:]
        units = self.units
        slopes = dz[..., : 2 * units]
        if raw is None:
            np.subtract(1, gates, out=slopes)
            slopes *= gates
            tanh_slope(g, out=dg)
        else:
            gate, act = self.recurrent_activation, self.activation
            slope(gate, gates if gate.saves == "output" else raw_gates[steps], out=slopes)
            slope(act, g if act.saves == "output" else raw[steps], out=dg)
        update, reset = gates[..., :units], gates[..., units:]
        spare = context.workspace.array("spare", dg.shape, dg.dtype)
        np.subtract(1, update, out=spare)
        dg *= spare
        np.subtract(reading.states[steps], g, out=spare)
        slopes[..., :units] *= spare
        slopes[..., units:] *= seen
        if self.reset_after:
            slopes[..., units:] *= dg
            np.multiply(dg, reset, out=dz[..., 2 * units :])

    def _weights_back(
        self, dz: Array, dg: Array, cache: Any, reading: Reading, context: Context
    ) -> dict[str, Array]:
        """The gradients of the weights: the candidate has parts of its own for input and state."""
        gates, seen, edge, row = cache[0], cache[2], 2 * self.units, reading.features
        read = reading.read[:-1].reshape(-1, reading.read.shape[-1])
        whole = read.T @ dz.reshape(-1, dz.shape[-1])
        flat = dg.reshape(-1, self.units)
        inputs, own = whole[: row + 1], whole[row]
        if self.reset_after:
            inputs = np.hstack([inputs[:, :edge], read[:, : row + 1].T @ flat])
        else:
            state = (gates[..., self.units :] * seen).reshape(-1, self.units)
            whole[row + 1 :, edge:] = state.T @ flat
        parts = {"kernel": inputs[:row], "recurrent_kernel": whole[row + 1 :]}
        if self.use_bias:
            parts["bias"] = np.stack([inputs[row], own]) if self.reset_after else own
        return {name: self.written(name, part, context) for name, part in parts.items()}
