"""What all optimizers have in common: their state, clipping, weight decay, averages of weights."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from math import sqrt
from typing import Any, ClassVar

import numpy as np

from studio.engine.errors import ParameterError, StateError
from studio.engine.layers.base import Weight
from studio.engine.memory import empty
from studio.engine.optimizers.pieces import Piece, Pieces
from studio.engine.parallel import Workers
from studio.engine.parameters import Parameters
from studio.engine.params import Boolean, Declared, Integer, Param, Real, Text
from studio.engine.plan import Do
from studio.engine.registry import Registry
from studio.engine.schedules import LearningRate, LearningRateSchedule
from studio.engine.workspace import Array

AVERAGE = "average"
ACCUMULATOR = "gradient_accumulator"


class Optimizer(Declared):
    """Base of all optimizers.

    ``iterations`` counts the batches, ``updates`` how often the weights were changed; they differ
    where gradients of several batches are added up.
    """

    slots: ClassVar[tuple[str, ...]] = ()
    """What it remembers of each weight."""
    side_by_side: ClassVar[int] = 1
    """How many of the first slots Keras' files keep next to each other, weight by weight."""
    help: ClassVar[str] = ""

    learning_rate = LearningRate(0.001, label="Learning rate", help="How far each update goes.")
    weight_decay = Real(None, optional=True, minimum=0, advanced=True,
                        help="Which part of a weight, times the rate, is taken off.")  # fmt: skip
    clipnorm = Real(None, optional=True, minimum=0, advanced=True,
                    help="The longest that the gradient of one weight may be.")  # fmt: skip
    clipvalue = Real(None, optional=True, minimum=0, advanced=True,
                     help="The largest that one number of a gradient may be.")  # fmt: skip
    global_clipnorm = Real(None, optional=True, minimum=0, advanced=True,
                           help="The longest that all gradients together may be.")  # fmt: skip
    use_ema = Boolean(False, advanced=True, label="Average weights",
                      help="Whether the moving average of the weights is the result.")  # fmt: skip
    ema_momentum = Real(0.99, minimum=0, maximum=1, advanced=True,
                        help="How slowly the average changes.")  # fmt: skip
    ema_overwrite_frequency = Integer(None, optional=True, minimum=1, advanced=True,
                                      help="After how many updates the average replaces the "
                                      "weights; at the end of training if not given.")  # fmt: skip
    gradient_accumulation_steps = Integer(None, optional=True, minimum=2, advanced=True,
                                          help="How many batches make one update.")  # fmt: skip
    name = Text(None, optional=True, advanced=True, help="Its name.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        given = [n for n in ("clipnorm", "clipvalue", "global_clipnorm") if getattr(self, n)]
        if len(given) > 1:
            where = type(self).__name__
            raise ParameterError("one way of clipping", " and ".join(given), where, "Leave one.")
        self.iterations = 0
        self.state: dict[str, Array] = {}
        self._excluded: set[Weight] = set()
        self._excluded_names: re.Pattern[str] | None = None
        self._decayed: list[slice] = []
        self._pieces: Pieces | None = None
        self._settings = Param.changes

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_pieces": None}

    @property
    def updates(self) -> int:
        """How often the weights have been changed."""
        return self.iterations // (self.gradient_accumulation_steps or 1)

    @property
    def all_slots(self) -> tuple[str, ...]:
        """All that it remembers of each weight, in the order of Keras' files."""
        common = [AVERAGE] * self.use_ema + [ACCUMULATOR] * bool(self.gradient_accumulation_steps)
        return (*common, *self.slots)

    def initial(self, slot: str) -> float:
        """What a slot holds before the first update."""
        return 0.0

    def build(self, parameters: Parameters) -> None:
        """Make the slots for these weights; those that already fit are kept."""
        size, dtype = parameters.values.size, parameters.values.dtype
        if self._settings != Param.changes:
            self._settings, self._pieces = Param.changes, None
        for slot in self.all_slots:
            kept = self.state.get(slot)
            if kept is None or kept.size != size or kept.dtype != dtype:
                self.state[slot] = empty((size,), dtype)
                self.state[slot].fill(self.initial(slot))
                self._pieces = None
        self._decayed = list(self._runs_to_decay(parameters)) if self.weight_decay else []

    def exclude_from_weight_decay(
        self, var_list: Iterable[Weight] | None = None, var_names: Sequence[str] | None = None
    ) -> None:
        """Leave some weights out of weight decay.

        Args:
            var_list: the weights.
            var_names: patterns that are looked for in names of weights, such as ``"bias"``.

        Raises:
            StateError: if the optimizer has been built already.
        """
        if self.state or self._decayed:
            raise StateError("an optimizer that is not built", "a built one", type(self).__name__)
        self._excluded = set(var_list or ())
        self._excluded_names = re.compile("|".join(var_names)) if var_names else None

    def _runs_to_decay(self, parameters: Parameters) -> Iterator[slice]:
        """The stretches of the flat buffer that weight decay is for, as few as may be."""
        start = stop = 0
        for _, weight, where in parameters.entries:
            names = self._excluded_names
            if weight in self._excluded or (names is not None and names.search(weight.name)):
                continue
            if where.start != stop:
                if stop > start:
                    yield slice(start, stop)
                start = where.start
            stop = where.stop
        if stop > start:
            yield slice(start, stop)

    def rate(self) -> float:
        """The learning rate of the coming update."""
        rate = self.learning_rate
        return rate(self.iterations) if isinstance(rate, LearningRateSchedule) else rate

    def apply(
        self, parameters: Parameters, gradients: Array, workers: Workers | None = None
    ) -> None:
        """Update all weights, in place.

        Args:
            parameters: the weights.
            gradients: their gradients, flat; may be overwritten.
            workers: threads to share the work, where there is much of it.
        """
        rate = self.rate()
        self.iterations += 1
        steps = self.gradient_accumulation_steps
        if not steps or self._complete(gradients, steps):
            self._clip(parameters, gradients)
            self._update(parameters.values, gradients, rate, workers)
        if self.use_ema:
            self._average(parameters.values)
        parameters.constrain()

    def _update(
        self, weights: Array, gradients: Array, rate: float, workers: Workers | None
    ) -> None:
        numbers = self.numbers(rate)
        if self._decayed:
            numbers = (1 - (self.weight_decay or 0) * rate, *numbers)
        if self._pieces is None or not self._pieces.are_of(weights, gradients):
            slots = [self.state[slot] for slot in self.slots]
            self._pieces = Pieces(self._lay, [weights, gradients, *slots], len(numbers))
        self._pieces.update(numbers, workers)

    def _lay(self, at: Piece, start: int, do: Do) -> None:
        """w -= decay · rate · w (Loshchilov and Hutter, 2017), before the update itself."""
        if self._decayed:
            kept, *numbers = at.numbers
            for run in self._decayed:
                decayed = at.w[max(0, run.start - start) : max(0, run.stop - start)]
                if decayed.size:
                    do(np.multiply, decayed, kept, out=decayed)
            at = at._replace(numbers=numbers)
        self.lay(at, do)

    def numbers(self, rate: float) -> tuple[float, ...]:
        """What :meth:`lay` needs that is another in each update; ``updates`` counts this one."""
        return (-rate,)

    def lay(self, at: Piece, do: Do) -> None:
        """Have a piece updated by what ``do`` has called."""
        raise NotImplementedError

    def _complete(self, gradients: Array, steps: int) -> bool:
        """Add the gradients up; True, with their mean in ``gradients``, when there are enough."""
        total = self.state[ACCUMULATOR]
        total += gradients
        if self.iterations % steps:
            return False
        np.divide(total, steps, out=gradients)
        total.fill(0)
        return True

    def _clip(self, parameters: Parameters, gradients: Array) -> None:
        if self.clipvalue:
            np.clip(gradients, -self.clipvalue, self.clipvalue, out=gradients)
        elif self.global_clipnorm:
            shorten(gradients, self.global_clipnorm)
        elif self.clipnorm:
            for _, _, where in parameters.entries:
                shorten(gradients[where], self.clipnorm)

    def _average(self, weights: Array) -> None:
        average = self.state[AVERAGE]
        momentum = self.ema_momentum if (self.iterations - 1) // self._steps else 0.0
        average *= momentum
        average += (1 - momentum) * weights
        every = self.ema_overwrite_frequency
        if every and ((self.iterations - 1) // self._steps + 1) % every == 0:
            weights[:] = average

    @property
    def _steps(self) -> int:
        return self.gradient_accumulation_steps or 1

    def finish(self, parameters: Parameters) -> None:
        """End a training: where averages of the weights are kept, they become the weights."""
        if self.use_ema and self.iterations:
            parameters.values[:] = self.state[AVERAGE]

    def variables(self, parameters: Parameters) -> list[tuple[str, Array]]:
        """What it remembers, by name, in the order in which Keras numbers it in a file.

        The slots are views, so that they can be written to; the number of iterations and the
        learning rate, which is left out where it follows a schedule, are copies.
        """
        self.build(parameters)
        found = [("iteration", np.array(self.iterations, "int64"))]
        if not callable(self.learning_rate):
            found.append(("learning_rate", np.array(self.learning_rate, "float32")))
        common = len(self.all_slots) - len(self.slots)
        names = list(self.all_slots)
        paired = names[common : common + self.side_by_side]
        groups = [[name] for name in names[:common]] + [paired]
        groups += [[name] for name in names[common + self.side_by_side :]]
        for group in groups:
            for number, (_, weight, where) in enumerate(parameters.entries):
                for slot in group:
                    view = self.state[slot][where].reshape(weight.shape)
                    found.append((f"{number}_{weight.name}_{slot}", view))
        return found


optimizers: Registry[Optimizer] = Registry("an optimizer", Optimizer, spelled=str.lower)


def shorten(gradient: Array, longest: float) -> None:
    """Scale a gradient, in place, to be at most that long."""
    length = sqrt(float(np.vdot(gradient, gradient)))
    if length > longest:
        gradient *= longest / length
