"""Which hyperparameters made the difference: pure functions of a domain and what was tried."""

from ._measure import measure_importance as measure_importance
from ._measure import needed_trials as needed_trials
