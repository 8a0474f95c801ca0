"""All figures by name, in the order of the guide. Adding one is a file and a line here."""

from __future__ import annotations

from deepwell._base._registry import Registry

from ._figure import LabFigure
from .figures._activations import ACTIVATION_CURVES
from .figures._augmentation import AUGMENTATION
from .figures._average_windows import AVERAGE_WINDOWS
from .figures._batch_norm import BATCH_NORM
from .figures._batch_norm_noise import BATCH_NORM_NOISE
from .figures._batch_sizes import BATCH_SIZES
from .figures._bayesian_steps import BAYESIAN_STEPS
from .figures._bias_correction import BIAS_CORRECTION
from .figures._boundaries import BOUNDARIES
from .figures._change_by_hand import CHANGE_BY_HAND
from .figures._clipping import CLIPPING
from .figures._cost_curves import COST_CURVES
from .figures._cross_validation import CROSS_VALIDATION
from .figures._decays import DECAYS_FIGURE
from .figures._depth import DEPTH
from .figures._dropout import DROPOUT
from .figures._dropout_ensemble import DROPOUT_ENSEMBLE
from .figures._early_stopping import EARLY_STOPPING
from .figures._first_steps import FIRST_STEPS
from .figures._grid_against_random import GRID_AGAINST_RANDOM
from .figures._image_augmentation import IMAGE_AUGMENTATION
from .figures._importance import IMPORTANCE
from .figures._initialization import INITIALIZATION
from .figures._l1 import L1
from .figures._l2 import L2
from .figures._learning_curve import LEARNING_CURVE
from .figures._learning_rates import LEARNING_RATES
from .figures._loss_surface import LOSS_SURFACE
from .figures._losses import LOSSES_FIGURE
from .figures._minimize import MINIMIZE
from .figures._mismatch import MISMATCH
from .figures._nearly_linear import NEARLY_LINEAR
from .figures._normalization import NORMALIZATION
from .figures._numerical_derivative import NUMERICAL_DERIVATIVE
from .figures._other_regularizers import OTHER_REGULARIZERS
from .figures._probes import PROBES
from .figures._rate_range import RATE_RANGE
from .figures._ravine import RAVINE
from .figures._remedies import REMEDIES_FIGURE
from .figures._saddle import SADDLE
from .figures._sampling_scales import SAMPLING_SCALES
from .figures._signals_by_depth import SIGNALS_BY_DEPTH
from .figures._softmax_boundaries import SOFTMAX_BOUNDARIES
from .figures._split_sizes import SPLIT_SIZES
from .figures._splits import SPLITS
from .figures._train_dev import TRAIN_DEV
from .figures._weight_decay import WEIGHT_DECAY

_ALL = (
    SPLIT_SIZES,
    SPLITS,
    CROSS_VALIDATION,
    TRAIN_DEV,
    MISMATCH,
    AUGMENTATION,
    IMAGE_AUGMENTATION,
    NORMALIZATION,
    BATCH_SIZES,
    ACTIVATION_CURVES,
    INITIALIZATION,
    SIGNALS_BY_DEPTH,
    PROBES,
    SOFTMAX_BOUNDARIES,
    LOSSES_FIGURE,
    BATCH_NORM,
    BATCH_NORM_NOISE,
    DROPOUT,
    DROPOUT_ENSEMBLE,
    DEPTH,
    L2,
    L1,
    WEIGHT_DECAY,
    OTHER_REGULARIZERS,
    BOUNDARIES,
    NEARLY_LINEAR,
    EARLY_STOPPING,
    LEARNING_RATES,
    AVERAGE_WINDOWS,
    BIAS_CORRECTION,
    RAVINE,
    DECAYS_FIGURE,
    CLIPPING,
    CHANGE_BY_HAND,
    MINIMIZE,
    SADDLE,
    LOSS_SURFACE,
    NUMERICAL_DERIVATIVE,
    FIRST_STEPS,
    LEARNING_CURVE,
    COST_CURVES,
    RATE_RANGE,
    REMEDIES_FIGURE,
    SAMPLING_SCALES,
    GRID_AGAINST_RANDOM,
    BAYESIAN_STEPS,
    IMPORTANCE,
)

FIGURES: Registry[LabFigure] = Registry("figure", {figure.name: figure for figure in _ALL})
