"""Optuna's RandomSampler with PyTorch: one process a core, one thread each, journal storage.

Processes take the next trial when they are free (ask and tell), so that none waits at the end.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

from job import Job, Outcome, serve

NAMES = ("learning_rate", "beta1", "dropout", "l2")


def search(job: Job) -> Outcome:
    """Train all networks as trials of one study."""
    context = multiprocessing.get_context("fork")  # starts faster than spawn: nothing is imported
    counter, results = context.Value("q", 0), context.SimpleQueue()
    _storage(job, create=True)
    workers = [
        context.Process(target=_work, args=(job, counter, results)) for _ in range(job.workers)
    ]
    for worker in workers:
        worker.start()
    scores, ended = [1.0] * len(job.configurations), []
    for _ in job.configurations:
        index, score, at = results.get()
        scores[index] = score
        ended.append(at)
    for worker in workers:
        worker.join()
    return Outcome(scores, ended)


def _storage(job: Job, create: bool = False) -> Any:
    """Return the study, with a sampler that draws what every tool was given."""
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.WARNING)

    class Given(optuna.samplers.RandomSampler):
        """RandomSampler, with the job's draws in place of its own."""

        def sample_independent(self, study: Any, trial: Any, name: str, space: Any) -> Any:
            del study, space
            return _value(job.configurations[trial.number], name)

    storage = JournalStorage(JournalFileBackend(str(job.folder / "journal.log")))
    if create:
        return optuna.create_study(study_name="job", storage=storage, sampler=Given())
    return optuna.load_study(study_name="job", storage=storage, sampler=Given())


def _value(configuration: dict[str, Any], name: str) -> Any:
    if name == "layers":
        return len(configuration["hidden"])
    if name == "units":
        return configuration["hidden"][0]
    return configuration[name]


def _work(job: Job, counter: Any, results: Any) -> None:
    from torch_network import Rows, prepare, train

    prepare()
    study, rows = _storage(job), Rows(job)
    while True:
        with counter.get_lock():
            if counter.value >= len(job.configurations):
                return
            counter.value += 1
        trial = study.ask()
        for name in NAMES:
            trial.suggest_float(name, 0.0, 10.0)
        trial.suggest_int("layers", 1, 64)
        trial.suggest_int("units", 1, 65_536)
        score = train(rows, job, trial.number)
        study.tell(trial, score)
        results.put((trial.number, score, time.time()))


if __name__ == "__main__":
    serve(search, ("optuna", "torch", "numpy"))
