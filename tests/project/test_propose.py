"""What a loss asks of the output."""

from __future__ import annotations

import pytest

from studio.engine.losses import Kind
from studio.project.propose import proposed_activation, proposed_loss
from studio.project.values import Spec


@pytest.mark.parametrize(
    ("loss", "kind", "activation"),
    [
        (Spec("MeanSquaredError"), "regression", "linear"),
        (Spec("Poisson"), "regression", "exponential"),
        (Spec("BinaryCrossentropy"), "binary", "sigmoid"),
        (Spec("BinaryCrossentropy", {"from_logits": True}), "binary", "linear"),
        (Spec("Hinge"), "binary", "tanh"),
        (Spec("CategoricalHinge"), "multiclass", "linear"),
        (Spec("KLDivergence"), "multiclass", "softmax"),
        (Spec("NoLongerThere"), "multiclass", "softmax"),
    ],
    ids=str,
)
def test_the_activation_is_the_one_the_loss_is_made_for(
    loss: Spec, kind: Kind, activation: str
) -> None:
    assert proposed_activation(loss, kind) == activation
    assert proposed_loss(loss, kind) == (loss if loss.class_name != "NoLongerThere" else
                                         Spec("CategoricalCrossentropy"))  # fmt: skip
