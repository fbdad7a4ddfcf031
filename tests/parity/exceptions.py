"""Where Keras on PyTorch cannot be what we are compared with.

Each is a fault of Keras or of its PyTorch backend; what we do instead follows Keras' documentation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

IGNORED = {("SimpleRNN", "activity_regularizer"), ("SimpleRNN", "seed")}
"""Arguments that Keras documents but does not use or keep."""


def beyond_keras(name: str, config: Mapping[str, Any], shape: tuple[int, ...]) -> bool:
    """Whether Keras refuses a layer that we have, or computes it otherwise than it says.

    Args:
        name: the layer's class.
        config: its arguments.
        shape: of one sample.
    """
    if any((name, argument) in IGNORED for argument in config):
        return True
    if "sparsemax" in config.values():  # Its result doesn't add up to 1.
        return True
    if "glu" in config.values():  # It takes the output to be as wide as the input.
        return True
    if "constant" in config.values():  # By name it wants a value after all.
        return True
    if config.get("synchronized"):  # On TensorFlow only.
        return True
    if "trainable" in config and name.startswith(("SpatialDropout", "Bi", "Time")):
        return True  # An argument that these lack, or do not hand on.
    if name == "Bidirectional" and "backward_layer" in config:
        # It takes both outputs to be as wide.
        forward, backward = (
            config[part]["config"]["units"] for part in ("layer", "backward_layer")
        )
        return forward != backward
    if name == "RandomContrast":  # It fails where the factor is one number.
        return True
    if name.startswith("AveragePooling"):
        # Windows that reach over both edges count what is beyond them.
        sizes = config.get("pool_size", 2)
        sizes = [sizes] * len(shape) if isinstance(sizes, int) else sizes
        return config.get("padding") == "same" and max(sizes) > 2
    return False
