"""The sealed half is well formed; nothing here diagnoses a case of it."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from benchmarks.diagnosis import faults, program_remedies, remedies
from benchmarks.diagnosis import program_case as pc
from benchmarks.diagnosis import tasks as first_tasks
from benchmarks.diagnosis.case import Case, Rows
from benchmarks.diagnosis.fault import SEVERITIES, STUDY, Fault, checked, plants
from benchmarks.diagnosis.labels import FAMILIES, LABELS
from benchmarks.diagnosis.program import objective
from benchmarks.diagnosis.sealed import FAULTS, TASKS
from benchmarks.diagnosis.task import Task
from benchmarks.diagnosis.training import loaded
from scipy.special import ndtr

STUDIES = [fault for fault in FAULTS if fault.of == STUDY]
PROGRAMS = [fault for fault in FAULTS if fault.of != STUDY]


def _named(fault: Fault) -> str:
    return fault.name


def test_half_has_names_of_its_own_and_enough_of_each_kind() -> None:
    assert checked(FAULTS, TASKS) == tuple(FAULTS)
    assert not {f.name for f in FAULTS} & {f.name for f in faults.FAULTS}
    assert not set(TASKS) & {*first_tasks.TASKS, *pc.PROGRAM_TASKS}
    assert all(name == task.name for name, task in TASKS.items())
    assert 2 * len(FAULTS) >= len(faults.FAULTS)
    assert {fault.family for fault in FAULTS} == set(FAMILIES)
    tasks = [task for task in TASKS.values() if isinstance(task, Task)]
    assert sum(task.best is not None for task in tasks) >= 2
    assert {task.kind for task in tasks} == {"classification", "regression"}
    assert len(tasks) < len(TASKS)
    assert all(LABELS[fault.cause] == fault.family for fault in FAULTS)


@pytest.mark.parametrize("fault", FAULTS, ids=_named)
def test_fault_has_a_remedy_three_amounts_and_tasks_of_its_kind(fault: Fault) -> None:
    menu = remedies.MENU if fault.of == STUDY else program_remedies.MENU
    assert fault.remedy in menu
    assert len({repr(amount) for amount in fault.amounts}) == len(SEVERITIES)
    kind = Task if fault.of == STUDY else pc.ProgramTask
    assert all(isinstance(TASKS[task], kind) for task in fault.tasks)
    assert fault.what


def test_every_task_is_planted_on_or_clean() -> None:
    planted = {plant.task for plant in plants(FAULTS)}
    assert planted >= {"checkers", "waveform", "friedman", "bits", "glyphs", "photos"}
    assert {name for name in TASKS if name.endswith("program")} <= planted


def _same_rows(one: Rows, other: Rows) -> bool:
    pairs = ((one.x, other.x), (one.y, other.y), (one.group, other.group))
    return all(a.shape == b.shape and np.array_equal(a, b, equal_nan=True) for a, b in pairs)


def _same(one: Case, other: Case) -> bool:
    rows = all(_same_rows(getattr(one, n), getattr(other, n)) for n in ("train", "dev", "deployed"))
    own = [(c.settings, c.options, c.trials) for c in (one, other)]
    return rows and own[0] == own[1]


@pytest.mark.parametrize("fault", STUDIES, ids=_named)
def test_study_is_changed_more_by_each_severity_and_only_by_its_seed(fault: Fault) -> None:
    for name in fault.tasks:
        task = TASKS[name]
        assert isinstance(task, Task)
        healthy = task.case(3)
        cases = [fault.planted(healthy, severity, 3) for severity in SEVERITIES]
        assert not any(_same(healthy, case) for case in cases)
        assert not _same(cases[0], cases[1])
        assert not _same(cases[1], cases[2])
        assert _same(healthy, task.case(3))  # the healthy case itself is left as it is
        assert _same(cases[2], fault.planted(healthy, SEVERITIES[2], 3))
        for case in cases:
            widths = {rows.x.shape[1] for rows in (case.train, case.dev, case.deployed)}
            assert len(widths) == 1
            assert all(len(rows.x) == len(rows.y) for rows in (case.train, case.dev))
            assert case.train.y.dtype != float or np.isfinite(case.train.y).all()


@pytest.mark.parametrize("fault", STUDIES, ids=_named)
def test_study_can_be_loaded_and_mended(fault: Fault) -> None:
    healthy = TASKS[fault.tasks[0]].case(4)
    case = fault.planted(healthy, SEVERITIES[2], 4)
    data = loaded(case)
    assert data.task.kind == healthy.kind
    assert not _same(case, remedies.MENU[fault.remedy](case, healthy))


def _step(case: pc.ProgramCase) -> jax.Array:
    """Return the cost of a batch after one step, as `program.trained` takes it."""
    program, rows = case.program, case.rows
    x, y = jnp.asarray(rows["x"][:32]), jnp.asarray(rows["y"][:32])
    key, amount = jax.random.key(0), jnp.float32(case.amount)
    params = program.init(key, program.sizes, amount)
    cost = objective(program, key, amount)
    grads = jax.grad(cost)(params, program.augment(x, key, amount), y)
    zeros = jax.tree.map(jnp.zeros_like, params)
    _, moved = program.update(grads, (zeros, zeros), params, 1.0, case.rate, amount)
    return program.predict(moved, x, key, False, amount)[-1]


@pytest.mark.parametrize("fault", PROGRAMS, ids=_named)
def test_program_is_changed_and_can_take_a_step(fault: Fault) -> None:
    task = TASKS[fault.tasks[0]]
    assert isinstance(task, pc.ProgramTask)
    healthy = task.case(5)
    cases = [fault.planted(healthy, severity, 5) for severity in SEVERITIES]
    for case in cases:
        assert case.rows.keys() == healthy.rows.keys()
        rows = all(np.array_equal(case.rows[n], healthy.rows[n]) for n in healthy.rows)
        assert not rows or case.program != healthy.program
    out = jax.eval_shape(lambda: _step(cases[0]))
    assert out.shape == (32, cases[0].program.sizes[-1])


def _errors(task: str, rows: int = 100_000) -> Rows:
    found = TASKS[task]
    assert isinstance(found, Task)
    return found.draw(np.random.default_rng(9), rows)


def _guess_checkers(x: np.ndarray) -> np.ndarray:
    return x[:, 0] * x[:, 1] > 0


def _guess_coins(x: np.ndarray) -> np.ndarray:
    return x[:, 0] + x[:, 1] > 0


def _guess_bits(x: np.ndarray) -> np.ndarray:
    turn = np.linalg.qr(np.random.default_rng(77).normal(size=(6, 6)))[0]
    z = (x - 5.0) @ turn.T
    return 2 * (z[:, :3].sum(axis=1) > 0) + (z[:, 3] * z[:, 4] > 0)


def _guess_waveform(x: np.ndarray) -> np.ndarray:
    """Return the most likely class by the exact densities, each an integral along a segment."""
    waves = np.maximum(6 - np.abs(np.arange(21) - np.array([[6], [14], [10]])), 0.0)
    told = []
    for first, second in ((0, 1), (0, 2), (1, 2)):
        along = waves[first] - waves[second]
        length = math.sqrt(along @ along)
        off = x - waves[second]
        at = off @ along / length
        inside = ndtr(length - at) - ndtr(-at)
        outside = (off**2).sum(axis=1) - at**2
        told.append(np.log(np.maximum(inside, 1e-300) / length) - outside / 2)
    return np.argmax(told, axis=0)


@pytest.mark.parametrize(
    ("task", "guess"),
    [
        ("checkers", _guess_checkers),
        ("coins", _guess_coins),
        ("bits", _guess_bits),
        ("waveform", _guess_waveform),
    ],
)
def test_best_error_is_that_of_the_best_rule(task: str, guess) -> None:
    rows = _errors(task)
    best = TASKS[task].best
    error = (guess(rows.x) != rows.y).mean()
    assert abs(error - best) < 4 * math.sqrt(best * (1 - best) / len(rows))


def _value_friedman(x: np.ndarray) -> np.ndarray:
    wave = 10 * np.sin(math.pi * x[:, 0] * x[:, 1])
    y = wave + 20 * (x[:, 2] - 0.5) ** 2 + 10 * x[:, 3] + 5 * x[:, 4]
    return (y - 14.4) / 5


def _value_skewed(x: np.ndarray) -> np.ndarray:
    return np.sqrt(x[:, 0]) + 2 * x[:, 1] / (x[:, 1] + x[:, 2]) - 0.5 * np.sqrt(x[:, 3])


@pytest.mark.parametrize(
    ("task", "value"), [("friedman", _value_friedman), ("skewed", _value_skewed)]
)
def test_best_rmse_is_that_of_the_true_function(task: str, value) -> None:
    rows = _errors(task)
    off = (rows.y - value(rows.x)) ** 2
    assert abs(off.mean() - TASKS[task].best ** 2) < 4 * off.std() / math.sqrt(len(rows))
