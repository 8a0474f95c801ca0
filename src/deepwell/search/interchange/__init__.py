"""Optuna's samplers as ours, ours as Optuna's, and its studies as histories."""

from ._optuna_history import optuna_history as optuna_history
from ._optuna_sampler import optuna_sampler as optuna_sampler
from ._their_sampler import from_optuna as from_optuna
