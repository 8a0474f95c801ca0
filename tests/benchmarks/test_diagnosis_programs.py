"""Programs of a user's own: what is measured of them, and by which rules they are judged."""

from __future__ import annotations

from types import SimpleNamespace
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


def _runs(score: list[float], cost: float) -> dict[str, Any]:
    """Return 8 runs that are alike."""
    costs = np.full((8, len(score)), cost)
    return {"dev_score": np.tile(score, (8, 1)), "dev_cost": costs, "train_cost": costs}


def _told(case: ProgramCase, own: dict[str, Any], other: dict[str, Any]) -> Any:
    first = {name: values[0] for name, values in own.items()}
    curves = program_diagnosis._curves(case, first, _rows(case))
    return program_diagnosis._effect(case, curves, own, other)


def test_a_rate_that_only_fluctuates_more_does_no_better(case: ProgramCase) -> None:
    """One epoch of 30 is far below; the mean of three never is."""
    own, other = _runs([0.30] * 30, 0.6), _runs([0.45] * 15 + [0.05] + [0.45] * 14, 0.5)
    assert _told(case, own, other).gain == pytest.approx(0.30 - 0.95 / 3)
    steady = _told(case, own, _runs([0.20] * 30, 0.5))
    assert (steady.gain, steady.agrees) == (pytest.approx(0.10), True)


def test_a_gain_counts_where_something_is_learnt_and_the_cost_agrees(case: ProgramCase) -> None:
    nothing = _runs([0.50] * 30, 0.7)
    assert not _told(case, nothing, _runs([0.46] * 30, 0.6)).learnt, "a guess has as much"
    assert not _told(case, nothing, _runs([0.20] * 30, 0.8)).agrees
    assert _told(case, nothing, _runs([0.20] * 30, 0.6)).agrees


def test_runs_that_diverge_count_as_the_constant_guess(case: ProgramCase) -> None:
    broken = _runs([np.nan] * 30, np.nan)
    told = _told(case, _runs([0.20] * 30, 0.5), broken)
    assert told.gain < 0
    assert told.with_it == pytest.approx(program_diagnosis._constant_score(case))


def test_inputs_are_tried_by_the_same_rule(
    case: ProgramCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Inputs off by a factor of 100, and normalized ones that have one lucky epoch."""
    off = case.with_rows(**{n: 100 * case.rows[n] for n in ("x", "x_dev")})
    own, lucky = _runs([0.30] * 30, 0.6), _runs([0.45] * 29 + [0.05], 0.5)
    first = {name: values[0] for name, values in own.items()}
    curves, key = program_diagnosis._curves(off, first, _rows(off)), jax.random.key(0)
    for other, level in ((lucky, "ok"), (_runs([0.10] * 30, 0.4), "problem")):
        monkeypatch.setattr(program_diagnosis, "_several", lambda *given, told=other: told)
        found = program_diagnosis._inputs(off, own, _rows(off), key, curves)
        assert (found.code, found.level) == ("DW407", level)


def test_what_training_took_is_not_what_the_diagnosis_took(
    case: ProgramCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, 3.0, 10.0])
    monkeypatch.setattr(
        program_diagnosis, "time", SimpleNamespace(perf_counter=lambda: next(clock))
    )
    for name, told in (("_several", {"start": np.zeros((8, 1))}), ("_gradient", ()),
                       ("_findings", []), ("_measured", None)):  # fmt: skip
        monkeypatch.setattr(program_diagnosis, name, lambda *given, told=told: told)
    told = program_diagnosis.diagnosed(case, 0)
    assert (told.trained, told.seconds) == (3.0, 10.0)
