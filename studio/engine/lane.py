"""One shard's way through a stack of layers and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from studio.engine.division import Division
from studio.engine.layers.base import Gradients, Layer
from studio.engine.layers.late import LateEnd
from studio.engine.layers.planned import Planned
from studio.engine.losses import Loss
from studio.engine.objective import Objective
from studio.engine.plan import Do, Plans, at_once
from studio.engine.regularizers import Regularizer
from studio.engine.workspace import ALONE, Array, Context, Late, Moment, Threads, Workspace


class Lane:
    """One context per layer, reused for every shard that runs in this lane.

    Args:
        stack: the layers.
        moment: seed and position of the training, shared by all lanes.
        everyone: who works for the layers that see the whole batch.
        reuse: whether scratch memory is kept from batch to batch.
        linear_output: whether the last layer leaves out its activation.
        scratch: memory for what lasts no longer than a layer; other lanes of the same thread may
            have the same, which then stays in the processor's cache.
        loss: what the outputs are judged by, where the lane is to train.
    """

    def __init__(
        self,
        stack: Sequence[Layer],
        moment: Moment,
        everyone: Threads = ALONE,
        reuse: bool = True,
        linear_output: bool = False,
        scratch: Workspace | None = None,
        loss: Loss | None = None,
    ) -> None:
        self.stack = stack
        self.moment = moment
        self.penalty = 0.0
        self.batch = 1
        self.aimed: object = None
        self.everyone = everyone
        self.division: Division | None = None
        self.runs: dict[tuple[int, int], list[tuple[int, int]]] = {}
        self.plans: dict[int, Plans] = {}
        self.activity: list[Regularizer | None] = [
            getattr(layer, "activity_regularizer", None) for layer in stack
        ]
        self.planned = [self._is_planned(position) for position in range(len(stack))]
        self.scratch = Workspace(reuse) if scratch is None else scratch
        self.space = Workspace(reuse)
        self.objective = None if loss is None else Objective(loss, self.space.within())
        self.contexts = [
            Context(
                moment=moment,
                layer=position,
                workspace=self.space.within(),
                scratch=self.scratch,
            )
            for position in range(len(stack))
        ]
        self.has_masks = any(layer.makes_mask for layer in stack)
        self.learns = any(layer.mixes_samples for layer in stack)
        self.turns_at = self._turns_at()
        if linear_output:
            self.contexts[-1].linear_output = True
        for position in range(1, len(stack)):
            self.contexts[position].late = self._late(position)
        for position, context in enumerate(self.contexts):
            context.needs_input_gradient = any(
                layer.trainable_weights for layer in stack[:position]
            )

    def _turns_at(self) -> int | None:
        """Where those layers begin that are laid out together with the loss, if any are."""
        first, last = self.together(0, len(self.stack))[-1]
        masks = self.has_masks or (self.objective is not None and self.objective.loss.makes_mask)
        return first if self.planned[last - 1] and not masks else None

    def _late(self, position: int) -> Late | None:
        """What a layer that picks the largest numbers does for the one before."""
        layer, before = self.stack[position], position - 1
        if not self.planned[position] or not layer.picks_largest or self.activity[before]:
            return None
        return LateEnd.of(self.stack[before], self.contexts[before], layer)

    def aim(self, shard: int, views: Sequence[dict[str, Array]]) -> None:
        """Set the shard, and where the gradients of its weights go."""
        if self.aimed is views:
            return
        self.aimed = views
        for position, context in enumerate(self.contexts):
            context.aim(shard, views[position] if position < len(views) else {})

    def start(self, batch: int, division: Division) -> None:
        """Begin a batch of that many samples: activity penalties are per sample, as in Keras.

        Everyone works for the layers that see all of it.
        """
        self.penalty, self.batch = 0.0, batch
        if self.division is not division:
            self.division = division
            for position, context in enumerate(self.contexts):
                context.threads = self.everyone if division.sees_all(position) else ALONE

    def step(
        self, x: Array, y: Array, weight: Array | None, batch: int
    ) -> tuple[float, Array, Array | None]:
        """All the way and back, for a shard of a batch of that size.

        The last layers, the loss and the way back through them are laid out together.

        Returns:
            What it adds to the loss, the output and its mask.
        """
        objective, depth, turns = self.objective, len(self.stack), self.turns_at
        assert objective is not None
        if turns is None:
            out, caches, mask = self.forward(x, 0, depth)
            if self.learns:
                self.learn(caches, 0, depth)
            loss, dy = objective(y, out, weight, mask, batch)
            self.backward(dy, caches, 0, depth)
            return loss, out, mask
        caches = list[Any]()
        if turns:
            x, caches, _ = self.forward(x, 0, turns)
        loss, out, cache, dy = self._turn(objective, x, y, weight, turns, batch)
        if self.learns:
            self.learn([*caches, cache], 0, depth)
        if turns:
            self.backward(dy, caches, 0, turns)
        return loss.item(), out, None

    def forward(
        self, x: Array, start: int, stop: int, mask: Array | None = None
    ) -> tuple[Array, list[Any], Array | None]:
        """The output of the layers from ``start`` to ``stop``, their caches, and the mask."""
        caches: list[Any] = []
        for first, last in self.together(start, stop):
            layer, context, planned = self.stack[first], self.contexts[first], self.planned[first]
            if mask is not None or self.has_masks:
                mask = self._masked(x, mask, first, last)
            if planned:
                y, cache = self._run(x, first, last)
            else:
                y, cache = layer.forward(x, context)
                regularizer = self.activity[first]
                if regularizer is not None:
                    self.penalty += regularizer(y) / self.batch
                    cache = (cache, y)
            caches.append(cache)
            x = y
        return x, caches, mask

    def _masked(self, x: Array, mask: Array | None, first: int, last: int) -> Array | None:
        """Tell layers the mask of their input; returns that of the last one's output."""
        for layer, context in zip(self.stack[first:last], self.contexts[first:last], strict=True):
            context.mask = mask
            if mask is not None and self.planned[first]:
                context.settle_mask()
            mask = layer.compute_mask(x, mask)
        return mask

    def backward(self, dy: Array | None, caches: list[Any], start: int, stop: int) -> Array | None:
        """The gradient of the input; those of the weights go to the views that were aimed at."""
        for first, last in reversed(self.together(start, stop)):
            if dy is None:
                return None
            layer, context, cache = self.stack[first], self.contexts[first], caches.pop()
            regularizer = self.activity[first]
            if self.planned[first]:
                dy = self._run_back(dy, cache, first, last)
                continue
            if regularizer is not None:
                cache, y = cache
                dy = dy + regularizer.gradient(y) / self.batch
            dy, gradients = layer.backward(dy, cache, context)
            _deliver(gradients, context, at_once)
        return dy

    def together(self, start: int, stop: int) -> list[tuple[int, int]]:
        """The layers from ``start`` to ``stop``, with those together that are laid out together."""
        found = self.runs.get((start, stop))
        if found is None:
            found = self.runs[start, stop] = list[tuple[int, int]]()
            planned = False
            for position in range(start, stop):
                before, planned = planned, self.planned[position]
                # A mask is found in what arrives before anything is laid out.
                if before and planned and not self.stack[position].makes_mask:
                    found[-1] = (found[-1][0], position + 1)
                else:
                    found.append((position, position + 1))
        return found

    def learn(self, caches: list[Any], start: int, stop: int) -> None:
        """Let layers take over what a training batch taught without a gradient."""
        for (first, last), cache in zip(self.together(start, stop), caches, strict=True):
            parts = cache if self.planned[first] else [cache]
            for layer, part in zip(self.stack[first:last], parts, strict=True):
                if layer.mixes_samples:
                    layer.learn(part)

    def _is_planned(self, position: int) -> bool:
        return self.stack[position].is_laid_out and self.activity[position] is None

    def _plans(self, first: int) -> Plans:
        """Those of the run of layers that begins there; its weights don't move."""
        found = self.plans.get(first)
        if found is None:
            space = self.contexts[first].workspace
            found = self.plans[first] = Plans(space, self.space, self.scratch)
        return found

    def _run(self, x: Array, first: int, last: int) -> tuple[Array, list[Any]]:
        """Through a run of planned layers."""
        moment = self.moment
        name = "forward", last, moment.training, moment.turns_back, self.division
        return self._plans(first).run(name, x, (), lambda do, x: self._lay(x, first, last, do))

    def _run_back(self, dy: Array, caches: list[Any], first: int, last: int) -> Array | None:
        """Back through a run of planned layers."""
        return self._plans(first).run(
            ("backward", last, self.division),
            dy,
            (caches, self.aimed),
            lambda do, dy: self._lay_back(dy, caches, first, last, do),
        )

    def _turn(
        self, objective: Objective, x: Array, y: Array, weight: Array | None, first: int, batch: int
    ) -> tuple[Array, Array, list[Any], Array | None]:
        """Through the last run of planned layers and the loss, and back."""
        last = len(self.stack)
        target, factor = objective.settled(y, weight)

        def lay(do: Do, x: Array) -> tuple[Array, Array, list[Any], Array | None]:
            out, caches = self._lay(x, first, last, do)
            loss, dy = objective.lay(target, out, factor, batch, do)
            return loss, out, caches, self._lay_back(dy, caches, first, last, do)

        name = "turn", batch, self.division
        return self._plans(first).run(name, x, (target, factor, self.aimed), lay)

    def _lay(self, x: Array, first: int, last: int, do: Do) -> tuple[Array, list[Any]]:
        caches: list[Any] = []
        for position in range(first, last):
            layer = self.stack[position]
            assert isinstance(layer, Planned)
            x, cache = layer.lay(x, self.contexts[position], do)
            caches.append(cache)
        return x, caches

    def _lay_back(
        self, arriving: Array, caches: list[Any], first: int, last: int, do: Do
    ) -> Array | None:
        dy: Array | None = arriving
        for position in range(last - 1, first - 1, -1):
            layer, context = self.stack[position], self.contexts[position]
            assert isinstance(layer, Planned)
            if dy is None:
                break
            dy, gradients = layer.lay_back(dy, caches[position - first], context, do)
            _deliver(gradients, context, do)
        return dy


def _deliver(gradients: Gradients, context: Context, do: Do) -> None:
    """Put gradients of weights where they are wanted, unless they were written there."""
    for name, into in context.gradients.items():
        if gradients[name] is not into:
            do(np.copyto, into, gradients[name])
