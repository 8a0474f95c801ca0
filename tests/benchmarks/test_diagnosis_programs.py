"""Programs of a user's own: what is measured of them, and by which rules they are judged."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from benchmarks.diagnosis import program_diagnosis
from benchmarks.diagnosis.program import he, objective
from benchmarks.diagnosis.program_case import PROGRAM_TASKS, ProgramCase


@pytest.fixture(scope="module")
def case() -> ProgramCase:
    return PROGRAM_TASKS["gauss program"].case(0)


def _rows(case: ProgramCase) -> dict[str, Any]:
    return {name: jnp.asarray(rows) for name, rows in case.rows.items() if "deployed" not in name}


def test_a_probe_holds_quantiles_of_the_gradient_of_a_batch(case: ProgramCase) -> None:
    key, rows = jax.random.key(0), _rows(case)
    params = he(key, case.program.sizes, jnp.zeros(()))
    norms = np.ones((case.program.epochs, len(params)))
    run = {"start": params, "last": params,
           **dict.fromkeys(("weight_norm", "gradient_norm", "update_norm"), norms)}  # fmt: skip
    probe = program_diagnosis._probe(case, run, rows, key, 0)
    cost = objective(case.program, key, jnp.zeros(()))
    slopes = jax.grad(cost)(params, rows["x"][:32], rows["y"][:32])
    first = np.concatenate([np.ravel(slopes[0]["w"]), np.ravel(slopes[0]["b"])])
    assert probe.gradients.shape == probe.weights.shape == (3, 7)
    assert probe.gradients[0, 0] == pytest.approx(first.min())
    assert probe.gradients[0, 2] == pytest.approx(np.quantile(first, 0.25))
    assert not (probe.gradients == 0).all(axis=1).any()
