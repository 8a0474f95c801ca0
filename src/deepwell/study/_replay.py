"""A network trained again from what the store says of it, and held against what is kept.

A trial's specification says all that its curve depends on, changes by hand and forks included. So
a network that is trained again from its start, alone, must come out as it did, to the bit: every
recorded figure of every epoch, the saved model where it is the chosen network, each snapshot, and
the state in the checkpoint of a study that has not ended.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text
from deepwell.data._data import Data
from deepwell.data._folds import make_folds
from deepwell.execution._backends import choose_backend
from deepwell.execution._local import LocalEngine
from deepwell.records import ChunkRecord, Trial
from deepwell.storage._open import open_store
from deepwell.storage._study_record import StudyRecord

from ._arrays import engine_of
from ._asked import Asked, from_config
from ._checkpoint import read_states
from ._cross_validate import normalized
from ._history import History
from ._made_with import differences, machines, made_with
from ._model import load_model
from ._probing import prepare_again
from ._same_data import same_data
from ._settings import optimizers_of
from ._snapshots import read_snapshot, snapshots_of

if TYPE_CHECKING:
    from deepwell.storage._store import Store  # loads SQLAlchemy
    from deepwell.training._program import State


@dataclass(frozen=True)
class Compared:
    """One thing that was kept, beside the same thing made again.

    Attributes:
        what: in words, as in `snapshot after epoch 12`.
        parts: arrays or metrics that were compared.
        differ: names of those that differ in any bit, with where they begin to, where that is told.
    """

    what: str
    parts: int
    differ: tuple[str, ...]


@dataclass(frozen=True)
class Replay:
    """A network trained again.

    Attributes:
        study: its name.
        trial: number of the network.
        epochs: that it was trained for.
        compared: what was kept of it, and whether it is the same.
        machine: in words what is another one than when it was trained; empty where nothing is, or
            where an older Deepwell did not record it.
    """

    study: str
    trial: int
    epochs: int
    compared: tuple[Compared, ...]
    machine: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether all that was compared is the same to the bit."""
        return not any(one.differ for one in self.compared)


def replay(
    name: str,
    trial: int | None = None,
    *,
    store: str | Path | None = None,
    data: Data | None = None,
) -> Replay:
    """Train a network again from its configuration alone, and compare it with what is kept of it.

    >>> import deepwell as dw                        # doctest: +SKIP
    >>> dw.replay("churn", 17).same                  # doctest: +SKIP
    True

    Args:
        name: of the study, which may have ended or not.
        trial: number of the network; None takes the best one.
        store: folder or URL; None means `./deepwell`.
        data: what `load` returned, where the study's rows came from memory.

    Raises:
        UsageError: when there is no such study or network, it has no epoch, or the rows are not to
            be had.
    """
    with open_store(store, create=False) as opened:
        record = opened.study(name)
        history, asked = History(opened, record), from_config(record)
        one = _chosen(history, trial)
        rows = same_data(opened, record, data, 'replay("{}", data=load(...))')
        folds = make_folds(rows, asked.settings.folds) if asked.settings.folds else None
        whole = rows if folds is None else folds.whole
        backend = choose_backend(asked.program, optimizers_of(asked.settings.space))
        engine = engine_of(whole, folds, asked.settings.metric, backend, asked.memory)
        with contextlib.closing(engine):
            compared = tuple(_compared(_Kept(opened, record, history, asked, whole), engine, one))
        then = machines(history)
        now = made_with(asked.program)
        machine = () if now in then or not then else tuple(differences(then[-1], now))
        return Replay(record.name, one.number, one.epochs, compared, machine)


@dataclass(frozen=True)
class _Kept:
    """Where what is kept of a study is found."""

    store: Store
    record: StudyRecord
    history: History
    asked: Asked
    data: Data

    def states(self, number: int) -> dict[tuple[int, str], State]:
        """Return the states of a network that are kept, by epoch and what they are called."""
        found: dict[tuple[int, str], State] = {}
        for epoch in snapshots_of(self.store, self.record, number):
            state = read_snapshot(self.store, self.record, number, epoch)
            if state is not None:
                found[epoch, f"snapshot after epoch {epoch}"] = state
        state = read_states(self.store, self.record).get(number)
        if state is not None:
            epoch = int(state["epoch"])
            found[epoch, f"checkpoint after epoch {epoch}"] = state
        return dict(sorted(found.items()))


def _chosen(history: History, number: int | None) -> Trial:
    trials = {trial.number: trial for trial in history.trials()}
    name = safe_text(history.record.name)
    best = history.best()
    if number is None and best is not None:
        number = best.number
    if number is None:
        raise UsageError(f"study {name} has no network with a score yet; name one by its number")
    if number not in trials:
        raise UsageError(
            f"study {name} has no network {number}; they are numbered 0 to {max(trials)}"
        )
    if not trials[number].epochs:
        raise UsageError(
            f"network {number} of study {name} has not ended an epoch, so nothing of it is kept"
        )
    return trials[number]


def _compared(kept: _Kept, engine: LocalEngine, one: Trial) -> Iterator[Compared]:
    prepare_again(engine, kept.history, one)
    chunks: list[ChunkRecord] = []
    found: list[Compared] = []
    for (epoch, what), state in kept.states(one.number).items():
        if epoch <= one.epochs:
            chunks += engine.train([one.number], epoch, _never)
            made = engine.states([one.number])[one.number]
            if int(made["step"]) == int(state["step"]):
                found.append(Compared(what, len(state), _differing(state, made)))
    chunks += engine.train([one.number], one.epochs, _never)
    yield _curves(kept, one, chunks)
    yield from found
    yield from _model(kept, engine, one)


def _curves(kept: _Kept, one: Trial, chunks: list[ChunkRecord]) -> Compared:
    """Compare what was recorded of each epoch."""
    [recorded] = kept.store.curves_of(kept.record.id, [one])
    differ: list[str] = []
    for metric, curve in recorded.items():
        again = np.array([chunk.metrics[metric][0] for chunk in chunks], np.float32)[: one.epochs]
        places = [i for i in range(len(curve)) if curve[i : i + 1].tobytes() != _bytes(again, i)]
        if places:
            differ.append(f"{metric} from epoch {places[0] + 1} on")
    return Compared(f"curves of {one.epochs} epochs", len(recorded), tuple(differ))


def _bytes(values: np.ndarray, place: int) -> bytes:
    return values[place : place + 1].tobytes()


def _model(kept: _Kept, engine: LocalEngine, one: Trial) -> Iterator[Compared]:
    """Compare the weights of the saved model, where this is the network that was chosen."""
    plain: Any = kept.store.result(kept.record.id)
    if plain is None or plain["best_trial"] != one.number or kept.asked.settings.folds:
        return
    spec = one.spec.during(one.best_epoch)
    made = normalized(engine.best_parameters(one.number), spec, kept.data)
    saved = load_model(kept.store.folder / kept.record.name).parameters
    yield Compared("saved model", len(saved), _differing(saved, made))


def _differing(kept: Mapping[str, Any], made: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of arrays that are not the same in both, to the bit."""
    names = dict.fromkeys((*kept, *made))
    return tuple(n for n in names if n not in kept or n not in made or not _same(kept[n], made[n]))


def _same(one: Any, other: Any) -> bool:
    one, other = np.asarray(one), np.asarray(other)
    return (one.dtype, one.shape) == (other.dtype, other.shape) and one.tobytes() == other.tobytes()


def _never() -> bool:
    return False
