"""The gated recurrent unit."""

from __future__ import annotations

from typing import Any

import numpy as np

from studio.engine.activations import Sigmoid, Tanh, activations, logistic
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
from studio.engine.params import Boolean
from studio.engine.plan import Do
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

    def run(self, reading: Reading, context: Context, do: Do) -> tuple[Steps, Any]:
        """Per step: a product for both gates, one for the candidate, and the new state."""
        read, states, space = reading.read, reading.states, context.workspace
        time, units, batch = reading.time, *states.shape[1:]
        dtype, after, edge = states.dtype, self.reset_after, 2 * self.units
        usual = isinstance(self.recurrent_activation, Sigmoid) and isinstance(self.activation, Tanh)
        kernel, recurrent = self["kernel"], self["recurrent_kernel"]
        inputs, own = self._biases()
        # With ``reset_after`` one product for both gates and for what the reset gate acts on,
        # h · U_g + c_g.
        size = (3 if after else 2) * units
        weights = space.array("weights", (size, read.shape[1]), dtype)
        bias = None if inputs is None else inputs[:edge]
        if inputs is not None and own is not None:
            bias = space.array("both biases", (edge,), dtype)
            do(np.add, inputs[:edge], own[:edge], out=bias)
        self.join(kernel[:, :edge], bias, recurrent[:, :edge], weights[:edge], do)
        if usual:
            both = weights[:edge]
            do(np.multiply, both, np.array(logistic.factor(), dtype), out=both)
        state_weights = None
        if after:
            own_bias = None if own is None else own[edge:]
            self.join(None, own_bias, recurrent[:, edge:], weights[edge:], do)
        else:
            state_weights = space.array("state weights", (units, units), dtype)
            do(np.copyto, state_weights, recurrent[:, edge:].T)
        candidate_weights = space.array("candidate weights", (units, reading.features + 1), dtype)
        input_bias = None if inputs is None else inputs[edge:]
        self.join(kernel[:, edge:], input_bias, recurrent[:0, edge:], candidate_weights, do)
        products = space.array("products", (time, size, batch), dtype)
        tiles, in_tiles = in_rows(weights, products)
        gates = products[:, :edge]
        g = space.array("g", (time, units, batch), dtype)
        do(np.matmul, candidate_weights, read[:-1, : reading.features + 1], out=g)
        seen = products[:, edge:] if after else read[:-1, reading.features + 1 :]
        raw_gates = None if usual else space.array("raw gates", gates.shape, dtype)
        raw = None if usual else space.array("raw", g.shape, dtype)
        reset = space.array("reset", (units, batch), dtype)
        through = reset if after else space.array("through", (units, batch), dtype)

        def steps(piece: slice, do: Do) -> None:
            for t in range(time)[piece]:
                both, candidate, new = gates[t], g[t], states[t + 1]
                do(np.matmul, tiles, read[t], out=in_tiles[t])
                if raw_gates is None:
                    logistic.lay_rest(both, do)
                else:
                    do(np.copyto, raw_gates[t], both)
                    lay_activation(self.recurrent_activation, both, both, do)
                do(np.multiply, both[units:], seen[t], out=reset)
                if state_weights is not None:
                    do(np.matmul, state_weights, reset, out=through)
                do(np.add, candidate, through, out=candidate)
                if raw is not None:
                    do(np.copyto, raw[t], candidate)
                lay_activation(self.activation, candidate, candidate, do)
                # z · h + (1 - z) · g = g + z · (h - g)
                do(np.subtract, states[t], candidate, out=new)
                do(np.multiply, new, both[:units], out=new)
                do(np.add, new, candidate, out=new)
                reading.carry(t, do)

        return steps, (gates, g, seen, raw_gates, raw)

    def _biases(self) -> tuple[Array | None, Array | None]:
        """The bias of the input's part and that of the state's."""
        if not self.use_bias:
            return None, None
        bias = self["bias"]
        return (bias[0], bias[1]) if self.reset_after else (bias, None)

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

        def find(piece: slice, do: Do) -> None:
            both, d_candidate, rest = dz[piece, :edge], dg[piece], spare[piece]
            if raw is None:
                do(np.subtract, 1, gates[piece], out=both)
                do(np.multiply, both, gates[piece], out=both)
                lay_slope(self.activation, g[piece], d_candidate, do)
            else:
                gate, act = self.recurrent_activation, self.activation
                lay_slope(gate, (gates if gate.saves == "output" else raw_gates)[piece], both, do)
                lay_slope(act, (g if act.saves == "output" else raw)[piece], d_candidate, do)
            d_z, d_r = both[:, :units], both[:, units:]
            do(np.subtract, 1, gates[piece, :units], out=rest)
            do(np.multiply, d_candidate, rest, out=d_candidate)
            do(np.subtract, reading.states[piece], g[piece], out=rest)
            do(np.multiply, d_z, rest, out=d_z)
            do(np.multiply, d_r, seen[piece], out=d_r)
            if after:
                do(np.multiply, d_r, d_candidate, out=d_r)
                do(np.multiply, d_candidate, gates[piece, units:], out=dz[piece, edge:])

        return find, (dz, dg)

    def run_back(
        self, arriving: Array, reading: Reading, cache: Any, factors: Any, context: Context, do: Do
    ) -> tuple[Steps, list[tuple[str, Array, Array]], Finish]:
        """Nearly every gradient of a step is dh times a factor that is known before."""
        gates, _, seen = cache[:3]
        dz, dg = factors
        space, edge, units, after = context.workspace, 2 * self.units, self.units, self.reset_after
        split = dz.reshape(len(dz), 3, *dg.shape[1:])
        recurrent, kernel = self["recurrent_kernel"], self["kernel"]
        dh = self.last(arriving, reading, context, do)
        back, candidate = recurrent, None
        if not after:
            back = space.array("back", (units, edge), dh.dtype)
            candidate = space.array("candidate", (units, units), dh.dtype)
            do(np.copyto, back, recurrent[:, :edge])
            do(np.copyto, candidate, recurrent[:, edge:])
        tiles, before = in_rows(back, dh)
        carried = space.array("carried", dh.shape, dh.dtype)
        through = space.array("through", dh.shape, dh.dtype)

        pairs = self.aside(context, dh)

        def steps(piece: slice, do: Do) -> None:
            for t in reversed(range(reading.time)[piece]):
                reading.set_aside(t, pairs, do)
                do(np.multiply, dh, gates[t, :units], out=carried)
                do(np.multiply, dg[t], dh, out=dg[t])
                if candidate is None:
                    do(np.multiply, split[t], dh, out=split[t])
                    do(np.matmul, tiles, dz[t], out=before)
                else:
                    do(np.multiply, split[t, 0], dh, out=split[t, 0])
                    do(np.matmul, candidate, dg[t], out=through)
                    do(np.multiply, split[t, 1], through, out=split[t, 1])
                    do(np.matmul, tiles, dz[t, :edge], out=before)
                    do(np.multiply, through, gates[t, units:], out=through)
                    do(np.add, dh, through, out=dh)
                self.step_down(t, dh, arriving, reading, do)
                do(np.add, dh, carried, out=dh)
                reading.put_back(t, pairs, do)

        def finish(sums: list[Array], do: Do) -> tuple[list[tuple[Array, Array]], dict[str, Array]]:
            whole, other = sums
            found = self._weights_back(whole, other, reading, context, do)
            if not after:
                return [(dz, kernel)], found
            return [(dz[:, :edge], kernel[:, :edge]), (dg, kernel[:, edge:])], found

        # The candidate has a product of its own: for its input, or where it reads r · h.
        read = reading.read[:-1]
        other = read[:, : reading.features + 1]
        if not after:
            other = space.array("reset states", seen.shape, dh.dtype)
            do(np.multiply, gates[:, units:], seen, out=other)
        return steps, [("whole", read, dz), ("other", other, dg)], finish

    def _weights_back(
        self, whole: Array, other: Array, reading: Reading, context: Context, do: Do
    ) -> dict[str, Array]:
        """The gradients of the weights: the candidate has parts of its own for input and state."""
        edge, row = 2 * self.units, reading.features
        if not self.reset_after:
            do(np.copyto, whole[row + 1 :, edge:], other)
            return self.split_gradients(whole, reading, context, do)
        kernel = context.gradient("kernel", self["kernel"])
        parts = [(kernel[:, :edge], whole[:row, :edge]), (kernel[:, edge:], other[:row])]
        found = {"kernel": kernel}
        if self.use_bias:
            found["bias"] = bias = context.gradient("bias", self["bias"])
            inputs, own = bias
            parts += [(inputs[:edge], whole[row, :edge]), (inputs[edge:], other[row])]
            parts += [(own, whole[row])]
        for into, part in parts:
            do(np.copyto, into, part)
        states = self.written("recurrent_kernel", whole[row + 1 :], context, do)
        return found | {"recurrent_kernel": states}
