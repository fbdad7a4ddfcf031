"""A recurrent layer that reads in both directions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from studio.engine.errors import ParameterError, ShapeError
from studio.engine.layers.base import Gradients, Layer, register
from studio.engine.layers.planned import Planned, multiplied
from studio.engine.layers.recurrent import Recurrent, recurrent_layers
from studio.engine.layers.wrapper import Inner, Wrapper, example
from studio.engine.params import Choice
from studio.engine.plan import Do
from studio.engine.workspace import Array, Context, Shape


@register()
class Bidirectional(Wrapper, Planned):
    """y = merge(layer(x), layer'(x read from the end)), the two with weights of their own.

    Input shape: ``(batch, time, features)``. Output shape: that of the layer, with twice the units
    where ``merge_mode`` is ``"concat"``. Masked steps of an output sequence are 0.
    Source: Schuster and Paliwal, 1997;
    https://keras.io/api/layers/recurrent_layers/bidirectional/
    """

    category = "Recurrent"
    help = "Reads a sequence from both ends with two recurrent layers."
    input_ranks = (3,)

    layer = Inner(
        recurrent_layers,
        example("LSTM", units=16),
        example("GRU", units=3, return_sequences=True),
        example("SimpleRNN", units=4),
        label="Layer", help="What reads the sequence.", starts={"go_backwards": False},
    )  # fmt: skip
    merge_mode = Choice("concat", options=("concat", "sum", "mul", "ave"), label="Merge",
                        help="How the outputs of both directions become one.")  # fmt: skip
    backward_layer = Inner(
        recurrent_layers,
        example("LSTM", units=16, go_backwards=True, activation="relu"),
        default=None, initial=None, optional=True, advanced=True,
        help="What reads from the end, if not a copy of the layer.",
        starts={"go_backwards": True},
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        given = self.backward_layer
        self.forward_layer = _copy(self.layer, "forward_")
        self.backward_layer = (
            _copy(self.layer, "backward_", go_backwards=True)
            if given is None  # pyright: ignore[reportUnnecessaryComparison]
            else _copy(given, "")
        )
        self.layer = self.forward_layer
        self._check_directions()
        self.return_sequences = _recurrent(self.forward_layer).return_sequences
        for _, layer in self._directions():
            layer.zero_output_for_mask = self.return_sequences
        self.settle(own_dtype=kwargs.get("dtype") is not None)

    def _check_directions(self) -> None:
        one, other = _recurrent(self.forward_layer), _recurrent(self.backward_layer)
        if one.go_backwards == other.go_backwards:
            found, advice = (
                ("both from the end", "Leave go_backwards of the layer False.")
                if one.go_backwards
                else ("both from the start", "Set go_backwards of the backward layer to True.")
            )
            expected = "layers that read from different ends"
            raise ParameterError(expected, found, self.label, advice)
        if one.return_sequences != other.return_sequences:
            raise ParameterError(
                "the same return_sequences in both layers", "True and False", self.label
            )

    def inner(self) -> Mapping[str, Layer]:
        """The layers of both directions."""
        return {"forward/": self.forward_layer, "backward/": self.backward_layer}

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The layer's output shape, with the units of both in a row for ``"concat"``.

        Raises:
            ShapeError: if the layers cannot take the input, or give different shapes to add up.
        """
        self.check_input(input_shape)
        one, other = (
            self.inner_output_shape(layer, input_shape) for layer in self.inner().values()
        )
        if self.merge_mode == "concat":
            return (*one[:-1], (one[-1] or 0) + (other[-1] or 0))
        if one != other:
            found = f"{one[-1]} and {other[-1]}"
            raise ShapeError("as many units in both directions", found, self.label)
        return one

    def compute_mask(self, x: Array, mask: Array | None) -> Array | None:
        """A sequence keeps its mask; a single output has none."""
        return mask if self.return_sequences else None

    def work(self) -> float:
        """That of both layers."""
        return sum(layer.work() for layer in self.inner().values())

    def serial_steps(self) -> int:
        """Those of both layers."""
        return sum(layer.serial_steps() for layer in self.inner().values())

    def lay(self, x: Array, context: Context, do: Do) -> tuple[Array, Any]:
        """Both outputs in the order of time, merged."""
        (one, ahead), (found, back) = (
            layer.lay(x, context.child(prefix, context.mask), do)
            for prefix, layer in self._directions()
        )
        other = self._turned(found)
        shape = self.compute_output_shape(x.shape)
        y = context.workspace.array("y", tuple(size or 0 for size in shape), x.dtype)
        if self.merge_mode == "concat":
            do(np.concatenate, [one, other], axis=-1, out=y)
        elif self.merge_mode == "mul":
            do(np.multiply, one, other, out=y)
        else:
            do(np.add, one, other, out=y)
            if self.merge_mode == "ave":
                do(np.multiply, y, np.array(0.5, y.dtype), out=y)
        return y, (ahead, back, one, other)

    def lay_back(
        self, dy: Array, cache: Any, context: Context, do: Do
    ) -> tuple[Array | None, Gradients]:
        """What arrives goes through both layers; the gradients of the input add up."""
        ahead, back, one, other = cache
        if self.merge_mode == "concat":
            units = one.shape[-1]
            d_one, d_other = dy[..., :units], dy[..., units:]
        elif self.merge_mode == "mul":
            d_one, d_other = (
                multiplied(dy, factor, name, context, do)
                for factor, name in ((other, "d_one"), (one, "d_other"))
            )
        elif self.merge_mode == "ave":
            half = np.array(0.5, dy.dtype)
            d_one = d_other = multiplied(dy, half, "halved", context, do)
        else:
            d_one = d_other = dy
        gradients: dict[str, Array] = {}
        found: list[Array] = []
        for (prefix, layer), part, kept in zip(
            self._directions(), (d_one, self._turned(d_other)), (ahead, back), strict=True
        ):
            child = context.child(prefix, context.mask, context.needs_input_gradient)
            dx, own = layer.lay_back(part, kept, child, do)
            gradients |= {prefix + name: gradient for name, gradient in own.items()}
            found += [] if dx is None else [dx]
        if not found:
            return None, gradients
        dx = context.workspace.array("dx", found[0].shape, dy.dtype)
        do(np.add, *found, out=dx)
        return dx, gradients

    def _directions(self) -> list[tuple[str, Recurrent]]:
        return [(prefix, _recurrent(layer)) for prefix, layer in self.inner().items()]

    def _turned(self, sequence: Array) -> Array:
        return sequence[:, ::-1] if self.return_sequences else sequence


def _copy(layer: Layer, prefix: str, **changes: Any) -> Layer:
    """A layer with the same settings and a prefix before its name, without the weights."""
    name = f"{prefix}{layer.name.removeprefix(prefix)}"
    return type(layer).from_config({**layer.get_config(), "name": name, **changes})


def _recurrent(layer: Layer) -> Recurrent:
    assert isinstance(layer, Recurrent)
    return layer
