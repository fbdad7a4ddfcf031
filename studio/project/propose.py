"""What the kind of the targets asks of the output block, the loss and the figures."""

from __future__ import annotations

from dataclasses import dataclass

from studio.data.dataset import DatasetInfo
from studio.engine.layers import registry as layers
from studio.engine.losses import Kind, losses
from studio.project.specs import new_spec, set_spec_param
from studio.project.values import Spec


@dataclass(frozen=True)
class Advice:
    """What usually suits a kind of targets.

    Args:
        words: the targets in words.
        activation: what the output ends with.
        loss: what is trained on.
        figure: what is watched beside the loss.
        beside: further metrics that every run measures.
    """

    words: str
    activation: str
    loss: str
    figure: str
    beside: tuple[str, ...] = ()


ADVICE: dict[Kind, Advice] = {
    "regression": Advice("numbers", "linear", "MeanSquaredError", "mae", ("R2Score",)),
    "binary": Advice("two classes", "sigmoid", "BinaryCrossentropy", "accuracy"),
    "multiclass": Advice("several classes", "softmax", "CategoricalCrossentropy", "accuracy"),
}
OUTPUT_LAYER = "Dense"
"""The layer of a proposed output block."""


def suits(loss: Spec, kind: Kind) -> bool:
    """Whether a loss is meant for that kind of targets."""
    return loss.class_name in losses and kind in losses.find(loss.class_name).kinds


def proposed_loss(now: Spec, kind: Kind) -> Spec:
    """The loss as it is where it suits the kind, else the usual one."""
    return now if suits(now, kind) else Spec(ADVICE[kind].loss)


def proposed_activation(loss: Spec, kind: Kind) -> str:
    """What the output should end with: nothing where the loss takes logits."""
    if loss.config.get("from_logits") is True:
        return "linear"
    own = losses.find(loss.class_name).output if loss.class_name in losses else None
    return own or ADVICE[kind].activation


def output_layer(info: DatasetInfo, loss: Spec) -> Spec:
    """A layer that gives an output as the data and the loss need it."""
    return fitted(new_spec(layers, OUTPUT_LAYER), info, loss)


def fitted(layer: Spec, info: DatasetInfo, loss: Spec) -> Spec:
    """The layer with the units and activation that the data need, if it is a usual output layer."""
    if layer.class_name != OUTPUT_LAYER:
        return layer
    layer = set_spec_param(layer, layers, "units", info.outputs)
    return set_spec_param(layer, layers, "activation", proposed_activation(loss, info.kind))
