"""Optuna's storages at the tasks of `benchmarks/store/ours.py`, one in a process of its own.

    python benchmarks/peers/optuna_store.py WHERE TASK SIZE REPEATS

WHERE is a URL of its RDB storage, or `journal:` and a file. One value a trial and epoch is
reported, as its pruners need; proposals are trials that are created with their five parameters.
"""

from __future__ import annotations

import json
import random
import sys
import time
import warnings
from typing import Any

import optuna
from optuna.distributions import FloatDistribution, IntDistribution
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

optuna.logging.set_verbosity(optuna.logging.ERROR)
warnings.simplefilter("ignore")

_PARAMETERS: dict[str, Any] = {
    "learning_rate": (0.01, FloatDistribution(1e-4, 1.0, log=True)),
    "l2": (1e-6, FloatDistribution(1e-9, 1.0, log=True)),
    "hidden_units": (64, IntDistribution(8, 256)),
    "hidden_layers": (2, IntDistribution(1, 4)),
    "dropout": (0.1, FloatDistribution(0.0, 0.75)),
}


def storage(where: str) -> Any:
    """Return the storage as a user has it."""
    if where.startswith("journal:"):
        return optuna.storages.JournalStorage(JournalFileBackend(where.removeprefix("journal:")))
    return optuna.storages.get_storage(where)


def epoch(where: str, size: int, repeats: int) -> list[float]:
    """Return the seconds of each epoch."""
    opened = storage(where)
    trials = _proposed(opened, size)
    taken: list[float] = []
    for number in range(1, repeats + 1):
        began = time.perf_counter()
        for trial in trials:
            opened.set_trial_intermediate_value(trial, number, random.random() / number)
        taken.append(time.perf_counter() - began)
    return taken


def propose(where: str, size: int, repeats: int) -> list[float]:
    """Return the seconds of all proposals, for each of some studies."""
    opened, taken = storage(where), list[float]()
    for _ in range(repeats):
        began = time.perf_counter()
        _proposed(opened, size)
        taken.append(time.perf_counter() - began)
    return taken


def fill(where: str, size: int, repeats: int) -> list[float]:
    """Return the seconds that it took to make the study."""
    del repeats
    began = time.perf_counter()
    _proposed(storage(where), size, name="filled", finished=True)
    return [time.perf_counter() - began]


def open_(where: str, size: int, repeats: int) -> list[float]:
    """Return the seconds from the closed storage to the best trial; imports come before."""
    del size
    taken: list[float] = []
    for _ in range(repeats):
        began = time.perf_counter()
        study = optuna.load_study(study_name="filled", storage=storage(where))
        assert study.best_trial.value is not None
        taken.append(time.perf_counter() - began)
    return taken


def _proposed(opened: Any, size: int, name: str | None = None, finished: bool = False) -> list[int]:
    study = opened.create_new_study([optuna.study.StudyDirection.MINIMIZE], name)
    values = {key: value for key, (value, _) in _PARAMETERS.items()}
    kinds = {key: kind for key, (_, kind) in _PARAMETERS.items()}
    made: list[int] = []
    for number in range(size):
        values["l2"] = 1e-9 * (number + 1)
        given: dict[str, Any] = {"state": TrialState.RUNNING}
        if finished:
            given = {"state": TrialState.COMPLETE, "value": random.random()}
        trial = optuna.trial.create_trial(params=values, distributions=kinds, **given)
        made.append(opened.create_new_trial(study, template_trial=trial))
    return made


TASKS = {"epoch": epoch, "propose": propose, "fill": fill, "open": open_}

if __name__ == "__main__":
    print(json.dumps(TASKS[sys.argv[2]](sys.argv[1], int(sys.argv[3]), int(sys.argv[4]))))
