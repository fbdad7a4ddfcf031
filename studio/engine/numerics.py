"""Where a number became NaN or infinite: found after the fact, by looking at every layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import numpy as np

from studio.engine.errors import NumericsError
from studio.engine.workspace import Array, Context

if TYPE_CHECKING:
    from studio.engine.network import Network

ADVICE = "Lower the learning rate, clip the gradients, or scale the inputs."


def explain(network: Network, x: Array, gradients: Array, loss: float) -> None:
    """Repeat the forward pass layer by layer and name the first quantity that is not finite.

    Returns only if the loss and all gradients are finite after all.

    Raises:
        NumericsError: naming the layer, the quantity, the epoch and the batch.
    """
    for layer in network.stack:
        for weight in layer.weights:
            if not np.isfinite(weight.value).all():
                _fail(network, f"{layer.label} {weight.name}", weight.value)
    last = len(network.stack) - 1
    for position, layer in enumerate(network.stack):
        # Each on its own: together, one may do part of another's work.
        logits = position == last and network.final is not None
        context = Context(moment=network.moment, layer=position, linear_output=logits)
        x = layer.forward(x, context)[0]
        if not np.isfinite(x).all():
            _fail(network, f"{layer.label} output", x)
    if not np.isfinite(loss):
        _fail(network, "loss", np.asarray(loss))
    for position, weight, where in network.parameters.entries:
        if not np.isfinite(gradients[where]).all():
            label = network.stack[position].label
            _fail(network, f"{label} gradient of {weight.name}", gradients[where])


def _fail(network: Network, quantity: str, values: Array) -> NoReturn:
    moment = network.moment
    found = "NaN" if np.isnan(values).any() else "an infinite number"
    where = f"{quantity}, epoch {moment.epoch + 1}, batch {moment.step + 1}"
    raise NumericsError("finite numbers", found, where, ADVICE)
