"""Optuna with PyTorch against the clock: one process a core, one thread each, journal storage.

`tpe-hyperband`: TPE as it comes with Optuna 5 (multivariate, constant liar) and Hyperband with
rungs at 3 and 9 of 30 epochs; none at 27, where it would stop two of three networks that have all
but finished. `random-median`: random draws, stopped below the median at every fifth epoch. The
dev rows are scored only where a pruner looks.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Sequence
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

from target_job import Work, serve

_FACTOR = 3
_LOOKS = {"tpe-hyperband": (3, 9), "random-median": (5, 10, 15, 20, 25)}
_SHARES = 30  # the epochs that the looks above are of


def search(work: Work) -> None:
    """Search with both processes until time is over."""
    _study(work, worker=None)
    _in_processes(_search, work)


def given(work: Work) -> Sequence[float]:
    """Train the listed networks as queued trials, none of them stopped early."""
    study = _study(work, worker=None)
    for configuration in work.job.configurations:
        study.enqueue_trial(work.drawn(configuration))
    _in_processes(_train_queue, work)
    queued = study.get_trials(deepcopy=False)[: len(work.job.configurations)]
    return [trial.value for trial in queued]


def _in_processes(target: Any, work: Work) -> None:
    context = multiprocessing.get_context("fork")  # starts faster than spawn: nothing is imported
    workers = [context.Process(target=target, args=(work, n)) for n in range(work.job.workers)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def _search(work: Work, worker: int) -> None:
    objective = _objective(work, _looks(work))
    _study(work, worker).optimize(objective, timeout=work.seconds)


def _train_queue(work: Work, worker: int) -> None:
    from optuna.trial import TrialState

    study, objective = _study(work, worker), _objective(work, ())
    while study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
        trial = study.ask()
        if trial.number >= len(work.job.configurations):
            return  # the other process took the last one
        study.tell(trial, objective(trial))


def _looks(work: Work) -> tuple[int, ...]:
    """Return the epochs at which the pruner looks."""
    found = (round(look * work.job.epochs / _SHARES) for look in _LOOKS[_variant()])
    return tuple(look for look in found if 0 < look < work.job.epochs)


def _study(work: Work, worker: int | None) -> Any:
    """Return the study; made when no worker asks for it."""
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = JournalStorage(JournalFileBackend(str(work.job.folder / "journal.log")))
    name = f"search-{work.job.seed}"  # Hyperband's brackets are drawn by it
    if worker is None:
        return optuna.create_study(study_name=name, storage=storage)
    seed, looks = 1_000 * work.job.seed + worker, _looks(work)
    if _variant() == "tpe-hyperband":
        sampler: Any = optuna.samplers.TPESampler(seed=seed)
        pruner: Any = optuna.pruners.HyperbandPruner(looks[0], work.job.epochs, _FACTOR)
    else:
        sampler = optuna.samplers.RandomSampler(seed=seed)
        pruner = optuna.pruners.MedianPruner()
    return optuna.load_study(study_name=name, storage=storage, sampler=sampler, pruner=pruner)


def _objective(work: Work, looks: Sequence[int]) -> Any:
    """Return what trains the network of a trial; everything is loaded by now."""
    import optuna
    from torch_network import Rows, course, prepare

    prepare()
    rows, job = Rows(work.job), work.job

    def objective(trial: Any) -> float:
        configuration = work.configuration(_drawn(work, trial))
        error, seed = 1.0, 1_000_003 * job.seed + trial.number
        for epoch, score in enumerate(course(rows, job, configuration, seed), start=1):
            if epoch == job.epochs:
                error = score()
            elif epoch in looks:
                trial.report(score(), epoch)
                if trial.should_prune():
                    raise optuna.TrialPruned
        work.finished(error)
        return error

    work.ready()
    return objective


def _drawn(work: Work, trial: Any) -> dict[str, Any]:
    """Return what the sampler draws."""
    found: dict[str, Any] = {}
    for one in work.space:
        name, (low, high) = one.drawn_as, one.ends
        if one.kind == "integer":
            found[name] = trial.suggest_int(name, int(low), int(high))
        else:
            found[name] = trial.suggest_float(name, low, high, log=one.kind != "uniform")
    return found


def _variant() -> str:
    return sys.argv[2]


if __name__ == "__main__":
    serve(search, given, ("optuna", "torch", "numpy"))
