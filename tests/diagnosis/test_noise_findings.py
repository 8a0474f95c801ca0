"""DW415 and the reading of a cost curve: where they speak, where they are silent (G6)."""

from __future__ import annotations

import numpy as np
import pytest

from deepwell.diagnosis._curve_findings import Curves, diagnose_curves
from deepwell.diagnosis._curve_reading import read_curve
from deepwell.diagnosis._noise_findings import larger_batch, noise_finding, searched_batches
from deepwell.diagnosis._paired_runs import effect
from deepwell.records import Finding, Status, Trial, TrialSpec

EPOCHS, CONSTANT = 40, 2.3
HELPED = effect([0.3, 0.31, 0.32, 0.3, 0.33, 0.3, 0.31, 0.3], [0.2] * 8, 0.9)
NOTHING = effect([0.3] * 8, [0.3] * 8, 0.9)


def curves(noise: float = 0.0, cost=None) -> Curves:
    random = np.random.default_rng(0)
    falling = 0.2 + np.exp(-np.arange(EPOCHS) / 5)
    train = (falling if cost is None else cost) * np.exp(noise * random.normal(size=EPOCHS))
    score = 0.05 + 0.3 * np.exp(-np.arange(EPOCHS) / 5) + 0.001 * random.normal(size=EPOCHS)
    best = int(score.argmin()) + 1
    return Curves(train, train, score, best, "error", 0.9, 500)


@pytest.mark.proves("G6", "formula")
def test_a_smooth_curve_asks_for_nothing() -> None:
    smooth = curves()
    assert larger_batch(smooth, CONSTANT, 16, 1000) == 0
    found = noise_finding(smooth, CONSTANT, None, 0, 0.01)
    assert (found.code, found.level, found.claim) == ("DW415", "ok", "train cost not rough")


@pytest.mark.proves("G6", "formula")
def test_a_rough_curve_is_tried_with_larger_batches() -> None:
    rough = curves(noise=0.8)
    assert larger_batch(rough, CONSTANT, 16, 1000) == 64
    assert larger_batch(rough, CONSTANT, 64, 1000) == 0  # 256 of 1,000 rows would be batch descent
    helped = noise_finding(rough, CONSTANT, HELPED, 64, 0.01)
    assert (helped.level, helped.claim) == ("problem", "too noisy for the batch size")
    assert helped.evidence["values"] == {"batch_size": 64}
    assert {"measured", "threshold", "threshold_source", "p_value"} <= set(helped.evidence)
    assert noise_finding(rough, CONSTANT, NOTHING, 64, 0.01).level == "ok"
    assert noise_finding(rough, CONSTANT, HELPED, 64, 0.5).level == "ok"  # not by what matters
    assert noise_finding(rough, CONSTANT, None, 64, 0.01).level == "unsure"
    assert noise_finding(rough, CONSTANT, None, 0, 0.01).level == "ok"
    assert noise_finding(rough, CONSTANT, None, None, 0.01).level == "unsure"


def test_a_search_that_tried_larger_batches_has_answered() -> None:
    def trial(number: int, batch: int) -> Trial:
        return Trial(number, TrialSpec({"batch_size": batch}, seed=0), status=Status.FINISHED)

    best = trial(0, 16)
    assert searched_batches([best, *(trial(n, 64) for n in range(1, 5))], best)
    assert not searched_batches([best, *(trial(n, 16) for n in range(1, 9))], best)


def findings(**levels: str) -> list[Finding]:
    codes = {f"DW{n}": "ok" for n in (405, 406, 410, 412, 413, 414, 415)} | levels
    evidence = {"best_epoch": 33, "epochs": 40}
    return [Finding(code, level, "claim", "detail", evidence) for code, level in codes.items()]


@pytest.mark.proves("G6", "formula")
@pytest.mark.parametrize(
    ("levels", "reading"),
    [
        ({}, "good: it falls, and has levelled off (best at epoch 33 of 40)"),
        ({"DW405": "problem"}, "the learning rate is too high (DW405)"),
        ({"DW406": "problem", "DW412": "problem"}, "the learning rate is too low (DW406)"),
        ({"DW410": "problem"}, "a plateau: the cost stands still high up (DW410)"),
        ({"DW412": "problem"}, "still falling at the end (DW412)"),
        ({"DW413": "problem"}, "past its best from the start (DW413)"),
        ({"DW415": "problem"}, "too noisy for the batch size (DW415)"),
        ({"DW405": "unsure"}, "good as far as is known: it falls, and has levelled off"),
        ({"DW412": "unsure"}, "too short to read (detail)"),
    ],
)
def test_readings(levels: dict[str, str], reading: str) -> None:
    assert read_curve(findings(**levels)).startswith(reading)


def test_a_cost_that_is_not_finite_is_a_rate_far_too_high() -> None:
    cost = np.full(EPOCHS, 2.0)
    cost[-1] = np.nan
    assert "far too high" in read_curve(diagnose_curves(curves(cost=cost)))
    assert read_curve([]) == ""
