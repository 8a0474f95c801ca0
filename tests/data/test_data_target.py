import json

import numpy as np
import polars as pl
import pytest

from deepwell._base._errors import UsageError
from deepwell.data._target import TargetEncoder
from deepwell.data._task import Task

LABELS = Task("classification", ("no", "yes"))
NUMBERS = Task("regression")


def test_labels_there_and_back() -> None:
    encoder = TargetEncoder.fit(pl.Series("y", ["no"]), LABELS)
    codes = encoder.encode(pl.Series("y", ["yes", " no ", "yes"]))
    assert codes.dtype == np.int32
    assert codes.tolist() == [1, 0, 1]
    assert encoder.labels(codes).tolist() == ["yes", "no", "yes"]
    assert (encoder.mean, encoder.scale) == (0.0, 1.0)


def test_number_labels_in_any_type() -> None:
    encoder = TargetEncoder("y", Task("classification", ("0", "1", "10")))
    for values in ([10, 0, 1], [10.0, 0.0, 1.0], ["10", "0", "1.0"], np.array([10, 0, 1])):
        assert encoder.encode(values).tolist() == [2, 0, 1]
    assert TargetEncoder("y", Task("classification", ("False", "True"))).encode(
        np.array([True, False])
    ).tolist() == [1, 0]


def test_numbers_are_standardized_by_train_and_come_back() -> None:
    train = np.random.default_rng(0).normal(1e6, 3, 500)
    encoder = TargetEncoder.fit(pl.Series("y", train), NUMBERS)
    encoded = encoder.encode(train)
    assert encoded.dtype == np.float32
    assert encoder.mean == pytest.approx(train.mean(), rel=1e-14)
    assert encoder.scale == pytest.approx(train.std(), rel=1e-12)
    assert encoded.mean() == pytest.approx(0, abs=1e-5)
    np.testing.assert_allclose(encoder.original(encoded), train, rtol=1e-12)
    np.testing.assert_allclose(encoder.original(np.zeros((2, 3))), encoder.mean)


def test_a_constant_train_target_keeps_scale_1() -> None:
    encoder = TargetEncoder.fit(pl.Series("y", [5.0, 5.0]), NUMBERS)
    assert (encoder.mean, encoder.scale) == (5.0, 1.0)


def test_wrong_values_are_named() -> None:
    encoder = TargetEncoder("y", LABELS)
    with pytest.raises(UsageError, match='one of the 2 classes no, yes, got "maybe" in row 2'):
        encoder.encode(["no", "maybe"])
    with pytest.raises(UsageError, match='got "None" in row 1'):
        encoder.encode([None, "no"])
    with pytest.raises(UsageError, match="a value in every row"):
        TargetEncoder("y", NUMBERS).encode([1.0, None])


@pytest.mark.parametrize("task", [LABELS, NUMBERS])
def test_json_keeps_every_bit(task: Task) -> None:
    encoder = TargetEncoder("y", task, 0.1 + 0.2, 1 / 3)
    plain = json.loads(json.dumps(encoder.to_plain(), allow_nan=False))
    assert TargetEncoder.from_plain(plain) == encoder


def test_a_target_whose_square_overflows_is_refused():
    with pytest.raises(UsageError, match="rescale the target"):
        TargetEncoder.fit(pl.Series("y", [1.0, -1e300, 3.0]), Task("regression"))
