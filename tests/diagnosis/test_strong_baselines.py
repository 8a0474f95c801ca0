"""Strong models beside the network: they show bias where there is some, and claim nothing else."""

from dataclasses import replace

import numpy as np
import pytest

from deepwell.diagnosis._metrics import METRICS
from deepwell.diagnosis._strong_baselines import Labeled, compare_with_rival, strongest_rival


def rows(rng, n, classes):
    x = rng.normal(size=(n, 4)).astype(np.float32)
    curve = x[:, 0] ** 2 + x[:, 1]
    y = (curve > 1).astype(int) if classes else curve + 0.1 * rng.normal(size=n)
    return x, y


@pytest.mark.parametrize(("name", "classes"), [("error", 2), ("log_loss", 2), ("rmse", 0)])
def test_a_network_that_missed_the_curve_is_clearly_worse(name, classes) -> None:
    rng = np.random.default_rng(0)
    parts = []
    for n in (600, 300):
        x, y = rows(rng, n, classes)
        said = np.tile([0.7, 0.3], (n, 1)) if classes else np.zeros(n)
        parts.append(Labeled(x, y, None, said))
    rival = strongest_rival(METRICS[name], *parts, classes)
    assert rival.train_gap.low > 0
    assert rival.dev_gap.low > 0
    by = rival.dev_gap.low
    levels = [compare_with_rival(name, rival, size)[0].level for size in (0.9 * by, 1.1 * by)]
    assert levels == ["problem", "unsure"]


def test_a_network_that_knows_the_rule_is_not_said_to_be_worse() -> None:
    rng = np.random.default_rng(1)
    parts = []
    for n in (600, 300):
        x, y = rows(rng, n, 2)
        parts.append(Labeled(x, y, None, np.eye(2)[y] * 0.98 + 0.01))
    rival = strongest_rival(METRICS["error"], *parts, 2)
    assert rival.train_gap.high < 0
    [told] = compare_with_rival("error", rival, 0.01)
    assert (told.code, told.level) == ("DW109", "ok")


def test_out_of_fold_scores_do_not_come_from_rows_that_were_fitted() -> None:
    """Labels by coin: whatever was fitted on its own rows would seem to know them."""
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(600, 3)).astype(np.float32), rng.integers(0, 2, 600)
    said = np.full((600, 2), 0.5)
    whole = Labeled(x, y, None, said)
    rival = strongest_rival(METRICS["error"], whole, whole.part(np.arange(100)), 2)
    assert 0.4 < rival.score.value < 0.6


def test_classes_that_a_fold_lacks_and_few_rows() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(90, 3)).astype(np.float32)
    y = np.r_[np.zeros(60, int), np.full(29, 1), 3]
    said = np.full((90, 5), 0.2)
    rival = strongest_rival(METRICS["log_loss"], *2 * [Labeled(x, y, np.ones(90), said)], 5)
    assert np.isfinite(rival.score.value)
    few = Labeled(x[:20], y[:20], None, said[:20])
    assert strongest_rival(METRICS["error"], few, few, 5) is None
    assert compare_with_rival("error", None, 0.01) == []


def test_no_fold_parts_a_group_or_lacks_what_it_can_have() -> None:
    """Each group has a place and a label by coin: who knows one of its rows knows the others."""
    rng = np.random.default_rng(4)
    unit = np.repeat(np.arange(40), 4)
    place, label = rng.normal(size=(40, 3)), rng.integers(0, 2, 40)
    x = (place[unit] + 0.01 * rng.normal(size=(160, 3))).astype(np.float32)
    alone = Labeled(x, label[unit], None, np.full((160, 2), 0.5))
    together = replace(alone, unit=unit, group=unit)
    rival = strongest_rival(METRICS["error"], together, together, 2)
    assert rival.score.value > 0.2  # 0 where a row of the group is known
    assert rival.score.high - rival.score.low > 0.15
    two = replace(alone, unit=unit // 20)
    assert strongest_rival(METRICS["error"], two, two, 2) is None


def test_folds_with_one_class_alone_are_fitted() -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(size=(60, 3)).astype(np.float32)
    y = np.r_[np.zeros(58, int), [1, 1]]
    rows = Labeled(x, y, None, np.full((60, 2), 0.5), unit=np.r_[np.arange(58), [99, 99]])
    rival = strongest_rival(METRICS["log_loss"], rows, rows, 2)
    assert np.isfinite(rival.score.value)
