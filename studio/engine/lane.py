"""One shard's way through a stack of layers and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from studio.engine.activations import Activation
from studio.engine.layers.base import Layer, deactivate
from studio.engine.regularizers import Regularizer
from studio.engine.workspace import ALONE, Array, Context, Moment, Threads, Workspace


class Lane:
    """One context per layer, reused for every shard that runs in this lane.

    Args:
        stack: the layers.
        moment: seed and position of the training, shared by all lanes.
        everyone: who works for the layers that see the whole batch, while no shard is on its way.
        reuse: whether scratch memory is kept from batch to batch.
        linear_output: whether the last layer leaves out its activation.
    """

    def __init__(
        self,
        stack: Sequence[Layer],
        moment: Moment,
        everyone: Threads = ALONE,
        reuse: bool = True,
        linear_output: bool = False,
    ) -> None:
        self.stack = stack
        self.moment = moment
        self.penalty = 0.0
        self.batch = 1
        self.aimed: object = None
        self.threads: Threads = ALONE
        self.activity: list[Regularizer | None] = [
            getattr(layer, "activity_regularizer", None) for layer in stack
        ]
        scratch = Workspace(reuse)
        self.contexts = [
            Context(
                moment=moment,
                layer=position,
                workspace=Workspace(reuse),
                scratch=scratch,
                threads=everyone if layer.mixes_samples else ALONE,
            )
            for position, layer in enumerate(stack)
        ]
        if linear_output:
            self.contexts[-1].linear_output = True
        self.late: list[Activation | None] = [
            self._late_activation(position) for position in range(len(stack))
        ]
        for context, late in zip(self.contexts, self.late[1:], strict=False):
            context.linear_output |= late is not None
        for position, context in enumerate(self.contexts):
            context.needs_input_gradient = any(
                layer.trainable_weights for layer in stack[:position]
            )

    def _late_activation(self, position: int) -> Activation | None:
        """What a layer that picks the largest numbers leaves to be applied to only those.

        Then the layer before leaves it out: relu of a fourth of the numbers, for the same bits.
        """
        if position == 0 or not type(self.stack[position]).picks_largest:
            return None
        activation = self.stack[position - 1].output_activation
        if activation is None or not activation.keeps_largest or self.activity[position - 1]:
            return None
        return activation

    def aim(self, shard: int, views: Sequence[dict[str, Array]]) -> None:
        """Set the shard, and where the gradients of its weights go."""
        if self.aimed is views:
            return
        self.aimed = views
        for context in self.contexts:
            context.shard = shard
        for context, view in zip(self.contexts, views, strict=False):
            context.gradients = view

    def start(self, batch: int, threads: Threads) -> None:
        """Begin a batch of that many samples: activity penalties are per sample, as in Keras.

        ``threads`` work for the layers that see one shard, besides the lane's own.
        """
        self.penalty, self.batch = 0.0, batch
        if self.threads is not threads:
            self.threads = threads
            for layer, context in zip(self.stack, self.contexts, strict=True):
                if not layer.mixes_samples:
                    context.threads = threads

    def forward(
        self, x: Array, start: int, stop: int, mask: Array | None = None
    ) -> tuple[Array, list[Any], Array | None]:
        """The output of the layers from ``start`` to ``stop``, their caches, and the mask."""
        caches: list[Any] = []
        for position in range(start, stop):
            layer, context = self.stack[position], self.contexts[position]
            context.mask = mask
            y, cache = layer.forward(x, context)
            mask = layer.compute_mask(x, mask)
            late = self.late[position]
            if late is not None:
                y = late.forward(y, out=y)
                cache = (cache, y)
            regularizer = self.activity[position]
            if regularizer is not None:
                self.penalty += regularizer(y) / self.batch
                cache = (cache, y)
            caches.append(cache)
            x = y
        return x, caches, mask

    def backward(self, dy: Array | None, caches: list[Any], start: int, stop: int) -> Array | None:
        """The gradient of the input; those of the weights go to the views that were aimed at."""
        for position in range(stop - 1, start - 1, -1):
            if dy is None:
                return None
            layer, context, cache = self.stack[position], self.contexts[position], caches.pop()
            regularizer = self.activity[position]
            if regularizer is not None:
                cache, y = cache
                dy = dy + regularizer.gradient(y) / self.batch
            late = self.late[position]
            if late is not None:
                cache, y = cache
                dy = deactivate(late, dy, y, context)
            dy, gradients = layer.backward(dy, cache, context)
            for name, into in context.gradients.items():
                if gradients[name] is not into:
                    into[...] = gradients[name]
        return dy
