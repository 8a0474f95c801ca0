"""Confusion against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, precision_score, recall_score

from deepwell.diagnosis._confusion import confusion
from deepwell.diagnosis._intervals import wilson


@pytest.mark.parametrize("weighted", [False, True])
def test_counts_recall_and_precision_are_those_of_scikit_learn(weighted):
    generator = np.random.default_rng(0)
    y, said = generator.integers(0, 4, 300), generator.integers(0, 4, 300)
    weight = generator.random(300) if weighted else None
    found = confusion(y, said, 4, weight)
    np.testing.assert_allclose(found.counts, confusion_matrix(y, said, sample_weight=weight))
    for ours, theirs in ((found.recall, recall_score), (found.precision, precision_score)):
        expected = theirs(y, said, average=None, sample_weight=weight)
        np.testing.assert_allclose([one.value for one in ours], expected)
        assert all(one.low < one.value < one.high for one in ours)


def test_the_most_confused_pairs_come_first_with_wilsons_interval():
    y = np.array([0] * 40 + [1] * 40 + [2] * 40)
    said = y.copy()
    said[:12], said[40:45], said[80] = 2, 0, 1
    first, second, third = confusion(y, said, 3).pairs
    assert (first.true, first.said, first.rows) == (0, 2, 12)
    assert first.share == wilson(12, 40)
    assert (second.true, second.said, second.rows) == (1, 0, 5)
    assert (third.true, third.said, third.rows) == (2, 1, 1)


def test_a_class_without_rows_has_no_shares():
    found = confusion(np.array([0, 0, 1]), np.array([0, 1, 1]), 3)
    assert np.isnan(found.recall[2].value)
    assert np.isnan(found.precision[2].low)
    assert found.to_plain(("a", "b", "c"))["pairs"] == [
        {"true": "a", "said": "b", "rows": 1, "share": wilson(1, 2).to_plain()}
    ]


def test_groups_that_are_wrong_together_widen_the_shares():
    y = np.repeat([0, 1], 60)
    group = np.repeat(np.arange(20), 6)
    said = np.where(np.isin(group, (0, 1, 2, 12)), 1 - y, y)
    alone, grouped = confusion(y, said, 2), confusion(y, said, 2, group=group)
    np.testing.assert_array_equal(alone.counts, grouped.counts)
    for one, other in zip(
        (*alone.recall, *alone.precision, *(pair.share for pair in alone.pairs)),
        (*grouped.recall, *grouped.precision, *(pair.share for pair in grouped.pairs)),
        strict=True,
    ):
        assert one.value == other.value
        assert other.high - other.low > 1.7 * (one.high - one.low)
