"""Mislabeled rows: the stated false-discovery rate against planted flips."""

import numpy as np
import pytest

from deepwell.diagnosis import _mislabels, _wrong_rows
from deepwell.diagnosis._mislabels import find_mislabels
from deepwell.diagnosis._temperature import at_temperature

SHARES = (0.0, 0.02, 0.05, 0.2)


def planted(seed: int, share: float, classes: int, overlap: float, temperature: float = 1.0):
    """Rows of classes that overlap, with flips; a model that has learned the flips too."""
    generator = np.random.default_rng(seed)
    n = 1_500
    margin = generator.gamma(2.0, 1 / overlap, (n, classes))
    clean = np.exp(margin - margin.max(axis=1, keepdims=True))
    clean /= clean.sum(axis=1, keepdims=True)
    y = (generator.random((n, 1)) > np.cumsum(clean, axis=1)[:, :-1]).sum(axis=1)
    flipped = generator.random(n) < share
    label = np.where(flipped, (y + generator.integers(1, classes, n)) % classes, y)
    return label, at_temperature(clean, 1 / temperature), flipped


def outcomes(share: float, classes: int, overlap: float, temperature: float, runs: int = 12):
    """False-discovery rate and power of each run."""
    found = []
    for seed in range(runs):
        label, p, flipped = planted(seed, share, classes, overlap, temperature)
        rows = [one.row for one in find_mislabels(label, p).suspects]
        true = int(flipped[rows].sum())
        found.append((len(rows) - true, len(rows), true / max(1, flipped.sum())))
    return np.array(found)


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize(("classes", "overlap"), [(2, 0.15), (10, 0.1)])
def test_at_most_the_stated_share_is_listed_wrongly(share, classes, overlap):
    found = outcomes(share, classes, overlap, temperature=1.5)
    false, listed, power = found.T
    assert false.sum() <= 0.1 * max(10, listed.sum())
    assert np.mean(false > 0.1 * listed) <= 0.25
    if share >= 0.05:
        assert power.mean() > 0.3
    if share == 0.0:
        assert (listed > 0).sum() <= 1


@pytest.mark.parametrize("overlap", [0.5, 1.0, 2.0])
def test_classes_that_overlap_are_not_called_mislabeled(overlap):
    found = outcomes(0.0, 3, overlap, temperature=1.0, runs=15)
    assert (found[:, 1] > 0).sum() <= 1


def test_the_share_of_flips_is_estimated():
    covered = []
    for seed in range(12):
        label, p, flipped = planted(seed, 0.08, 5, 0.15)
        share = find_mislabels(label, p).flipped
        covered.append(share.low <= flipped.mean() <= share.high)
    assert np.mean(covered) >= 0.8


def test_a_sample_of_many_rows_tells_no_more_than_its_rows_do(monkeypatch):
    """1,000 of 15,000 rows: an interval some four times as wide, and a p-value of 1,000 rows."""
    parts = [planted(seed, 0.03, 2, 0.15) for seed in range(10)]
    label, p = (np.concatenate([part[n] for part in parts]) for n in range(2))
    whole = find_mislabels(label, p)
    monkeypatch.setattr(_mislabels, "_CELLS", 1)
    sampled = find_mislabels(label, p)
    widths = [one.flipped.high - one.flipped.low for one in (sampled, whole)]
    assert widths[0] > 2.5 * widths[1]
    assert sampled.p_value > whole.p_value


def test_the_surest_come_first_and_name_the_likely_class():
    label, p, flipped = planted(0, 0.1, 4, 0.12)
    found = find_mislabels(label, p, rate=0.2)
    doubts = [one.doubt for one in found.suspects]
    assert doubts == sorted(doubts)
    assert found.expected_false == pytest.approx(sum(doubts))
    assert all(one.label == label[one.row] != one.likely for one in found.suspects)
    fewer = find_mislabels(label, p, rate=0.06)
    assert 0 < len(fewer.suspects) < len(found.suspects)
    assert flipped[[one.row for one in fewer.suspects]].mean() > 0.9


def test_few_rows_and_perfect_models_list_nothing():
    label, p, _ = planted(0, 0.2, 2, 0.15)
    assert find_mislabels(label[:60], p[:60]).suspects == ()
    y = np.arange(300) % 3
    assert find_mislabels(y, np.eye(3)[y]).suspects == ()


def test_a_few_groups_that_the_model_gets_wrong_are_not_mislabeled():
    """Patients unlike all others, whose rows disagree with the model at any margin, together."""
    rows = grouped = 0
    for seed in range(12):
        label, p, _ = planted(seed, 0.0, 2, 0.15)
        group = np.arange(len(label)) // 25  # 60 of them
        odd = np.random.default_rng(seed).choice(60, 3, replace=False)
        label = np.where(np.isin(group, odd), 1 - p.argmax(axis=1), label)
        rows += bool(find_mislabels(label, p).suspects)
        grouped += bool(find_mislabels(label, p, group=group).suspects)
    assert rows == 12
    assert grouped <= 1


def test_labels_that_are_flipped_one_by_one_are_found_in_groups_too():
    alone = grouped = false = 0
    for seed in range(8):
        label, p, flipped = planted(seed, 0.05, 4, 0.12)
        group = np.arange(len(label)) // 5
        alone += len(find_mislabels(label, p).suspects)
        listed = [one.row for one in find_mislabels(label, p, group=group).suspects]
        grouped, false = grouped + len(listed), false + int((~flipped[listed]).sum())
    assert grouped > 0.6 * alone
    assert false <= 0.1 * grouped


def test_a_list_allows_for_false_ones_that_come_together():
    doubt = np.array([0.05, 0.06, 0.05, 0.06])
    deviation = np.sqrt(doubt * (1 - doubt))
    group = np.array([3, 1, 3, 3])
    order = np.argsort(doubt, kind="stable")
    before = _wrong_rows.before_in_group(deviation[order], group[order])
    by_hand = {0: 0.0, 2: deviation[0], 1: 0.0, 3: deviation[0] + deviation[2]}
    np.testing.assert_allclose(before, [by_hand[i] for i in order.tolist()])
    rate = 0.3
    assert len(_wrong_rows.listed(doubt, rate, np.zeros(4, int))) < len(
        _wrong_rows.listed(doubt, rate, None)
    )
