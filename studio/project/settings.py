"""The declaration of the training settings: their bounds, labels and help."""

from __future__ import annotations

from studio.engine.losses import losses
from studio.engine.metrics import metrics
from studio.engine.optimizers import optimizers
from studio.engine.params import Declared, Integer, Real
from studio.engine.registry import Named, NamedList


class TrainingSettings(Declared):
    """What values :class:`~studio.project.values.Settings` may have."""

    optimizer = Named(optimizers, "adam", label="Optimizer", help="How gradients change weights.")
    loss = Named(losses, "categorical_crossentropy", label="Loss",
                 help="What training makes small.")  # fmt: skip
    metrics = NamedList(metrics, label="Metrics",
                        help="What is watched beside accuracy, or MAE for numbers.")  # fmt: skip
    epochs = Integer(5, minimum=1, maximum=10**9, label="Epochs",
                     help="How often training sees all samples.")  # fmt: skip
    batch_size = Integer(32, minimum=1, maximum=10**9, label="Batch size",
                         help="How many samples per update.")  # fmt: skip
    validation_split = Real(0.2, minimum=0, below=1, label="Validation split",
                            help="The share of samples kept aside to test on.")  # fmt: skip
    seed = Integer(0, minimum=0, maximum=2**32 - 1, label="Seed",
                   help="The same seed gives the same numbers again.")  # fmt: skip
