"""Every bug planted into backpropagation by hand is caught, and blamed on the blocks it spoils."""

from __future__ import annotations

import numpy as np
import pytest
from planted_by_hand import DENSE, PLANTED, POOLED, TABLE, Family, Planted

from deepwell.checking._check_gradients_of import check_gradients_of


@pytest.mark.parametrize("family", [DENSE, POOLED, TABLE], ids=["dense", "pooled", "table"])
def test_right_as_it_stands(family: Family) -> None:
    check = check_gradients_of(family.cost, family.gradient(family.steps), family.parameters())
    assert check.right, str(check)
    assert check.error < 1e-7
    assert [p.where for p in check.points] == ["at the start", "after 10 steps"]


@pytest.mark.proves("C2", "formula", "gradient")
@pytest.mark.parametrize("bug", PLANTED, ids=lambda bug: bug.name.replace(" ", "-"))
def test_planted(bug: Planted) -> None:
    family = bug.family
    check = check_gradients_of(family.cost, family.gradient(bug.steps), family.parameters())
    assert check.verdict == "wrong"
    assert " ".join(check.wrong_blocks) == bug.blames, str(check)
    for name, kind in bug.told.items():
        cause = check.block(name).cause
        assert (cause.kind if cause else None) == kind, str(check)


def test_the_blocks_that_are_blamed_are_those_that_differ_from_the_right_gradient() -> None:
    for bug in PLANTED:
        start = bug.family.parameters()
        right = bug.family.gradient(bug.family.steps)(start)
        gradient = bug.family.gradient(bug.steps)
        gradient(start)  # one that keeps a sum is still right the first time
        spoiled = gradient(start)
        differ = [
            name
            for name in start
            if np.shape(spoiled[name]) != np.shape(right[name])
            or not np.allclose(spoiled[name], right[name], rtol=1e-6, atol=1e-12)
        ]
        assert " ".join(differ) == bug.blames, bug.name
