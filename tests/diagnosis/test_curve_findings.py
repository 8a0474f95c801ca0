from dataclasses import replace

import numpy as np
import pytest

from deepwell._base._hyperparameters import complete
from deepwell.diagnosis._changes import against_overfitting
from deepwell.diagnosis._codes import CODES
from deepwell.diagnosis._curve_findings import diagnose_curves, epochs_to_try, overfits
from deepwell.diagnosis._curves import Curves, matters, shows_learning, worth
from deepwell.diagnosis._paired_runs import Tried, effect
from deepwell.records import Finding


def _curves(score: np.ndarray, train: np.ndarray | None = None, **others: object) -> Curves:
    train = np.linspace(1.0, 0.1, len(score)) if train is None else train
    given = {
        "dev_cost": 2 * score,
        "best_epoch": int(score.argmin()) + 1,
        "metric": "error",
        "constant": 0.9,
        "dev_rows": 1_000,
        **others,
    }
    return Curves(train_cost=train, dev_score=score, **given)  # type: ignore[arg-type]


def _told(curves: Curves) -> dict[str, Finding]:
    return {finding.code: finding for finding in diagnose_curves(curves)}


def _noise(n: int, size: float = 0.004, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(scale=size, size=n)


def _levels(curves: Curves) -> list[str]:
    return [finding.level for finding in diagnose_curves(curves)]


FALLING = 0.5 - 0.4 * np.linspace(0, 1, 60) + _noise(60)
SETTLED = 0.05 + 0.5 * np.exp(-np.arange(60) / 4) + _noise(60)
RISING = np.concatenate([np.linspace(0.5, 0.1, 12), np.linspace(0.1, 0.2, 48)]) + _noise(60)
SPOILT = np.concatenate([[0.4, 0.2, 0.1], np.linspace(0.1, 0.3, 57)]) + _noise(60)


def test_a_score_that_still_falls_asks_for_more_epochs() -> None:
    found = _told(_curves(FALLING, others=(0.9, 0.8, 0.2)))
    late = found["DW412"]
    assert late.level == "problem"
    assert late.evidence["values"] == {"epochs": 240}
    # The last quarter of a line from 0.5 to 0.1 falls by about a quarter of 0.4.
    assert late.evidence["measured"] == pytest.approx(0.1, abs=0.01)
    assert late.evidence["threshold"] == 0.01
    assert late.evidence["p_value"] < 1e-3  # type: ignore[operator]
    assert (late.evidence["others"], late.evidence["others_late"]) == (3, 2)
    assert "2 of the 3 next best" in late.detail
    assert {found[c].level for c in ("DW413", "DW414")} == {"ok"}


def test_a_settled_score_is_fine_wherever_its_best_epoch_lies() -> None:
    assert _levels(_curves(SETTLED)) == ["ok"] * 3
    assert _levels(_curves(SETTLED, best_epoch=58)) == ["ok"] * 3
    assert _levels(_curves(SETTLED, best_epoch=5)) == ["ok"] * 3


@pytest.mark.parametrize("seed", range(60))
def test_flat_noise_is_no_finding(seed: int) -> None:
    flat = 0.2 + _noise(40, 0.02, seed)
    assert _levels(_curves(flat, train=0.5 + _noise(40, 0.02, seed + 100))) == ["ok"] * 3


def test_a_real_fall_that_does_not_matter_is_none() -> None:
    tiny = 0.05 - 0.008 * np.linspace(0, 1, 60) + _noise(60, 1e-5)
    assert _told(_curves(tiny))["DW412"].level == "ok"


def test_a_decay_to_zero_makes_the_last_epochs_best() -> None:
    found = _told(_curves(FALLING, anneals=True))["DW412"]
    assert found.level == "ok"
    assert "falls to 0" in found.detail


def test_a_dev_cost_that_rises_with_the_score() -> None:
    found = _told(_curves(RISING))
    assert found["DW414"].level == "problem"
    assert "weights of epoch" in found["DW414"].detail
    assert found["DW413"].level == "ok"
    assert found["DW412"].level == "ok"


def test_what_the_train_cost_does_meanwhile_is_told_as_it_is() -> None:
    flat = 0.1 + _noise(60, 0.01, 3)
    for train, words in ((None, "train cost fell;"), (flat, "train cost did not rise;")):
        found = _told(_curves(RISING, train=train))["DW414"]
        assert (found.level, words in found.detail) == ("problem", True)


def test_more_l2_is_more_than_the_network_has() -> None:
    told = [_told(_curves(RISING, l2=l2))["DW414"].evidence["values"] for l2 in (0.0, 0.05)]
    assert told == [{"l2": 0.001}, {"l2": 0.5}]


def test_a_best_step_in_the_first_tenth_is_told_once() -> None:
    """As overfitting, which more regularizing may mend: the best epoch is what is kept anyway."""
    found = _told(_curves(SPOILT))
    assert found["DW414"].level == "problem"
    assert found["DW414"].evidence["values"] == {"l2": 0.001}
    assert (found["DW413"].level, found["DW413"].detail) == ("ok", "told as DW414")
    assert found["DW413"].evidence["consequence_of"] == "DW414"
    alone = _told(_curves(SPOILT, dev_cost=SETTLED))["DW413"]
    assert (alone.level, alone.evidence["values"]) == ("problem", {"l2": 0.001})


AGAINST = (("l2 0.001", {"l2": 0.001}), ("dropout 0.3", {"dropout": 0.3}))
HELPED = effect([0.3] * 8, [0.2, 0.21, 0.2, 0.22, 0.2, 0.2, 0.2, 0.2], 0.9)
LITTLE = effect([0.3] * 8, [0.29, 0.31, 0.3, 0.3, 0.3, 0.29, 0.3, 0.3], 0.9)
WORSE = effect([0.3] * 8, [0.4] * 8, 0.9)


@pytest.mark.parametrize(
    ("effects", "values", "words"),
    [
        ((WORSE, HELPED), {"dropout": 0.3}, "with dropout 0.3 20.4 % in place of 30.0 %, 8 pairs"),
        ((LITTLE, WORSE), {"l2": 0.001}, ", too little to be sure of"),
        ((WORSE, WORSE), None, "none of 2 changes that regularize does better"),
    ],
)
def test_against_overfitting_is_told_what_was_measured_to_help(effects, values, words) -> None:
    told = diagnose_curves(_curves(RISING), None, Tried(AGAINST, effects))[2]
    assert (told.code, told.level) == ("DW414", "problem")
    assert told.evidence.get("values") == values
    assert words in told.detail
    assert "change_effect" in told.evidence


def test_only_what_overfits_is_regularized() -> None:
    assert overfits(_curves(RISING))
    assert overfits(_curves(SPOILT))
    assert not any(overfits(_curves(c)) for c in (FALLING, SETTLED, FALLING[:8]))
    assert not overfits(_curves(RISING, stopped_early=True))


def test_what_is_tried_against_overfitting() -> None:
    few = [values for _, values in against_overfitting(complete({"learning_rate": 0.003}))]
    assert few == [
        {"l2": 0.001},
        {"l2": 0.01},
        {"dropout": 0.3},
        {"dropout": 0.3, "l2": 0.001},
        {"learning_rate": 0.001},
    ]
    given = {"dropout": (0.1, 0.3), "hidden_layers": 2, "l2": 0.001, "learning_rate": 0.003}
    words = [words for words, _ in against_overfitting(complete(given))]
    assert words[:3] == ["l2 0.01", "l2 0.1", "dropout 0.4,0.5"]
    for linear in ({"hidden_layers": 0}, {"dropout": 0.5}):
        assert len(against_overfitting(complete(linear))) == 3


@pytest.mark.parametrize("curve", [RISING, SPOILT])
def test_what_patience_has_stopped_is_no_problem(curve: np.ndarray) -> None:
    assert _levels(_curves(curve, stopped_early=True)) == ["ok"] * 3


def test_a_rise_that_other_dev_rows_need_not_show_is_none() -> None:
    """Of 8 rows an error of 10 % has a standard error of 11 %; the rise is 10 points."""
    assert _levels(_curves(RISING, dev_rows=8)) == ["ok"] * 3


def test_a_network_that_never_learnt_has_nothing_to_lose() -> None:
    """On noise: half a guess's luck at the start, gone later."""
    drifting = np.concatenate([[0.42], 0.44 + 0.08 * np.linspace(0, 1, 59)]) + _noise(60)
    assert _levels(_curves(drifting, constant=0.5, dev_rows=120)) == ["ok"] * 3
    told = _told(_curves(drifting, constant=0.9, dev_rows=1_000))
    assert "problem" in {told["DW413"].level, told["DW414"].level}


def test_a_cost_that_rises_while_the_score_holds_is_overconfidence() -> None:
    curves = replace(_curves(SETTLED), dev_cost=RISING)
    found = _told(curves)["DW414"]
    assert found.level == "ok"
    assert "surer of its mistakes" in found.detail


def test_a_dev_cost_that_rises_with_the_train_cost_is_another_matter() -> None:
    found = _told(_curves(RISING, train=RISING))["DW414"]
    assert found.level == "ok"


def test_early_stopping_that_came_too_soon_for_a_curve_that_falls() -> None:
    found = _told(_curves(FALLING, stopped_early=True))["DW412"]
    assert found.level == "problem"
    assert found.evidence["values"] == {"epochs": 240, "patience": 0}


@pytest.mark.parametrize("epochs", [15, 23])
def test_early_stopping_too_soon_for_a_trend_is_not_called_long_enough(epochs: int) -> None:
    """Patience of 1 ends a curve that falls: of its last quarter nothing can be told."""
    score = np.linspace(0.5, 0.1, epochs)
    stopped = _curves(score, stopped_early=True, best_epoch=epochs - 1)
    found = _told(stopped)["DW412"]
    assert (found.level, "p_value" in found.evidence) == ("unsure", False)
    assert found.evidence["values"] == {"epochs": 4 * epochs, "patience": 0}
    assert epochs_to_try(stopped) == (4 * epochs,)
    waited = replace(stopped, best_epoch=5)  # ten epochs of patience: it was long enough
    found = _told(waited)["DW412"]
    assert (found.level, "p_value" in found.evidence, epochs_to_try(waited)) == ("ok", False, ())


def test_a_training_stopped_after_few_epochs_is_advised_to_go_on() -> None:
    """12 epochs with the same patience would stop where it stopped."""
    score = np.linspace(0.5, 0.1, 7)
    found = _told(_curves(score, stopped_early=True, best_epoch=6))["DW412"]
    assert found.evidence["values"] == {"epochs": 28, "patience": 0}


@pytest.mark.parametrize("epochs", [0, 1, 5, 11])
def test_a_short_curve_tells_nothing(epochs: int) -> None:
    score = np.linspace(0.5, 0.1, epochs) if epochs else np.zeros(0)
    curves = Curves(score, score, score, epochs, "error", 0.9, 100)
    assert _levels(curves) == ["unsure"] * 3


def test_a_curve_with_a_hole_tells_nothing() -> None:
    score = FALLING.copy()
    score[-1] = np.nan
    found = _told(_curves(score, best_epoch=59))
    assert {f.level for f in found.values()} == {"unsure"}
    assert "values" not in found["DW412"].evidence  # 60 epochs are not too few
    assert _levels(_curves(FALLING, diverged=True)) == ["unsure"] * 3


def test_what_matters_has_the_unit_of_the_metric() -> None:
    assert worth("error", 0.9) == worth("auc", 0.5) == 0.01
    assert worth("rmse", 50.0) == 0.5
    assert worth("log_loss", 2.3) == pytest.approx(0.023)


def test_what_matters_is_what_other_dev_rows_would_not_change() -> None:
    """Of 12 rows of a rare class one is 4 points of balanced error: 2 points are its luck."""
    alike = _curves(RISING, dev_rows=600)
    few = replace(alike, metric="balanced_error", standard_error=0.066)
    assert matters(alike) == pytest.approx(np.sqrt(RISING.min() * (1 - RISING.min()) / 600))
    assert matters(few) == 0.066
    assert _told(few)["DW414"].evidence["threshold"] == 0.066
    assert shows_learning(few, 0.36, 0.5)
    assert not shows_learning(few, 0.38, 0.5)


def test_a_score_far_above_the_constant_guess_does_not_hide_what_learns() -> None:
    """A regression that nearly diverged: its error on the rows is a thousand times the guess's."""
    broke = _curves(1e6 + FALLING, metric="rmse", constant=50.0, dev_rows=200)
    assert matters(broke) == pytest.approx(50 / 20, rel=1e-3)
    assert matters(replace(broke, standard_error=2e5)) == pytest.approx(10.0, rel=1e-3)
    assert shows_learning(broke, 40.0, 50.0)


def test_the_codes_are_declared() -> None:
    assert set(_told(_curves(SETTLED))) < set(CODES)
