"""The gated recurrent unit."""

from __future__ import annotations

from typing import Any

import numpy as np

from studio.engine.activations import Sigmoid, Tanh, activations
from studio.engine.layers.base import add_rows, register
from studio.engine.layers.recurrent import Recurrent, recurrent_layers, slope
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

    def run(
        self, steps: Array, mask: Array | None, drop: Array | None, context: Context
    ) -> tuple[Array, Any]:
        """Per step: one product (two without ``reset_after``), the gates, the candidate."""
        units, space, after = self.units, context.workspace, self.reset_after
        bias = self["bias"] if self.use_bias else None
        inputs, own = (bias, None) if bias is None or not after else (bias[0], bias[1])
        recurrent = self["recurrent_kernel"]
        usual = isinstance(self.recurrent_activation, Sigmoid) and isinstance(self.activation, Tanh)
        z = self.project(steps, self["kernel"], inputs, context)
        states = self.states(steps, context)
        shape = (len(steps), *states.shape[1:])
        # What the reset gate acts on: h · U_g + c_g, or h itself.
        seen = space.array("seen", shape, z.dtype)
        raw = None if usual else space.array("raw", z.shape, z.dtype)
        wide = space.array("wide", z.shape[1:], z.dtype)
        narrow = space.array("narrow", states.shape[1:], z.dtype)
        both, last = slice(0, 2 * units), slice(2 * units, None)
        first = np.ascontiguousarray(recurrent[:, both])
        candidate = np.ascontiguousarray(recurrent[:, last])
        gates_product = space.array("gates", (z.shape[1], 2 * units), z.dtype)
        for t in range(len(steps)):
            h = self.dropped(states[t], drop)
            gates, g = z[t, :, both], z[t, :, last]
            if after:
                np.matmul(h, recurrent, out=wide)
                if own is not None:
                    wide += own
                gates += wide[:, both]
                seen[t] = wide[:, last]
            else:
                gates += np.matmul(h, first, out=gates_product)
                seen[t] = h
            if raw is not None:
                raw[t, :, both] = gates
            if usual:
                gates *= 0.5
                np.tanh(gates, out=gates)
                gates += 1
                gates *= 0.5
            else:
                gates[...] = self.recurrent_activation.forward(gates)
            np.multiply(gates[:, units:], seen[t], out=narrow)
            if after:
                g += narrow
            else:
                g += np.matmul(narrow, candidate)
            if usual:
                np.tanh(g, out=g)
            else:
                assert raw is not None
                raw[t, :, last] = g
                g[...] = self.activation.forward(g)
            new = states[t + 1]
            # z · h + (1 - z) · g = g + z · (h - g)
            np.subtract(states[t], g, out=new)
            new *= gates[:, :units]
            new += g
            if mask is not None:
                np.copyto(new, states[t], where=~mask[t])
        return states, (z, raw, seen)

    def run_back(
        self,
        arriving: Array,
        steps: Array,
        mask: Array | None,
        drop: Array | None,
        states: Array,
        cache: Any,
        context: Context,
    ) -> tuple[Array, dict[str, Array]]:
        """Every gradient of a step is dh times a factor; the factors of all steps come first."""
        z, raw, seen = cache
        units, space, after = self.units, context.workspace, self.reset_after
        update, reset, g = (z[..., k * units : (k + 1) * units] for k in range(3))
        dz = space.array("dz", z.shape, z.dtype)
        d_update, d_reset, d_g = (dz[..., k * units : (k + 1) * units] for k in range(3))
        self._slopes(z, raw, dz)
        d_update *= states[:-1] - g
        d_g *= 1 - update
        recurrent = self["recurrent_kernel"]
        first = np.ascontiguousarray(recurrent[:, : 2 * units].T)
        candidate = np.ascontiguousarray(recurrent[:, 2 * units :].T)
        shape = states.shape[1:]
        dh, carried = (space.array(name, shape, z.dtype) for name in ("dh", "carried"))
        np.copyto(dh, arriving[-1] if self.return_sequences else arriving)
        if after:
            d_reset *= d_g
            d_reset *= seen
            # The gradient of the state's part: as dz, but the candidate's times the reset gate.
            inner = space.array("inner", z.shape, z.dtype)
            np.copyto(inner, dz)
            inner[..., 2 * units :] *= reset
            back = np.ascontiguousarray(recurrent.T)
            factors = inner.reshape(*z.shape[:2], 3, units)
            deltas = space.array("deltas", seen.shape, z.dtype)
        else:
            inner, factors, deltas = dz, dz.reshape(*z.shape[:2], 3, units), None
            back = first
        for t in range(len(steps) - 1, -1, -1):
            kept = None
            if mask is not None:
                kept = dh * ~mask[t]
                dh *= mask[t]
            np.multiply(dh, update[t], out=carried)
            if after:
                assert deltas is not None
                deltas[t] = dh
                factors[t] *= dh[:, None, :]
                if t:
                    np.matmul(inner[t], back, out=dh)
            else:
                d_g[t] *= dh
                d_update[t] *= dh
                through = np.matmul(d_g[t], candidate)
                d_reset[t] *= through
                d_reset[t] *= seen[t]
                np.matmul(dz[t, :, : 2 * units], first, out=dh)
                through *= reset[t]
                dh += through
            if not t:
                break
            if drop is not None:
                dh *= drop
            dh += carried
            if kept is not None:
                dh += kept
            if self.return_sequences:
                dh += arriving[t - 1]
        if deltas is not None:
            dz *= np.concatenate([deltas] * 3, axis=-1)
        return dz, self._weight_gradients(dz, inner, seen, reset, states, drop, context)

    def _slopes(self, z: Array, raw: Array | None, out: Array) -> None:
        """The derivatives of both gates and of the candidate, by their values."""
        edge = 2 * self.units
        if raw is None:
            np.subtract(1, z[..., :edge], out=out[..., :edge])
            out[..., :edge] *= z[..., :edge]
            np.multiply(z[..., edge:], z[..., edge:], out=out[..., edge:])
            np.subtract(1, out[..., edge:], out=out[..., edge:])
            return
        for act, part in (
            (self.recurrent_activation, slice(0, edge)),
            (self.activation, slice(edge, None)),
        ):
            saved = z if act.saves == "output" else raw
            out[..., part] = slope(act, saved[..., part])

    def _weight_gradients(
        self,
        dz: Array,
        inner: Array,
        seen: Array,
        reset: Array,
        states: Array,
        drop: Array | None,
        context: Context,
    ) -> dict[str, Array]:
        units = self.units
        flat_states = self.dropped(states[:-1], drop).reshape(-1, units)
        recurrent = context.gradient("recurrent_kernel", self["recurrent_kernel"])
        if self.reset_after:
            np.matmul(flat_states.T, inner.reshape(-1, 3 * units), out=recurrent)
        else:
            edge = 2 * units
            recurrent[:, :edge] = flat_states.T @ dz[..., :edge].reshape(-1, edge)
            recurrent[:, edge:] = (reset * seen).reshape(-1, units).T @ dz[..., edge:].reshape(
                -1, units
            )
        gradients = {"recurrent_kernel": recurrent}
        if self.use_bias:
            bias = context.gradient("bias", self["bias"])
            flat = dz.reshape(-1, 3 * units)
            if self.reset_after:
                add_rows(flat, bias[0])
                add_rows(inner.reshape(-1, 3 * units), bias[1])
            else:
                add_rows(flat, bias)
            gradients["bias"] = bias
        return gradients
