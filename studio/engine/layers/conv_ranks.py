"""Convolutions over one and three dimensions; ``conv.py`` does the work."""

from __future__ import annotations

from studio.engine.layers.base import register
from studio.engine.layers.conv import Conv
from studio.engine.params import Choice, Integer, Integers


@register()
class Conv1D(Conv):
    """Convolution over time.

    Input shape: ``(batch, steps, channels)``. Output shape: ``(batch, positions, filters)``.
    Source: https://keras.io/api/layers/convolution_layers/convolution1d/
    """

    rank = 1
    input_ranks = (3,)
    help = "Looks for short patterns all over a sequence."

    filters = Integer(minimum=1, initial=16, label="Filters", help="How many patterns it learns.")
    kernel_size = Integers(length=1, initial=(3,), label="Kernel size",
                           help="Steps of a pattern.")  # fmt: skip
    strides = Integers((1,), length=1, label="Strides", help="Steps between two positions.")
    padding = Choice("valid", options=("valid", "same", "causal"), label="Padding",
                     help="'same' keeps the length; 'causal' never looks ahead.")  # fmt: skip
    dilation_rate = Integers((1,), length=1, label="Dilation", advanced=True,
                             help="Distance between two points of the pattern.")  # fmt: skip
    groups = Integer(1, minimum=1, label="Groups", advanced=True,
                     help="Into how many separate groups the channels are cut.")  # fmt: skip


@register()
class Conv3D(Conv):
    """Convolution over three dimensions, such as of a volume.

    Input shape: ``(batch, a, b, c, channels)``. Output shape: ``(batch, …positions, filters)``.
    Source: https://keras.io/api/layers/convolution_layers/convolution3d/
    """

    rank = 3
    input_ranks = (5,)
    help = "Looks for small patterns all over a volume."

    filters = Integer(minimum=1, initial=8, label="Filters", help="How many patterns it learns.")
    kernel_size = Integers(length=3, initial=(3, 3, 3), label="Kernel size",
                           help="Sizes of a pattern.")  # fmt: skip
    strides = Integers((1, 1, 1), length=3, label="Strides", help="Steps between two positions.")
    padding = Choice("valid", options=("valid", "same"), label="Padding",
                     help="'same' keeps the size by zeros around the volume.")  # fmt: skip
    dilation_rate = Integers((1, 1, 1), length=3, label="Dilation", advanced=True,
                             help="Distance between two points of the pattern.")  # fmt: skip
    groups = Integer(1, minimum=1, label="Groups", advanced=True,
                     help="Into how many separate groups the channels are cut.")  # fmt: skip
