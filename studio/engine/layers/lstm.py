"""The long short-term memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from studio.engine.activations import Sigmoid, Tanh, activations
from studio.engine.initializers import Initializer, initializers
from studio.engine.layers.base import WeightSpec, add_rows, register
from studio.engine.layers.recurrent import Recurrent, recurrent_layers, slope
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

    def run(
        self, steps: Array, mask: Array | None, drop: Array | None, context: Context
    ) -> tuple[Array, Any]:
        """Per step: one product, the gates, the cell, the output."""
        units, space = self.units, context.workspace
        usual = self._usual
        kernel, recurrent = self["kernel"], self["recurrent_kernel"]
        bias = self["bias"] if self.use_bias else None
        half, shift = _halves(units, kernel.dtype)
        if usual:
            # σ(z) = tanh(z / 2) / 2 + 1 / 2: with halved weights all gates are one tanh.
            kernel, recurrent = kernel * half, recurrent * half
            bias = None if bias is None else bias * half
        z = self.project(steps, kernel, bias, context)
        hidden, cells = self.states(steps, context), self.states(steps, context, "cells")
        told = space.array("told", (len(steps), *cells.shape[1:]), z.dtype)
        raw = None if usual else space.array("raw", z.shape, z.dtype)
        product = space.array("product", z.shape[1:], z.dtype)
        written = space.array("written", cells.shape[1:], z.dtype)
        i, f, g, o = (z[..., k * units : (k + 1) * units] for k in range(4))
        for t in range(len(steps)):
            gates = z[t]
            if t:
                gates += np.matmul(self.dropped(hidden[t], drop), recurrent, out=product)
            if raw is None:
                np.tanh(gates, out=gates)
                gates *= half
                gates += shift
            else:
                raw[t] = gates
                for part in (i, f, o):
                    part[t] = self.recurrent_activation.forward(part[t])
                g[t] = self.activation.forward(g[t])
            cell = cells[t + 1]
            np.multiply(f[t], cells[t], out=cell)
            np.multiply(i[t], g[t], out=written)
            cell += written
            if mask is not None:
                np.copyto(cell, cells[t], where=~mask[t])
            if usual:
                np.tanh(cell, out=told[t])
            else:
                told[t] = self.activation.forward(cell.copy())
            np.multiply(o[t], told[t], out=hidden[t + 1])
            if mask is not None:
                np.copyto(hidden[t + 1], hidden[t], where=~mask[t])
        return hidden, (z, raw, cells, told)

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
        """The slopes of all gates at once, then little more than a product per step."""
        z, raw, cells, told = cache
        units, space = self.units, context.workspace
        dz = space.array("dz", z.shape, z.dtype)
        to_cell = space.array("to_cell", told.shape, z.dtype)
        self._slopes(z, raw, cells, told, dz, to_cell)
        parts = dz.reshape(*dz.shape[:2], 4, units)
        forget = z[..., units : 2 * units]
        back = np.ascontiguousarray(self["recurrent_kernel"].T)
        shape = told.shape[1:]
        dh, dc, through = (space.array(name, shape, z.dtype) for name in ("dh", "dc", "through"))
        np.copyto(dh, arriving[-1] if self.return_sequences else arriving)
        dc.fill(0)
        for t in range(len(steps) - 1, -1, -1):
            kept = None
            if mask is not None:
                kept = (dh * ~mask[t], dc * ~mask[t])
                dh *= mask[t]
                dc *= mask[t]
            np.multiply(dh, to_cell[t], out=through)
            dc += through
            parts[t, :, :3] *= dc[:, None, :]
            parts[t, :, 3] *= dh
            if not t:
                break
            dc *= forget[t]
            np.matmul(dz[t], back, out=dh)
            if drop is not None:
                dh *= drop
            if kept is not None:
                dh += kept[0]
                dc += kept[1]
            if self.return_sequences:
                dh += arriving[t - 1]
        flat = dz.reshape(-1, 4 * units)
        seen = self.dropped(states[:-1], drop).reshape(-1, units)
        recurrent = context.gradient("recurrent_kernel", self["recurrent_kernel"])
        gradients = {"recurrent_kernel": np.matmul(seen.T, flat, out=recurrent)}
        if self.use_bias:
            gradients["bias"] = add_rows(flat, context.gradient("bias", self["bias"]))
        return dz, gradients

    def _slopes(
        self, z: Array, raw: Array | None, cells: Array, told: Array, dz: Array, to_cell: Array
    ) -> None:
        """What the gradients of c and h are multiplied by to be those of i, f, g and o.

        di = g · i', df = c_{t-1} · f', dg = i · g' (all times dc), do = tanh(c) · o' (times dh);
        dc gets dh · o · tanh'(c).
        """
        units = self.units
        i, f, g, o = (z[..., k * units : (k + 1) * units] for k in range(4))
        di, df, dg, do = (dz[..., k * units : (k + 1) * units] for k in range(4))
        if raw is None:
            np.subtract(1, z, out=dz)
            dz *= z
            np.multiply(g, g, out=dg)
            np.subtract(1, dg, out=dg)
            np.multiply(told, told, out=to_cell)
            np.subtract(1, to_cell, out=to_cell)
        else:
            for saved, before, out in zip((i, f, o), (0, 1, 3), (di, df, do), strict=True):
                act = self.recurrent_activation
                part = raw[..., before * units : (before + 1) * units]
                out[...] = slope(act, saved if act.saves == "output" else part)
            act = self.activation
            dg[...] = slope(act, g if act.saves == "output" else raw[..., 2 * units : 3 * units])
            to_cell[...] = slope(act, told if act.saves == "output" else cells[1:])
        di *= g
        df *= cells[:-1]
        dg *= i
        do *= told
        to_cell *= o


def _halves(units: int, dtype: Any) -> tuple[Array, Array]:
    """Factors and summands that make σ of the gates i, f and o out of tanh, and leave g alone."""
    half = np.full(4 * units, 0.5, dtype)
    half[2 * units : 3 * units] = 1
    shift = np.full(4 * units, 0.5, dtype)
    shift[2 * units : 3 * units] = 0
    return half, shift
