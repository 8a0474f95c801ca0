"""No false alarm: a right gradient is called right, whatever it meets."""

from __future__ import annotations

import pytest
from right_gradients import RIGHT, RIGHT_BY_HAND, Right, RightByHand

from deepwell.checking._check_gradients import check_gradients
from deepwell.checking._check_gradients_of import check_gradients_of


@pytest.mark.parametrize("case", RIGHT, ids=lambda case: case.name.replace(" ", "-"))
def test_right_in_jax(case: Right) -> None:
    args = [arg() if callable(arg) else arg for arg in case.args]
    check = check_gradients(case.loss, case.params, *args, **case.options)
    assert check.right, str(check)
    assert check.error <= case.error, str(check)


@pytest.mark.parametrize("case", RIGHT_BY_HAND, ids=lambda case: case.name.replace(" ", "-"))
def test_right_by_hand(case: RightByHand) -> None:
    check = check_gradients_of(case.cost, case.gradient, case.theta)
    assert check.right, str(check)
    assert check.error <= case.error, str(check)


def test_there_are_as_many_cases_as_are_claimed() -> None:
    assert len(RIGHT) + len(RIGHT_BY_HAND) >= 60
