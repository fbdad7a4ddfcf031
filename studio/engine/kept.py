"""Networks that stay laid out from one call of ``fit``, ``evaluate`` or the like to the next."""

from __future__ import annotations

from threading import Lock
from typing import NamedTuple

from studio.engine.losses import Loss
from studio.engine.network import Network
from studio.engine.parameters import Parameters

SMALL = 1 << 20
"""Bytes of memory up to which a network is kept: with larger ones, steps take longer than laying
them out, and other work would miss the memory."""
MOST = 4
"""So many are kept of a model: for training and predicting, in batches of some sizes."""


class Use(NamedTuple):
    """What a network is laid out for.

    Attributes:
        parameters: the weights; others as soon as the stack is changed or compiled.
        loss: the identity of the loss as it was given.
        batch: how many samples a batch usually has.
        threads: how many threads work.
        settings: how many settings of anything had been changed by then.
    """

    parameters: Parameters
    loss: int
    batch: int
    threads: int
    settings: int


class Kept:
    """The small networks of a model. A copy of the model begins without any."""

    def __init__(self) -> None:
        self._networks: dict[Use, tuple[Network, Loss | None]] = {}
        self._lock = Lock()

    def __reduce__(self) -> tuple[type[Kept], tuple[()]]:
        return Kept, ()

    def take(self, use: Use) -> Network | None:
        """A network for this use, which nobody else is given until it is kept again."""
        with self._lock:
            found = self._networks.pop(use, None)
        return None if found is None else found[0]

    def keep(self, use: Use, network: Network, loss: Loss | None) -> None:
        """Keep a network for the same use, and no more of those that are of no use any longer."""
        with self._lock:
            for own in list(self._networks):
                if own.parameters is not use.parameters or own.settings != use.settings:
                    del self._networks[own]
            if network.memory <= SMALL:
                # The loss as well, so that no other gets its identity.
                self._networks[use] = network, loss
            for oldest in list(self._networks)[:-MOST]:
                del self._networks[oldest]
