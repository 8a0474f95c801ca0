"""The native backend: what is planned, what is trained, and that JAX stays out of it."""

import subprocess
import sys
from itertools import chain, repeat

import numpy as np
import pytest

from deepwell._base._errors import UsageError
from deepwell._native._core_module import available
from deepwell.execution import _backends
from deepwell.execution._backends import choose_backend
from deepwell.execution._local import LocalEngine
from deepwell.execution._planner import Shape
from deepwell.records import Status, TrialSpec
from deepwell.training._program import TrainingRows

needs_core = pytest.mark.skipif(not available(), reason="this build has no compiled core")
ROWS, INPUTS = 90, 5


def rows():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(ROWS + 40, INPUTS)).astype(np.float32)
    y = (x[:, 0] + 0.3 * rng.normal(size=len(x)) > 0).astype(np.int32)
    ones = np.ones(len(x), np.float32)
    return TrainingRows(x[:ROWS], y[:ROWS], ones[:ROWS], x[ROWS:], y[ROWS:], ones[ROWS:])


SHAPE = Shape(ROWS, 40, INPUTS, outputs=1, loss="logistic", score="error")


def specs():
    values = [
        {"hidden_units": [7], "batch_size": 16},
        {"hidden_units": [9, 4], "batch_size": 16, "dropout": 0.2, "activation": "tanh"},
        {"hidden_units": [5], "batch_size": 1000, "optimizer": "sgd", "learning_rate": 0.1},
        {"hidden_units": [5], "batch_size": 16, "optimizer": "sgd", "learning_rate": 1e30},
        {"hidden_layers": 0, "batch_size": 16},
    ]
    return {i: TrialSpec({**v, "epochs": 8}, seed=i) for i, v in enumerate(values)}


def trained(program, until=8):
    engine = LocalEngine(rows(), SHAPE, choose_backend(program))
    planned = engine.plan(specs(), 8)
    engine.prepare(specs(), planned)
    chunks = list(engine.train(list(specs()), until, lambda: False))
    engine.close()
    return engine, planned, chunks


@needs_core
def test_one_program_a_batch_size():
    engine, planned, _ = trained("native")
    assert [b.structure.batch for b in planned.buckets] == [16, ROWS]
    assert [set(b.trials) for b in planned.buckets] == [{0, 1, 3, 4}, {2}]
    assert planned.executed == planned.useful > 0
    assert engine.programs() == 2
    assert engine.compile_seconds < 1


@needs_core
def test_both_programs_give_the_same_study():
    both = {}
    for program in ("native", "jax"):
        _, _, chunks = trained(program)
        curves, statuses = {}, {}
        for chunk in chunks:
            statuses.update(chunk.statuses)
            for i, number in enumerate(chunk.trials.tolist()):
                curves.setdefault(number, []).append(chunk.metrics["dev_cost"][i])
        both[program] = (curves, statuses)
    assert both["native"][1] == both["jax"][1]
    assert both["native"][1][3] is Status.DIVERGED
    for number in (0, 1, 2, 4):
        np.testing.assert_allclose(
            both["native"][0][number], both["jax"][0][number], rtol=2e-3, atol=1e-5
        )


@needs_core
def test_a_stop_and_going_on_lose_nothing():
    through, _, _ = trained("native")
    engine = LocalEngine(rows(), SHAPE, choose_backend("native"))
    engine.prepare(specs(), engine.plan(specs(), 8))
    asked = iter([False] * 5 + [True] * 3)
    list(engine.train(list(specs()), 8, lambda: next(asked, False)))
    list(engine.train(list(specs()), 8, lambda: False))
    for number in (0, 1, 2, 4):
        for name, array in through.best_parameters(number).items():
            assert array.tobytes() == engine.best_parameters(number)[name].tobytes()
    engine.close()


@needs_core
def test_a_stop_while_scoring_tells_the_epoch_once_it_is_scored():
    """Scoring 300,000 rows takes far longer than the 20 ms after which the stop is asked."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(300_000, INPUTS)).astype(np.float32)
    y, few = (x[:, 0] > 0).astype(np.int32), slice(ROWS)
    ones = np.ones(len(x), np.float32)
    data = TrainingRows(x[few], y[few], ones[few], x, y, ones)
    shape = Shape(ROWS, len(x), INPUTS, outputs=1, loss="logistic", score="error")
    wanted = {
        n: TrialSpec({"hidden_units": [150, 150], "batch_size": 30, "epochs": 2}, seed=n)
        for n in range(3)
    }
    outcomes = []
    for stops in ([], [False, False, True]):
        engine = LocalEngine(data, shape, choose_backend("native"))
        engine.prepare(wanted, engine.plan(wanted, 2))
        asked = chain(stops, repeat(bool(stops)))
        first = list(engine.train(list(wanted), 2, asked.__next__))
        if stops:
            states = engine.states(list(wanted))
            unscored = [int(s["step"]) - 3 * int(s["epoch"]) for s in states.values()]
            assert 3 in unscored  # all steps of the epoch, and no score
        records = first + list(engine.train(list(wanted), 2, lambda: False))
        curves = {
            (n, r.epoch): tuple(float(v[i]) for v in r.metrics.values())
            for r in records
            for i, n in enumerate(r.trials.tolist())
        }
        assert len(curves) == sum(len(r.trials) for r in records) == 6
        best = {n: engine.best_parameters(n)["weights/0"].tobytes() for n in wanted}
        outcomes.append((curves, best))
        engine.close()
    assert outcomes[0] == outcomes[1]


@needs_core
def test_such_a_fit_does_not_load_jax(tmp_path):
    code = (
        "import sys, deepwell as dw;"
        "dw.write_sample('iris', sys.argv[1] + '/iris.csv');"
        "d = dw.load(sys.argv[1] + '/iris.csv', target='label', vault=sys.argv[1] + '/v');"
        "s = dw.Study(d, store=sys.argv[1] + '/s'); s.run(trials=3, epochs=2); s.open_test();"
        "assert s.result.program == 'native', s.result.program;"
        "assert 'jax' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)


def test_an_unknown_program_is_refused():
    with pytest.raises(UsageError, match='did you mean "native"'):
        choose_backend("nativ")


def test_without_a_core_jax_trains_and_native_is_refused(monkeypatch):
    monkeypatch.setattr(_backends, "available", lambda: False)
    assert choose_backend(None).name == "jax"


@needs_core
def test_the_default_is_native_and_jax_where_it_finds_a_gpu(monkeypatch):
    monkeypatch.setattr(_backends, "_gpu", lambda: False)
    assert choose_backend(None).name == "native"
    monkeypatch.setattr(_backends, "_gpu", lambda: True)
    assert choose_backend(None).name == "jax"
