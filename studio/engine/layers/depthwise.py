"""Convolutions that treat each channel by itself; ``channelwise.py`` does the work."""

from __future__ import annotations

from studio.engine.activations import activations
from studio.engine.constraints import constraints
from studio.engine.initializers import initializers
from studio.engine.layers.base import WeightSpec, known, register
from studio.engine.layers.channelwise import Depthwise
from studio.engine.params import Boolean, Choice, Integer, Integers
from studio.engine.registry import Named
from studio.engine.regularizers import regularizers
from studio.engine.workspace import Shape


@register()
class DepthwiseConv2D(Depthwise):
    """Each channel is convolved with ``depth_multiplier`` patterns of its own.

    Input shape: ``(batch, height, width, channels)``. Output shape: ``(batch, rows, columns,
    channels · depth_multiplier)``.
    Source: https://keras.io/api/layers/convolution_layers/depthwise_convolution2d/
    """

    help = "Looks for patterns in each channel by itself; few weights."

    kernel_size = Integers(length=2, initial=(3, 3), label="Kernel size",
                           help="Height and width of a pattern.")  # fmt: skip
    strides = Integers((1, 1), length=2, label="Strides", help="Steps between two positions.")
    padding = Choice("valid", options=("valid", "same"), label="Padding",
                     help="'same' keeps the size by zeros around the image.")  # fmt: skip
    depth_multiplier = Integer(1, minimum=1, label="Depth multiplier",
                               help="How many patterns each channel has.")  # fmt: skip
    dilation_rate = Integers((1, 1), length=2, label="Dilation", advanced=True,
                             help="Distance between two points of the pattern.")  # fmt: skip
    activation = Named(activations, "linear", initial="relu", label="Activation",
                       help="Applied to the output.")  # fmt: skip
    use_bias = Boolean(True, label="Bias", help="Whether a learned number is added per channel.")
    depthwise_initializer = Named(initializers, "glorot_uniform", advanced=True)
    bias_initializer = Named(initializers, "zeros", advanced=True)
    depthwise_regularizer = Named(regularizers, None, optional=True, help="Keeps weights small.")
    bias_regularizer = Named(regularizers, None, optional=True, advanced=True)
    activity_regularizer = Named(regularizers, None, optional=True, advanced=True)
    depthwise_constraint = Named(constraints, None, optional=True, advanced=True)
    bias_constraint = Named(constraints, None, optional=True, advanced=True)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """(batch, height, width, c) → (batch, rows, columns, c · depth_multiplier)."""
        lengths, channels = self.lengths(input_shape), input_shape[-1]
        return (
            input_shape[0],
            *lengths,
            None if channels is None else channels * self.depth_multiplier,
        )

    def weight_specs(self, input_shape: Shape) -> tuple[WeightSpec, ...]:
        """A kernel of (…kernel_size, channels, depth_multiplier) and a bias per output channel."""
        channels = known(input_shape[-1], self, "number of channels")
        shape = (*self.kernel_size, channels, self.depth_multiplier)
        kernel = WeightSpec("kernel", shape, self.depthwise_initializer,
                            self.depthwise_regularizer, self.depthwise_constraint)  # fmt: skip
        bias = WeightSpec("bias", (channels * self.depth_multiplier,), self.bias_initializer,
                          self.bias_regularizer, self.bias_constraint)  # fmt: skip
        return (kernel, bias) if self.use_bias else (kernel,)


@register()
class SeparableConv2D(Depthwise):
    """A depthwise convolution, then one of 1 × 1 that mixes the channels.

    Input shape: ``(batch, height, width, channels)``. Output shape: ``(batch, rows, columns,
    filters)``. Source: https://keras.io/api/layers/convolution_layers/separable_convolution2d/
    """

    kernel_name = "depthwise_kernel"
    mixing = "pointwise_kernel"
    help = "Looks for patterns in each channel, then mixes the channels; fewer weights."

    filters = Integer(minimum=1, initial=16, label="Filters", help="How many outputs it has.")
    kernel_size = Integers(length=2, initial=(3, 3), label="Kernel size",
                           help="Height and width of a pattern.")  # fmt: skip
    strides = Integers((1, 1), length=2, label="Strides", help="Steps between two positions.")
    padding = Choice("valid", options=("valid", "same"), label="Padding",
                     help="'same' keeps the size by zeros around the image.")  # fmt: skip
    dilation_rate = Integers((1, 1), length=2, label="Dilation", advanced=True,
                             help="Distance between two points of the pattern.")  # fmt: skip
    depth_multiplier = Integer(1, minimum=1, label="Depth multiplier",
                               help="How many patterns each channel has.")  # fmt: skip
    activation = Named(activations, "linear", initial="relu", label="Activation",
                       help="Applied to the output.")  # fmt: skip
    use_bias = Boolean(True, label="Bias", help="Whether a learned number is added per filter.")
    depthwise_initializer = Named(initializers, "glorot_uniform", advanced=True)
    pointwise_initializer = Named(initializers, "glorot_uniform", advanced=True)
    bias_initializer = Named(initializers, "zeros", advanced=True)
    depthwise_regularizer = Named(regularizers, None, optional=True, advanced=True)
    pointwise_regularizer = Named(regularizers, None, optional=True, advanced=True)
    bias_regularizer = Named(regularizers, None, optional=True, advanced=True)
    activity_regularizer = Named(regularizers, None, optional=True, advanced=True)
    depthwise_constraint = Named(constraints, None, optional=True, advanced=True)
    pointwise_constraint = Named(constraints, None, optional=True, advanced=True)
    bias_constraint = Named(constraints, None, optional=True, advanced=True)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """(batch, height, width, channels) → (batch, rows, columns, filters)."""
        return (input_shape[0], *self.lengths(input_shape), self.filters)

    def weight_specs(self, input_shape: Shape) -> tuple[WeightSpec, ...]:
        """Depthwise (…kernel_size, c, d), pointwise (1, 1, c · d, filters), bias (filters,)."""
        channels = known(input_shape[-1], self, "number of channels")
        depth = self.depth_multiplier
        deep = WeightSpec("depthwise_kernel", (*self.kernel_size, channels, depth),
                          self.depthwise_initializer, self.depthwise_regularizer,
                          self.depthwise_constraint)  # fmt: skip
        point = WeightSpec("pointwise_kernel", (1, 1, channels * depth, self.filters),
                           self.pointwise_initializer, self.pointwise_regularizer,
                           self.pointwise_constraint)  # fmt: skip
        bias = WeightSpec("bias", (self.filters,), self.bias_initializer,
                          self.bias_regularizer, self.bias_constraint)  # fmt: skip
        return (deep, point, bias) if self.use_bias else (deep, point)
