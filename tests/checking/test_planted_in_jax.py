"""Every bug planted into JAX is caught, and blamed on the blocks it spoils."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest
from planted_in_jax import ELSEWHERE, PLANTED, PlantedInJax, X, Y, parameters

from deepwell.checking._check_gradients import check_gradients

CASES = [(bug, parameters, (X, Y)) for bug in PLANTED]
CASES += [(case.bug, case.parameters, case.args) for case in ELSEWHERE]
IDS = [bug.name.replace(" ", "-") for bug, _, _ in CASES]


@pytest.mark.proves("C2", "formula", "gradient")
@pytest.mark.parametrize(("bug", "start", "args"), CASES, ids=IDS)
def test_planted(bug: PlantedInJax, start: Any, args: tuple) -> None:
    check = check_gradients(bug.wrong, start(), *args)
    assert check.verdict == "wrong"
    assert check.wrong_blocks == bug.blames, str(check)
    for name, kind in bug.told.items():
        cause = check.block(name).cause
        assert (cause.kind if cause else None) == kind, str(check)


def test_the_blocks_that_are_blamed_are_those_that_differ_from_the_right_gradient() -> None:
    for bug, start, args in CASES:
        with jax.enable_x64(True):
            at = jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), start())
            args = tuple(np.asarray(a, float) if a.dtype.kind == "f" else a for a in args)
            pairs = zip(
                jax.tree_util.tree_leaves_with_path(jax.grad(bug.right)(at, *args)),
                jax.tree.leaves(jax.grad(bug.wrong)(at, *args)),
                strict=True,
            )
            differ = tuple(
                jax.tree_util.keystr(path, simple=True, separator="/")
                for (path, right), wrong in pairs
                if not np.allclose(right, wrong, rtol=1e-6, atol=1e-12)
            )
        assert differ == bug.blames, bug.name
