import itertools

import pytest

from deepwell._base._errors import UsageError
from deepwell._base._hyperparameters import HYPERPARAMETERS
from deepwell.records import TrialSpec
from deepwell.search import default_space
from deepwell.search.spaces import Space

SIZES = [
    (1, 1, 2),
    (3, 1, 1),
    (265, 10, 1),
    (341, 30, 2),
    (600, 10_000, 2),
    (1078, 64, 10),
    (20_000, 784, 10),
    (80_000, 50, 2),
    (600_000, 100, 1000),
    (3_980_000, 28, 2),
]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "rmsprop", "adam"])
def test_every_corner_is_a_valid_trial_that_uses_dropout_or_not_at_all(
    size: tuple[int, int, int], task: str, optimizer: str
) -> None:
    space = default_space(*size, task, optimizer)
    for corner in itertools.product((0.0, 0.5, 1.0), repeat=len(space.searched)):
        spec = TrialSpec(space.decode(corner), seed=0)
        assert 1 <= len(spec.hidden_units) <= 3
        assert spec.text("optimizer") == optimizer


def test_only_depth_and_width_shape_programs() -> None:
    space = default_space(1078, 64, 10, "classification")
    searched = [n for n in space.searched if HYPERPARAMETERS[n].structural]
    assert searched == ["hidden_layers", "hidden_units"]


def batch_size(space: Space) -> int:
    return int(space.decode([0.5] * len(space.searched))["batch_size"])


@pytest.mark.parametrize(
    ("rows", "batch"), [(10, 32), (341, 32), (1078, 64), (10_000, 128), (80_000, 512), (10**7, 512)]
)
def test_batches_grow_with_the_square_root_of_the_rows(rows: int, batch: int) -> None:
    assert batch_size(default_space(rows, 10, 2, "classification")) == batch


@pytest.mark.parametrize("rows", [300, 1078, 1999, 2000, 19_999, 20_000, 80_000, 10**6])
def test_an_unstopped_network_gets_enough_updates(rows: int) -> None:
    space = default_space(rows, 10, 2, "classification")
    epochs = int(space.decode([0.5] * len(space.searched))["epochs"])
    assert epochs * -(-rows // batch_size(space)) >= 1_000


def test_layers_are_as_wide_as_many_classes_and_narrow_for_many_inputs() -> None:
    assert default_space(10**6, 100, 1000, "classification").describe()["hidden_units"] == (
        "integer(32, 512)"
    )
    assert default_space(600, 10_000, 2, "classification").describe()["hidden_units"] == (
        "integer(16, 64)"
    )


def test_plain_descent_gets_larger_rates_than_adam() -> None:
    rates = {
        optimizer: default_space(1000, 10, 2, "classification", optimizer)["learning_rate"]
        for optimizer in ("sgd", "adam")
    }
    assert rates["sgd"].from_unit(0.5) > 5 * rates["adam"].from_unit(0.5)  # type: ignore[operator]


def test_an_unknown_optimizer_is_refused() -> None:
    with pytest.raises(UsageError, match='did you mean "adam"'):
        default_space(1000, 10, 2, "classification", "adan")
