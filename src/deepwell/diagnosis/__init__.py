"""What kind of error is left and how sure that is: metrics, intervals, baselines, findings.

Everything here is a function of predictions and plain figures; no network and no JAX is needed.
"""

from ._baselines import BaselinePrediction as BaselinePrediction
from ._baselines import constant_guess as constant_guess
from ._baselines import linear_model as linear_model
from ._bias_variance import BiasVarianceEvidence as BiasVarianceEvidence
from ._bias_variance import diagnose_bias_variance as diagnose_bias_variance
from ._bias_variance import material_size as material_size
from ._codes import CODES as CODES
from ._comparison import compare_with_baselines as compare_with_baselines
from ._curve_means import CurveScores as CurveScores
from ._first_steps import diagnose_first_steps as diagnose_first_steps
from ._intervals import bootstrap as bootstrap
from ._intervals import estimate as estimate
from ._intervals import paired_difference as paired_difference
from ._intervals import unpaired_difference as unpaired_difference
from ._intervals import wilson as wilson
from ._learning_curve import Extrapolation as Extrapolation
from ._learning_curve import extrapolate as extrapolate
from ._learning_curve_findings import diagnose_learning_curve as diagnose_learning_curve
from ._metrics import METRICS as METRICS
from ._metrics import Metric as Metric
from ._metrics import default_metric as default_metric
from ._non_finite import DivergenceEvidence as DivergenceEvidence
from ._non_finite import diagnose_divergence as diagnose_divergence
from ._rows_and_seeds import row_scores as row_scores
from ._rows_and_seeds import rows_and_seeds as rows_and_seeds
