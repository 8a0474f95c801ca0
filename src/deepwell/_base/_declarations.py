"""The declarations of all hyperparameters, in the order in which they are listed."""

from __future__ import annotations

import math

from ._changes import NONE, Changes
from ._constraints import EachOf, IntegerInterval, Interval, OneOf
from ._declaration import Hyperparameter
from ._image_declarations import AUGMENTATIONS, CONVOLUTIONS

ACTIVATIONS = (
    "sigmoid",
    "tanh",
    "relu",
    "leaky_relu",
    "elu",
    "gelu",
    "silu",
    "identity",
    "maxout",
)
INITIALIZERS = ("auto", "zeros", "large", "small", "lecun", "glorot", "he", "identity")
BATCH_NORMS = ("none", "before", "after")
STATISTICS = ("averages", "exact")
DROPOUTS = ("inverted", "classic")
OPTIMIZERS = ("sgd", "momentum", "velocity", "nesterov", "adagrad", "rmsprop", "adam")
OPTAX_PREFIX = "optax:"
DECAYS = (
    "constant",
    "inverse_time",
    "exponential",
    "inverse_sqrt_epoch",
    "inverse_sqrt_step",
    "staircase",
    "cosine",
    "one_cycle",
)
RMS_STARTS = ("zero", "first_gradient")

# In float32 what is within 3e-8 of 1 is 1, and an average that corrects for its start divides by 0.
_LONG_MEMORY = Interval(0.0, 0.999_999)

