"""The default number type of new layers: float32, or float64 on request (Keras' ``floatx``)."""

from __future__ import annotations

from studio.engine.errors import ParameterError

_floatx = ["float32"]


def floatx() -> str:
    """The number type of layers that are not given a ``dtype``."""
    return _floatx[0]


def set_floatx(dtype: str) -> None:
    """Change the default number type.

    Raises:
        ParameterError: if it is neither ``"float32"`` nor ``"float64"``.
    """
    if dtype not in ("float32", "float64"):
        raise ParameterError("'float32' or 'float64'", repr(dtype), "set_floatx")
    _floatx[0] = dtype


def epsilon() -> float:
    """The small number that keeps divisions and logarithms finite, 1e-7 as in Keras."""
    return 1e-7
