"""The declarations of hyperparameters that are for images."""

from __future__ import annotations

from ._constraints import EachOf, IntegerInterval, Interval, OneOf
from ._declaration import Hyperparameter

# What `augment` stands for at 1.
AUGMENTED = {"shift": 0.1, "rotation": 15.0, "brightness": 0.2, "contrast": 0.2}

CONVOLUTIONS = (
    Hyperparameter(
        "conv_layers",
        IntegerInterval(0, 16),
        0,
        "Convolutional layers before the dense ones, for images.",
        True,
    ),
    Hyperparameter(
        "conv_channels",
        EachOf(IntegerInterval(1, 4_096)),
        16,
        "Channels of a convolutional layer: one number for all, or one a layer.",
        True,
    ),
    Hyperparameter(
        "conv_kernel",
        IntegerInterval(1, 15, odd=True),
        3,
        "Height and width of the convolution's kernels; odd, so that they have a middle.",
        True,
        tip="3 is usual",
    ),
    Hyperparameter(
        "conv_stride",
        IntegerInterval(1, 8),
        1,
        "Places from one application of a kernel to the next.",
        True,
    ),
    Hyperparameter(
        "pool",
        IntegerInterval(1, 8),
        2,
        "Side of the squares that are pooled after each convolutional layer; 1 pools nothing.",
        True,
    ),
    Hyperparameter(
        "pooling", OneOf(("max", "average")), "max", "What is taken of a pooled square.", True
    ),
)

AUGMENTATIONS = (
    Hyperparameter(
        "augment",
        Interval(0.0, 1.0),
        0.0,
        "Strength of the image augmentations that are not given themselves: at 1 a shift of 0.1, a "
        "rotation of 15, a brightness and a contrast of 0.2, at 0.5 half of each; never a flip.",
        tip="0.5 is a gentle start",
    ),
    Hyperparameter(
        "flip",
        Interval(0.0, 1.0),
        0.0,
        "Probability that a train image is mirrored left to right in a step.",
        tip="0.5 where left and right do not matter",
    ),
    Hyperparameter(
        "crop",
        IntegerInterval(0, 4_096),
        0,
        "Pixels laid around a train image, which is then cropped at random to its own size.",
        tip="an eighth of the image's side is usual",
    ),
    Hyperparameter(
        "shift",
        Interval(0.0, 1.0),
        None,
        "Largest shift of a train image, up or down and to either side, as a share of its side "
        "(0.1 times augment).",
        tip="0.1 is usual",
    ),
    Hyperparameter(
        "rotation",
        Interval(0.0, 180.0),
        None,
        "Largest angle in degrees by which a train image is turned, either way (15 times augment).",
        tip="10 to 20 are usual",
    ),
    Hyperparameter(
        "brightness",
        Interval(0.0, 100.0),
        None,
        "Largest change of a train image's brightness, in standard deviations of its channel (0.2 "
        "times augment).",
        tip="0.2 is usual",
    ),
    Hyperparameter(
        "contrast",
        Interval(0.0, 1.0),
        None,
        "Largest change of a train image's contrast, as a share of it (0.2 times augment).",
        tip="0.2 is usual",
    ),
)