DECLARATIONS = (
    Hyperparameter(
        "learning_rate",
        Interval(0.0, math.inf, low_closed=False),
        0.001,
        "Step size of the optimizer.",
        tip="start at 0.001",
    ),
    Hyperparameter(
        "decay",
        OneOf(DECAYS),
        "constant",
        "How the learning rate falls: inverse_time = rate / (1 + decay_rate * epoch), "
        "exponential = rate * decay_factor^epoch, inverse_sqrt_epoch = rate * decay_scale / "
        "sqrt(epoch), inverse_sqrt_step the same by the update step, staircase = times "
        "decay_factor after every decay_every epochs, cosine to 0 and one_cycle up and down over "
        "all epochs.",
    ),
    Hyperparameter(
        "decay_rate", Interval(0.0, math.inf), 0.0, "Strength of inverse_time decay per epoch."
    ),
    Hyperparameter(
        "decay_factor",
        Interval(0.0, 1.0, low_closed=False),
        None,
        "Factor of exponential decay an epoch (0.95) or of staircase decay a stair (0.5).",
    ),
    Hyperparameter(
        "decay_scale",
        Interval(0.0, math.inf, low_closed=False),
        1.0,
        "The k of inverse_sqrt_epoch and inverse_sqrt_step decay, k / sqrt(epoch or step).",
    ),
    Hyperparameter(
        "decay_every",
        IntegerInterval(1, 1_000_000),
        10,
        "Epochs of one stair of staircase decay.",
    ),
    Hyperparameter(
        "warmup_epochs",
        Interval(0.0, math.inf),
        0.0,
        "Epochs over which the learning rate rises in proportion to the step; 0 starts at once.",
        tip="use 0.5 for half an epoch",
    ),
    Hyperparameter(
        "optimizer",
        OneOf(OPTIMIZERS, OPTAX_PREFIX, (("adamw", "AdamW is adam with weight_decay 0.01, l2 0"),)),
        "adam",
        "Rule that turns gradients into changes; optax:NAME is Optax's own, as in optax:lion.",
        True,
    ),
    Hyperparameter(
        "momentum",
        Interval(0.0, 1.0, high_closed=False),
        0.9,
        "Weight of the past in the averaged gradient of `momentum`, and in the velocity of "
        "`velocity` and `nesterov`.",
        tip="0.9 averages about 10 steps",
    ),
    Hyperparameter(
        "beta1",
        _LONG_MEMORY,
        0.9,
        "Weight of the past in Adam's average of gradients.",
        tip="0.9 averages about 10 steps",
    ),
    Hyperparameter(
        "beta2",
        _LONG_MEMORY,
        None,
        "Weight of the past in the average of squared gradients (Adam 0.999, RMSprop 0.9).",
        tip="0.999 averages about 1,000 steps",
    ),
    Hyperparameter(
        "epsilon",
        Interval(1e-30, 1.0),
        1e-8,
        "Small number added to the root of the squared gradients (Adam, RMSprop, Adagrad).",
    ),
    Hyperparameter(
        "epsilon_root",
        Interval(0.0, 1.0),
        0.0,
        "Small number added inside that root instead or as well.",
    ),
    Hyperparameter(
        "rms_start",
        OneOf(RMS_STARTS),
        "zero",
        "What RMSprop's average of squared gradients starts from: zero, or the first gradient's.",
    ),
    Hyperparameter(
        "batch_size",
        IntegerInterval(1, 1_000_000),
        64,
        "Rows of one mini-batch; the train rows or more mean batch descent, 1 stochastic descent.",
        True,
    ),
    Hyperparameter("epochs", IntegerInterval(1, 1_000_000), 50, "Passes over the train rows."),
    Hyperparameter(
        "patience",
        IntegerInterval(0, 1_000_000),
        15,
        "Epochs without a better dev score before a network stops early; 0 never stops early.",
    ),
    Hyperparameter(
        "hidden_layers",
        IntegerInterval(0, 64),
        2,
        "Hidden layers; 0 is logistic, softmax or linear regression.",
        True,
    ),
    Hyperparameter(
        "hidden_units",
        EachOf(IntegerInterval(1, 65_536)),
        64,
        "Units of a hidden layer: one number for all, or one a layer.",
        True,
    ),
    *CONVOLUTIONS,
    Hyperparameter(
        "activation", OneOf(ACTIVATIONS), "relu", "Non-linearity of the hidden layers.", True
    ),
    Hyperparameter(
        "leaky_slope",
        Interval(0.0, 1.0, high_closed=False),
        0.01,
        "Slope of leaky_relu below zero.",
    ),
    Hyperparameter(
        "elu_scale",
        Interval(0.0, math.inf),
        1.0,
        "Height a of elu's lower plateau, a (e^z - 1).",
    ),
    Hyperparameter(
        "maxout_pieces",
        IntegerInterval(2, 16),
        2,
        "Linear pieces k of which a maxout unit takes the largest.",
        True,
    ),
    Hyperparameter(
        "residual",
        IntegerInterval(0, 64),
        0,
        "Hidden layers that a skip connection spans, from the first hidden layer on; 0 is none.",
        True,
    ),
    Hyperparameter(
        "batch_norm",
        OneOf(BATCH_NORMS),
        "none",
        "Batch normalization of each hidden layer, before or after its activation.",
        True,
    ),
    Hyperparameter(
        "batch_norm_momentum",
        _LONG_MEMORY,
        0.9,
        "Weight of the past in the averages of batch means and variances.",
        tip="0.9 averages about 10 batches",
    ),
    Hyperparameter(
        "batch_norm_epsilon",
        Interval(1e-12, 1.0),
        1e-5,
        "Added to the variance before its root is divided by.",
    ),
    Hyperparameter(
        "batch_norm_statistics",
        OneOf(STATISTICS),
        "averages",
        "What the saved network normalizes with: averages over the last batches, or the exact "
        "mean and variance over all train rows.",
    ),
    Hyperparameter(
        "initializer",
        OneOf(INITIALIZERS),
        "auto",
        "How weights start; auto follows the activation: he for the ReLU family, lecun else.",
    ),
    Hyperparameter(
        "initializer_scale",
        Interval(0.0, math.inf),
        1.0,
        "Factor on the initial weights: 1.5 with identity makes hidden layers start as 1.5 I.",
    ),
    Hyperparameter(
        "dropout",
        EachOf(Interval(0.0, 1.0, high_closed=False)),
        0.0,
        "Share of hidden units dropped in each training step: one number for all layers, or one "
        "a layer.",
        tip="use 0.2 to drop one unit in five",
    ),
    Hyperparameter(
        "input_dropout",
        Interval(0.0, 1.0, high_closed=False),
        0.0,
        "Share of input features dropped in each training step.",
        tip="use 0.1 to drop one feature in ten",
    ),
    Hyperparameter(
        "dropout_kind",
        OneOf(DROPOUTS),
        "inverted",
        "How dropout keeps the mean: inverted divides what is kept by 1 - p in training, classic "
        "multiplies the weights by 1 - p at prediction.",
    ),
    Hyperparameter(
        "label_smoothing",
        Interval(0.0, 1.0, high_closed=False),
        0.0,
        "Share of each label's weight that is spread evenly over all classes in training.",
        tip="0.1 is usual",
    ),
    Hyperparameter(
        "input_noise",
        Interval(0.0, 100.0),
        0.0,
        "Standard deviation of normal noise added to the normalized inputs in each training step.",
        tip="0.1 is a tenth of an input's own spread",
    ),
    Hyperparameter(
        "mixup",
        Interval(0.0, 100.0),
        0.0,
        "Parameter a of mixup: train rows and their targets are mixed in pairs, in shares drawn "
        "from the beta distribution of (a, a); 0 mixes none.",
        tip="0.2 mixes gently, 1 evenly",
    ),
    *AUGMENTATIONS,
    Hyperparameter(
        "l2",
        Interval(0.0, math.inf),
        0.0,
        "Factor of the weight in the gradient, lambda/m; biases are left out.",
    ),
    Hyperparameter(
        "l1",
        Interval(0.0, math.inf),
        0.0,
        "Factor of the weight's sign in the gradient, lambda/m; biases are left out.",
    ),
    Hyperparameter(
        "weight_decay",
        Interval(0.0, math.inf),
        0.0,
        "Share of each weight, times the learning rate, taken off in a step beside the optimizer "
        "(AdamW with adam); biases are left out.",
    ),
    Hyperparameter(
        "max_norm",
        Interval(0.0, math.inf),
        0.0,
        "Largest norm of a unit's incoming weights, held after each step; 0 is no limit.",
        tip="3 or 4 is usual with dropout",
    ),
    Hyperparameter(
        "clip_value",
        Interval(0.0, math.inf),
        0.0,
        "Largest size of each entry of the gradient; 0 is no limit.",
    ),
    Hyperparameter(
        "clip_norm",
        Interval(0.0, math.inf),
        0.0,
        "Largest norm of the whole gradient, which is scaled down to it; 0 is no limit.",
        tip="1 is usual",
    ),
    Hyperparameter(
        "gradient_noise",
        Interval(0.0, math.inf),
        0.0,
        "Variance eta of the noise eta / (1 + step)^0.55 added to gradients; 0 adds none.",
        tip="0.01, 0.3 and 1 are usual",
    ),
    Hyperparameter(
        "change",
        Changes(),
        NONE,
        "What changes by hand on the way: 10: learning_rate=0.001 gives the rate from the step "
        "after epoch 10 on; with a schedule it is the rate that the schedule falls from.",
    ),
)
