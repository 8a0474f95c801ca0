"""The network of an examination in fewer epochs than it had: its schedule goes as far in these."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from deepwell.diagnosis._curves import Curves
from deepwell.optimization import learning_rates
from deepwell.records import TrialSpec
from deepwell.study._subject import Subject

STEPS = 10  # of an epoch


def subject(values: dict[str, Any], trained: int = 80, folds: int = 0) -> Subject:
    """Return a network of 80 epochs at most."""
    curve = np.zeros(trained)
    spec = TrialSpec({**values, "epochs": 80}, 3, fold=min(folds, 1), folds=folds)
    others = (None,) * folds
    ways: Any = [SimpleNamespace(rows=SimpleNamespace(others=others))]
    nothing: Any = None
    return Subject(
        spec=spec,
        state={},
        data=nothing,
        ways=ways,
        metric="error",
        scale=1.0,
        score=0.1,
        curves=Curves(curve, curve, curve, 1, "error", 0.5, 100),
        constant_cost=1.0,
        allowance=0.0,
    )


def rates(spec: TrialSpec, epochs: int) -> np.ndarray:
    return learning_rates(STEPS, **spec.hyperparameters)[: STEPS * epochs]


@pytest.mark.parametrize("warmup", [0.0, 8.0])
@pytest.mark.parametrize("trained", [80, 40], ids=["all", "stopped early"])
@pytest.mark.parametrize(
    "schedule",
    [
        {"decay": "constant"},
        {"decay": "inverse_time", "decay_rate": 0.3},
        {"decay": "exponential", "decay_factor": 0.9},
        {"decay": "inverse_sqrt_epoch", "decay_scale": 2.0},
        {"decay": "inverse_sqrt_step", "decay_scale": 2.0},
        *({"decay": "staircase", "decay_every": every} for every in (1, 4, 7, 20)),
    ],
    ids=lambda schedule: "-".join(map(str, schedule.values())),
)
def test_a_schedule_is_where_it_was_at_the_end(schedule, trained, warmup) -> None:
    network = subject({**schedule, "warmup_epochs": warmup}, trained)
    whole, fewer = network.changed({}, 0), network.changed({}, 0, trained // 4)
    assert fewer["warmup_epochs"] == warmup / 4
    assert rates(fewer, trained // 4)[-1] == pytest.approx(rates(whole, trained)[-1], rel=1e-9)


@pytest.mark.parametrize("decay", ["cosine", "one_cycle"])
@pytest.mark.parametrize("trained", [80, 40], ids=["all", "stopped early"])
def test_a_rate_that_anneals_does_so_in_fewer_epochs(decay, trained) -> None:
    network = subject({"decay": decay}, trained)
    whole, fewer = network.changed({}, 0), network.changed({}, 0, trained // 4)
    # At every step it is where it was in the first of four.
    np.testing.assert_allclose(rates(fewer, trained // 4), rates(whole, trained)[::4], rtol=1e-9)


def test_changes_by_hand_come_as_far_on_the_way() -> None:
    network = subject({"change": "20: learning_rate=0.0001; 60: dropout=0.1"})
    assert network.changed({}, 0, 20)["change"] == "5: learning_rate=0.0001; 15: dropout=0.1"


def test_in_as_many_epochs_or_more_nothing_is_told_otherwise() -> None:
    network = subject({"decay": "cosine", "warmup_epochs": 4.0})
    whole = network.changed({"l2": 0.1}, 2)
    assert [network.changed({"l2": 0.1}, 2, epochs) for epochs in (80, 200)] == [whole, whole]
    assert (whole["epochs"], whole["l2"], whole.seed) == (80, 0.1, 5)


def test_a_fold_stays_the_fold_it_is() -> None:
    fewer = subject({"decay": "cosine"}, folds=3).changed({}, 0, 20)
    assert (fewer["epochs"], fewer.fold, fewer.folds) == (20, 1, 3)


def test_a_decay_to_next_to_nothing_stays_a_decay() -> None:
    network = subject({"decay": "exponential", "decay_factor": 1e-30})
    assert network.changed({}, 0, 3).number("decay_factor") == 1e-300
