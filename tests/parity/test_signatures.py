"""Names, order and defaults of arguments, beside Keras'."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from studio.engine import Sequential
from studio.engine.constraints import constraints
from studio.engine.initializers import initializers
from studio.engine.layers import registry as layers
from studio.engine.losses import losses
from studio.engine.metrics import metrics
from studio.engine.optimizers import optimizers
from studio.engine.params import Declared
from studio.engine.registry import Registry
from studio.engine.regularizers import regularizers
from studio.engine.schedules import schedules
from tests.parity.compare import keras

METHODS = [
    "fit", "evaluate", "predict", "train_on_batch", "test_on_batch", "predict_on_batch", "compile",
    "add", "build", "get_layer", "save", "save_weights", "load_weights", "count_params",
    "set_weights", "summary",
]  # fmt: skip
BACKEND = {"run_eagerly", "steps_per_execution", "jit_compile", "auto_scale_loss"}
"""Arguments about Keras' backends, which ``compile`` lets pass."""
NOT_HERE = {"max_shard_size", "skip_mismatch", "zipped", "kwargs", "layer_range", "rebuild"}
"""Arguments of Keras that we do without."""


@pytest.mark.parametrize("method", METHODS)
def test_methods_have_the_arguments_of_keras(method: str) -> None:
    ours = inspect.signature(getattr(Sequential, method)).parameters
    theirs = inspect.signature(getattr(keras.Sequential, method)).parameters
    wanted = [name for name in theirs if name not in BACKEND | NOT_HERE]
    found = [name for name in ours if name in theirs and name != "kwargs"]
    assert found == wanted, f"Sequential.{method}"
    for name in wanted:
        default = theirs[name].default
        if default is not inspect.Parameter.empty:
            assert ours[name].default == default, f"Sequential.{method} {name}"


OTHERWISE = {
    "args",
    "activity_regularizer",
    "autocast",
    "bounding_box_format",
    "data_format",
    "dtype",
    "gradient_accumulation_steps",
    "implementation",
    "input_axes",
    "input_dtype",
    "input_length",
    "invert",
    "kwargs",
    "lora_alpha",
    "lora_rank",
    "loss_scale_factor",
    "name",
    "noise_shape",
    "output_axes",
    "quantization_config",
    "renorm",
    "renorm_clipping",
    "renorm_momentum",
    "return_state",
    "self",
    "sparse",
    "stateful",
    "synchronized",
    "trainable",
    "unroll",
    "use_cudnn",
    "value_range",
    "weights",
    "zero_output_for_mask",
}
"""Arguments of Keras that ours take by keyword only, or do without."""

GROUPS: list[tuple[Registry[Any], Any]] = [
    (layers, keras.layers),
    (losses, keras.losses),
    (optimizers, keras.optimizers),
    (metrics, keras.metrics),
    (initializers, keras.initializers),
    (regularizers, keras.regularizers),
    (constraints, keras.constraints),
    (schedules, keras.optimizers.schedules),
]
OURS = {"ConfusionMatrix"}
"""Classes that Keras does not have."""
CLASSES = [
    (cls, module) for registry, module in GROUPS for cls in registry if cls.__name__ not in OURS
]


@pytest.mark.parametrize(("cls", "module"), CLASSES, ids=[cls.__name__ for cls, _ in CLASSES])
def test_classes_have_the_arguments_of_keras(cls: type[Declared], module: Any) -> None:
    theirs = inspect.signature(getattr(module, cls.__name__).__init__).parameters
    wanted = [name for name in theirs if name not in OTHERWISE]
    found = [name for name in cls.params if name in wanted]
    assert found == wanted, "names and order"
    for name in wanted:
        default, param = theirs[name].default, cls.params[name]
        if default is inspect.Parameter.empty:
            assert param.required, name
            continue
        assert not param.required, name
        ours, same = (param.to_config(param.checked(value)) for value in (param.default, default))
        assert plain(ours) == plain(same), name


def plain(value: Any) -> Any:
    """A configuration's value with tuples as lists."""
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value
