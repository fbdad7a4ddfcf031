"""σ(z) = 1 / (1 + exp(-z)) of gates, by whichever of NumPy's functions is faster on this processor.

Near 0 it is as exact as near 1, which is all that gates need.

With AVX2 and no AVX-512, as in most laptops, NumPy fetches a polynomial of its own for every number
that tanh is asked for, which takes it twice as long as exp.
"""

from __future__ import annotations

import numpy as np

from studio.engine.plan import Do, as_arrays, at_once
from studio.engine.workspace import Array


def is_exp_faster() -> bool:
    """Whether NumPy chose such a kernel for tanh on this processor."""
    found = np.lib.introspect.opt_func_info(func_name="^tanh$", signature="float32")
    chosen = [kernel["current"] for kernel in found.get("tanh", {}).values()]
    return any("AVX2" in kernel or "X86_V3" in kernel for kernel in chosen)


BY_EXP = is_exp_faster()
"""Whether it is found as 1 / (1 + exp(-z)), else as tanh(z / 2) / 2 + 1 / 2."""


def factor() -> float:
    """What z is to be multiplied with before :func:`lay_rest`, perhaps as part of a product."""
    return -1.0 if BY_EXP else 0.5


def lay_rest(z: Array, do: Do = at_once) -> None:
    """Have what was multiplied with :func:`factor` replaced by σ."""
    lay_gates(z, len(z), do)


def lay_gates(z: Array, count: int, do: Do) -> None:
    """Have the first rows replaced as by :func:`lay_rest`, the others by tanh."""
    gates, others = z[:count], z[count:]
    one, half = as_arrays(1, 0.5, dtype=z.dtype)
    if BY_EXP:
        do(np.exp, gates, out=gates)
        do(np.add, gates, one, out=gates)
        do(np.reciprocal, gates, out=gates)
        if len(others):
            do(np.tanh, others, out=others)
        return
    do(np.tanh, z, out=z)
    do(np.add, gates, one, out=gates)
    do(np.multiply, gates, half, out=gates)
