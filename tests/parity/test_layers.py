"""Layers against Keras: each with its meaningful options."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.parity.compare import check_layer

Case = tuple[str, dict[str, Any], tuple[int, ...]]


def each(
    name: str, shape: tuple[int, ...], base: dict[str, Any], *options: dict[str, Any]
) -> list[Case]:
    return [(name, {**base, **more}, shape) for more in ({}, *options)]


CASES: list[Case] = [
    *each("Conv1D", (3, 9, 4), {"filters": 6, "kernel_size": 3},
          {"padding": "same"}, {"padding": "causal"}, {"strides": 2}, {"dilation_rate": 2},
          {"groups": 2}, {"padding": "same", "strides": 2}, {"activation": "relu"},
          {"padding": "causal", "dilation_rate": 2}, {"use_bias": False}),
    *each("Conv2D", (3, 9, 8, 4), {"filters": 6, "kernel_size": 3},
          {"padding": "same"}, {"strides": 2}, {"padding": "same", "strides": [2, 3]},
          {"dilation_rate": 2}, {"groups": 2}, {"kernel_size": [2, 4]}, {"activation": "gelu"},
          {"groups": 2, "padding": "same", "activation": "relu"}, {"kernel_size": 1}),
    ("Conv2D", {"filters": 3, "kernel_size": 3, "activation": "softmax"}, (2, 6, 6, 1)),
    *each("Conv3D", (2, 5, 6, 4, 2), {"filters": 4, "kernel_size": 2},
          {"padding": "same"}, {"strides": 2}, {"groups": 2}, {"activation": "tanh"}),
    *each("DepthwiseConv2D", (2, 7, 8, 3), {"kernel_size": 3},
          {"depth_multiplier": 2}, {"padding": "same"}, {"strides": 2, "padding": "same"},
          {"activation": "relu"}, {"use_bias": False}, {"dilation_rate": 2},
          {"strides": 2, "depth_multiplier": 2}, {"dilation_rate": 2, "padding": "same"}),
    *each("SeparableConv2D", (2, 7, 8, 3), {"filters": 5, "kernel_size": 3},
          {"depth_multiplier": 2}, {"padding": "same"}, {"strides": 2}, {"activation": "relu"}),
    *each("Conv2DTranspose", (2, 4, 5, 3), {"filters": 4, "kernel_size": 3},
          {"strides": 2}, {"padding": "same"}, {"strides": 2, "padding": "same"},
          {"kernel_size": 4, "strides": 2, "padding": "same"}, {"kernel_size": 2, "strides": 3},
          {"activation": "relu"}, {"use_bias": False},
          *[{"kernel_size": size, "strides": 3, "padding": padding, "output_padding": more}
            for size in (1, 2, 3, 4) for padding in ("same", "valid") for more in (0, 1, 2)]),
    *[case for kind in ("Max", "Average") for case in [
        *each(f"{kind}Pooling1D", (2, 7, 3), {"pool_size": 2}, {"pool_size": 3}, {"strides": 1},
              {"padding": "same"}, {"pool_size": 3, "strides": 2, "padding": "same"}),
        *each(f"{kind}Pooling2D", (2, 7, 6, 3), {"pool_size": 2}, {"pool_size": [3, 2]},
              {"strides": 1}, {"padding": "same"}),
        *each(f"{kind}Pooling3D", (2, 5, 4, 6, 2), {"pool_size": 2}, {"padding": "same"}),
        *each(f"Global{kind}Pooling1D", (2, 5, 3), {}, {"keepdims": True}),
        *each(f"Global{kind}Pooling2D", (2, 5, 4, 3), {}, {"keepdims": True}),
        *each(f"Global{kind}Pooling3D", (2, 3, 4, 2, 3), {}, {"keepdims": True}),
    ]],
    *each("UpSampling1D", (2, 4, 3), {}, {"size": 3}),
    *each("UpSampling2D", (2, 4, 3, 2), {}, {"size": [3, 2]}, {"interpolation": "bilinear"},
          {"size": [3, 2], "interpolation": "bilinear"}),
    *each("ZeroPadding1D", (2, 4, 3), {}, {"padding": 2}, {"padding": [1, 3]}),
    *each("ZeroPadding2D", (2, 4, 3, 2), {}, {"padding": 2}, {"padding": [1, 3]},
          {"padding": [[0, 1], [2, 0]]}),
    *each("Cropping1D", (2, 6, 3), {}, {"cropping": [1, 3]}),
    *each("Cropping2D", (2, 6, 5, 2), {}, {"cropping": 1}, {"cropping": [[0, 1], [2, 0]]}),
    *each("Reshape", (2, 6, 4), {"target_shape": [3, 8]}, {"target_shape": [-1]},
          {"target_shape": [2, -1, 3]}),
    *each("Permute", (2, 3, 4), {"dims": [2, 1]}),
    ("Permute", {"dims": [3, 1, 2]}, (2, 3, 4, 5)),
    ("MaxPooling2D", {"pool_size": 3, "strides": 2, "padding": "same"}, (2, 7, 6, 3)),
    ("RepeatVector", {"n": 3}, (2, 4)),
    *each("LayerNormalization", (3, 4, 5), {}, {"axis": [1, 2]}, {"scale": False},
          {"center": False, "epsilon": 1e-5}),
    *each("GroupNormalization", (3, 4, 4, 6), {"groups": 3}, {"groups": -1}, {"groups": 1},
          {"center": False, "scale": False}),
    *each("UnitNormalization", (3, 4, 5), {}, {"axis": 1}),
    *each("BatchNormalization", (6, 4), {}, {"momentum": 0.5}, {"scale": False}, {"center": False}),
    *each("BatchNormalization", (4, 5, 4, 3), {}, {"axis": 1}, {"trainable": False}),
    *each("ReLU", (3, 7), {}, {"max_value": 0.5}, {"negative_slope": 0.1}, {"threshold": 0.3},
          {"max_value": 0.6, "negative_slope": 0.2, "threshold": 0.1}),
    *each("LeakyReLU", (3, 7), {}, {"negative_slope": 0.05}),
    *each("PReLU", (3, 4, 5), {}, {"shared_axes": [1]}, {"alpha_initializer": "ones"}),
    *each("ELU", (3, 7), {}, {"alpha": 0.5}),
    *each("Softmax", (3, 4, 5), {}, {"axis": 1}),
    *each("Masking", (3, 4, 2), {}, {"mask_value": 1.0}),
    *each("SpatialDropout1D", (3, 4, 2), {"rate": 0.5}),
    *each("SpatialDropout2D", (3, 4, 4, 2), {"rate": 0.5}),
    *each("GaussianNoise", (3, 4), {"stddev": 0.3}),
    *each("GaussianDropout", (3, 4), {"rate": 0.3}),
]  # fmt: skip


# Left out: LayerNormalization along an inner axis alone, and an average over windows that reach
# over both edges: there Keras on PyTorch refuses, or counts padding, unlike Keras on TensorFlow.
@pytest.mark.parametrize(("name", "config", "shape"), CASES)
def test_layer(name: str, config: dict[str, Any], shape: tuple[int, ...]) -> None:
    check_layer(name, config, shape)


@pytest.mark.parametrize("config", [{}, {"momentum": 0.9}, {"axis": 1}, {"scale": False}])
def test_batch_normalization_in_training(config: dict[str, Any]) -> None:
    check_layer("BatchNormalization", config, (5, 4, 3), training=True)


def test_a_masked_average() -> None:
    mask = np.array([[1, 1, 0, 0], [1, 0, 1, 1]], bool)
    check_layer("GlobalAveragePooling1D", {}, (2, 4, 3), mask=mask)


def test_batch_normalization_heeds_a_mask() -> None:
    mask = np.array([[1, 1, 0, 0], [1, 0, 1, 1]], bool)
    check_layer("BatchNormalization", {}, (2, 4, 3), mask=mask, training=True)
