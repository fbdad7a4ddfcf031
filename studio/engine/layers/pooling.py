"""Pooling over one, two and three dimensions; ``pool.py`` does the work."""

from __future__ import annotations

from studio.engine.layers.base import register
from studio.engine.layers.pool import AveragePooling, MaxPooling
from studio.engine.params import Choice, Integers


@register()
class MaxPooling1D(MaxPooling):
    """The largest number of each window of a sequence.

    Input shape: ``(batch, steps, channels)``. Output shape: ``(batch, positions, channels)``.
    Source: https://keras.io/api/layers/pooling_layers/max_pooling1d/
    """

    rank = 1
    input_ranks = (3,)
    help = "Shrinks a sequence, keeping the largest number of each window."

    pool_size = Integers((2,), length=1, label="Pool size", help="Steps of a window.")
    strides = Integers(None, length=1, optional=True, label="Strides",
                       help="Steps between two windows; else the pool size.")  # fmt: skip
    padding = Choice("valid", options=("valid", "same"), label="Padding",
                     help="'same' also keeps windows that reach over the edge.")  # fmt: skip


@register()
class MaxPooling2D(MaxPooling):
    """The largest number of each window of an image.

    Input shape: ``(batch, height, width, channels)``. Output shape: ``(batch, rows, columns,
    channels)``.
    Source: https://keras.io/api/layers/pooling_layers/max_pooling2d/
    """

    rank = 2
    input_ranks = (4,)
    help = "Shrinks an image, keeping the largest number of each window."

    pool_size = Integers((2, 2), length=2, label="Pool size", help="Height and width of a window.")
    strides = Integers(None, length=2, optional=True, label="Strides",
                       help="Steps between two windows; else the pool size.")  # fmt: skip
    padding = Choice("valid", options=("valid", "same"), label="Padding",
                     help="'same' also keeps windows that reach over the edge.")  # fmt: skip


@register()
class MaxPooling3D(MaxPooling):
    """The largest number of each window of a volume.

    Input shape: ``(batch, a, b, c, channels)``. Output shape: ``(batch, …positions, channels)``.
    Source: https://keras.io/api/layers/pooling_layers/max_pooling3d/
    """

    rank = 3
    input_ranks = (5,)
    help = "Shrinks a volume, keeping the largest number of each window."

    pool_size = Integers((2, 2, 2), length=3, label="Pool size", help="Sizes of a window.")
    strides = Integers(None, length=3, optional=True, label="Strides",
                       help="Steps between two windows; else the pool size.")  # fmt: skip
    padding = Choice("valid", options=("valid", "same"), label="Padding",
                     help="'same' also keeps windows that reach over the edge.")  # fmt: skip


@register()
class AveragePooling1D(AveragePooling):
    """The mean of each window of a sequence.

    Input shape: ``(batch, steps, channels)``. Output shape: ``(batch, positions, channels)``.
    Source: https://keras.io/api/layers/pooling_layers/average_pooling1d/
    """

    rank = 1
    input_ranks = (3,)
    help = "Shrinks a sequence, keeping the mean of each window."

    pool_size = Integers(initial=(2,), length=1, label="Pool size", help="Steps of a window.")
    strides = Integers(None, length=1, optional=True, label="Strides",
                       help="Steps between two windows; else the pool size.")  # fmt: skip
    padding = Choice("valid", options=("valid", "same"), label="Padding",
                     help="'same' also keeps windows that reach over the edge.")  # fmt: skip


@register()
class AveragePooling2D(AveragePooling):
    """The mean of each window of an image.

    Input shape: ``(batch, height, width, channels)``. Output shape: ``(batch, rows, columns,
    channels)``.
    Source: https://keras.io/api/layers/pooling_layers/average_pooling2d/
    """

    rank = 2
    input_ranks = (4,)
    help = "Shrinks an image, keeping the mean of each window."

    pool_size = Integers(
        initial=(2, 2), length=2, label="Pool size", help="Height and width of a window."
    )
    strides = Integers(None, length=2, optional=True, label="Strides",
                       help="Steps between two windows; else the pool size.")  # fmt: skip
    padding = Choice("valid", options=("valid", "same"), label="Padding",
                     help="'same' also keeps windows that reach over the edge.")  # fmt: skip


@register()
class AveragePooling3D(AveragePooling):
    """The mean of each window of a volume.

    Input shape: ``(batch, a, b, c, channels)``. Output shape: ``(batch, …positions, channels)``.
    Source: https://keras.io/api/layers/pooling_layers/average_pooling3d/
    """

    rank = 3
    input_ranks = (5,)
    help = "Shrinks a volume, keeping the mean of each window."

    pool_size = Integers(initial=(2, 2, 2), length=3, label="Pool size", help="Sizes of a window.")
    strides = Integers(None, length=3, optional=True, label="Strides",
                       help="Steps between two windows; else the pool size.")  # fmt: skip
    padding = Choice("valid", options=("valid", "same"), label="Padding",
                     help="'same' also keeps windows that reach over the edge.")  # fmt: skip
