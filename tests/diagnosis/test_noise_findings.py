"""DW415 and the reading of a cost curve: where they speak, where they are silent (G6)."""

from __future__ import annotations

import numpy as np
import pytest

from deepwell.diagnosis._curve_findings import diagnose_curves
from deepwell.diagnosis._curve_reading import read_curve
from deepwell.diagnosis._curves import Curves
from deepwell.diagnosis._noise_findings import (
    larger_batch,
    noise_finding,
    searched_batches,
    sign_of_noise,
)
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
    assert sign_of_noise(smooth, CONSTANT, 16, normed=True) == ""
    assert sign_of_noise(smooth, CONSTANT, 2, normed=False) == ""
    found = noise_finding("error", "", None, 0, 0.01)
    assert (found.code, found.level, found.claim) == ("DW415", "ok", "train cost not rough")


@pytest.mark.proves("G6", "formula")
def test_a_rough_curve_is_tried_with_larger_batches() -> None:
    rough = curves(noise=0.8)
    sign = sign_of_noise(rough, CONSTANT, 16, normed=False)
    assert sign == "train cost rough"
    assert larger_batch(16, 1000, normed=False) == 64
    assert larger_batch(64, 1000, normed=False) == 0  # 256 of 1,000 rows would be batch descent
    helped = noise_finding("error", sign, HELPED, 64, 0.01)
    assert (helped.level, helped.claim) == ("problem", "too noisy for the batch size")
    assert helped.evidence["values"] == {"batch_size": 64}
    assert {"measured", "threshold", "threshold_source", "p_value"} <= set(helped.evidence)
    assert noise_finding("error", sign, NOTHING, 64, 0.01).level == "ok"
    assert noise_finding("error", sign, HELPED, 64, 0.5).level == "ok"  # not by what matters
    assert noise_finding("error", sign, None, 64, 0.01).level == "unsure"
    assert noise_finding("error", sign, None, 0, 0.01).level == "ok"
    assert noise_finding("error", sign, None, None, 0.01).level == "unsure"


def test_batch_norm_on_few_rows_is_a_sign_by_itself() -> None:
    assert sign_of_noise(curves(), CONSTANT, 4, normed=True) == "batch norm on 4 rows"
    assert larger_batch(2, 1000, normed=True) == larger_batch(8, 1000, normed=True) == 32
    assert larger_batch(16, 1000, normed=True) == 64
    assert larger_batch(2, 100, normed=True) == 0
    told = noise_finding("error", "batch norm on 4 rows", NOTHING, 32, 0.01)
    assert told.claim == "batch norm on 4 rows, but larger ones do no better"


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
        ({"DW416": "problem", "DW412": "ok"}, "a setting out of its usual range holds it back"),
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


@pytest.mark.parametrize(
    ("others", "reading"),
    [
        ([], "the cost left all bounds"),
        ([("DW405", "")], "the cost left all bounds: the learning rate is far too high (DW405)"),
        (
            [("DW416", ""), ("DW408", "learning rates below 0.05")],
            "the cost left all bounds: a setting out of its usual range holds it back (DW416)",
        ),
        (
            [("DW408", "learning rates below 0.3")],
            "the cost left all bounds: the learning rate may be far too high (DW408)",
        ),
        ([("DW408", "another start or normalization")], "the cost left all bounds"),
    ],
)
def test_a_cost_that_is_not_finite_has_the_cause_that_was_found(others, reading) -> None:
    cost = np.full(EPOCHS, 2.0)
    cost[-1] = np.nan
    found = [Finding(code, "problem", "", "", {"change": change}) for code, change in others]
    assert read_curve([*found, *diagnose_curves(curves(cost=cost))]) == reading
    assert read_curve([]) == ""
