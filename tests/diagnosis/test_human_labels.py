"""What people reach as the best possible score: rows count by their weights."""

import numpy as np
import pytest

from deepwell.diagnosis._human_labels import Answered, human_best
from deepwell.diagnosis._metrics import METRICS

ERROR, RMSE = METRICS["error"], METRICS["rmse"]
SURE = np.eye(2)


def test_a_row_of_weight_two_is_two_rows():
    generator = np.random.default_rng(0)
    y, weight = generator.integers(0, 2, 300), generator.integers(1, 4, 300)
    human = SURE[np.where(generator.random(300) < 0.2, 1 - y, y)]
    said = SURE[np.where(generator.random(300) < 0.3, 1 - y, y)]
    none = Answered(y[:0], human[:0])
    counted = human_best(ERROR, Answered(y, human, weight.astype(float)), said, [none])
    again = [np.repeat(a, weight, axis=0) for a in (y, human, said)]
    repeated = human_best(ERROR, Answered(again[0], again[1]), again[2], [none])
    assert counted.score.value == pytest.approx(repeated.score.value)
    assert counted.gap.value == pytest.approx(repeated.gap.value)
    assert human_best(ERROR, Answered(y, human), said, [none]).score.value != counted.score.value


def test_rows_of_all_parts_count_together():
    y = np.array([1.0, 2.0, 3.0, 4.0])
    train = Answered(y[:2], y[:2] + 1, np.array([1.0, 0.0]))
    held_out = Answered(y[2:], y[2:] + 3, np.array([1.0, 2.0]))
    found = human_best(RMSE, train, y[:2], [held_out])
    assert found.score.value == pytest.approx(np.sqrt((1 + 9 + 2 * 9) / 4))
    assert found.gap is None  # too few to be paired
    assert human_best(RMSE, Answered(y[:0], y[:0]), y[:0], []) is None
