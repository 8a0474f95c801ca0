"""Our samplers under Optuna's own conformance suite, and Optuna's under ours."""

from __future__ import annotations

import math
import subprocess
import sys
import warnings
from collections.abc import Callable, Mapping

import numpy as np
import pytest

import deepwell as dw
from deepwell._base._hyperparameters import Value
from deepwell.records import Observation
from deepwell.search import SAMPLERS, Domain, integer, log, one_minus_log, uniform

optuna = pytest.importorskip("optuna")
from optuna.distributions import (  # noqa: E402
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import BaseSampler, TPESampler  # noqa: E402
from optuna.study import StudyDirection  # noqa: E402
from optuna.testing.pytest_samplers import (  # noqa: E402
    BasicSamplerTestCase,
    RelativeSamplerTestCase,
    SingleOnlySamplerTestCase,
)

from deepwell.search.interchange._our_sampler import observation  # noqa: E402
from deepwell.search.interchange._params import domain_of, params_of, values_of  # noqa: E402

QUICK = ("quasi-random",)  # of which `make test` runs the whole suite; the others are slow


@pytest.fixture(autouse=True)
def _quiet() -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)


@pytest.fixture(
    params=[
        pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in SAMPLERS
    ]
)
def sampler(request: pytest.FixtureRequest) -> Callable[[], BaseSampler]:
    return lambda: dw.optuna_sampler(request.param, seed=0)


class TestBasic(BasicSamplerTestCase):
    @pytest.fixture
    def sampler(self, sampler: Callable[[], BaseSampler]) -> Callable[[], BaseSampler]:
        return sampler


class TestRelative(RelativeSamplerTestCase):
    @pytest.fixture
    def sampler(self, sampler: Callable[[], BaseSampler]) -> Callable[[], BaseSampler]:
        return sampler


class TestSingleOnly(SingleOnlySamplerTestCase):
    @pytest.fixture
    def sampler(self, sampler: Callable[[], BaseSampler]) -> Callable[[], BaseSampler]:
        return sampler


def objective(trial: optuna.Trial) -> float:
    x, k = trial.suggest_float("x", -2, 2), trial.suggest_int("k", 1, 100, log=True)
    kind = trial.suggest_categorical("kind", ["a", None, 3])
    return (x - 1) ** 2 + abs(math.log(k / 10)) + (kind is not None)


@pytest.mark.parametrize("name", SAMPLERS)
def test_optuna_minimizes_with_every_sampler_and_the_same_seed_does_the_same(name: str) -> None:
    def run() -> list[float]:
        study = optuna.create_study(sampler=dw.optuna_sampler(name, seed=4))
        study.optimize(objective, n_trials=12)
        return [trial.value for trial in study.trials]

    assert run() == run()


def test_a_sampler_that_learns_finds_in_optuna_what_it_finds_here() -> None:
    study = optuna.create_study(sampler=dw.optuna_sampler("coarse-to-fine", seed=0))
    study.optimize(objective, n_trials=60)
    random = optuna.create_study(sampler=dw.optuna_sampler("random", seed=0))
    random.optimize(objective, n_trials=60)
    assert study.best_value < random.best_value


def test_what_is_maximized_is_not_minimized() -> None:
    study = optuna.create_study(
        direction="maximize", sampler=dw.optuna_sampler("coarse-to-fine", seed=0)
    )
    study.optimize(lambda t: -((t.suggest_float("x", 0, 1) - 0.3) ** 2), n_trials=40)
    later = [trial.params["x"] for trial in study.trials[20:]]
    assert np.median(np.abs(np.array(later) - 0.3)) < 0.1


def test_points_of_running_trials_are_not_asked_for_again() -> None:
    study = optuna.create_study(sampler=dw.optuna_sampler("quasi-random", seed=0))
    space = {"k": IntDistribution(0, 7)}
    study.tell(study.ask(space), 0.0)  # the space is known from here on
    assert len({study.ask(space).params["k"] for _ in range(7)}) == 7


DISTRIBUTIONS = {
    "plain": FloatDistribution(-1, 3),
    "log": FloatDistribution(1e-5, 1, log=True),
    "step": FloatDistribution(-1, 1, step=0.25),
    "int": IntDistribution(2, 9),
    "even": IntDistribution(2, 20, step=3),
    "rounded": FloatDistribution(0, 0.3, step=0.1),  # 3 x 0.1 exceeds 0.3
    "log int": IntDistribution(1, 1000, log=True),
    "kind": CategoricalDistribution([None, 1, "1", 0.5]),
    "one": IntDistribution(4, 4),
}


def test_parameters_are_values_of_a_domain_and_back() -> None:
    domain = domain_of(DISTRIBUTIONS)
    assert "one" not in domain.searched
    for unit in np.random.default_rng(0).random((200, len(domain.searched))):
        values = domain.decode(unit)
        params = params_of(values, DISTRIBUTIONS)
        for name, distribution in DISTRIBUTIONS.items():
            assert distribution._contains(distribution.to_internal_repr(params[name]))
        back = values_of(params, DISTRIBUTIONS)
        assert back == values
        assert back is not None
        point = domain.encode(back)
        assert point is not None
        assert domain.decode(point) == pytest.approx(values)


@pytest.mark.filterwarnings("ignore:Choices for a categorical")
def test_kinds_of_values_that_no_space_has_are_passed_over() -> None:
    study = optuna.create_study()
    for n, units in enumerate([None, [8, 4], 8, 16, 32]):
        taken = {"units": CategoricalDistribution([None, [8, 4], 8, 16, 32])}
        study.add_trial(optuna.create_trial(params={"units": units}, distributions=taken, value=n))
    known = dw.optuna_history(study)
    for name in ("random", "bayesian", "tpe", "coarse-to-fine"):
        for space in ({"units": dw.integer(4, 64)}, {"units": dw.choice(8, 16, [64, 32])}):
            [point] = dw.Search(space, search=name, history=known).ask()
            assert isinstance(point["units"], int | tuple)


def test_a_log_integer_has_the_shares_of_its_logarithms() -> None:
    domain = domain_of({"k": IntDistribution(1, 1000, log=True)})
    draws = [domain.decode([u])["k"] for u in np.linspace(0, 1, 4001)]
    below = np.mean(np.array(draws, float) <= 31)
    assert below == pytest.approx(math.log(31.5 / 0.5) / math.log(1000.5 / 0.5), abs=2e-3)
    assert {1, 2, 3, 999, 1000} <= set(draws)


def search_with(name: str, domain: Domain, n: int, f: Callable[[Mapping[str, Value]], float]):
    history: list[Observation] = []
    from deepwell.search.samplers._named import sampler_named

    for call in range(n // 4):
        key = np.random.SeedSequence([0, call])
        points = sampler_named(name)(domain, history, 4, key)
        assert points == sampler_named(name)(domain, history, 4, key)
        history += [Observation(values, f(values), finished=True) for values in points]
    return history


def test_tpe_of_optuna_searches_our_domains_on_our_scales() -> None:
    domain = Domain(
        {
            "beta": one_minus_log(0.9, 0.9999),
            "rate": log(1e-4, 1),
            "k": integer(1, 9),
            "kind": ["a", "b", "c"],
            "held": 2,
        }
    )

    def f(v: Mapping[str, Value]) -> float:
        assert v["held"] == 2
        return abs(math.log10(1 - float(v["beta"])) + 3) + (v["kind"] != "b")  # type: ignore[arg-type]

    history = search_with("optuna:TPESampler", domain, 48, f)
    early, late = (np.median([o.score for o in part]) for part in (history[:16], history[32:]))
    assert late < early
    assert all(0.9 <= o.values["beta"] <= 0.9999 for o in history)  # type: ignore[operator]


def test_scores_that_failed_or_are_out_reach_optuna() -> None:
    domain = Domain({"x": uniform(0, 1)})
    history = [Observation({"x": 0.5}, math.inf), Observation({"x": 0.2}), Observation({"x": 7.0})]
    mine = dw.from_optuna(lambda seed: TPESampler(n_startup_trials=1, seed=seed))
    assert len(mine(domain, history, 2, np.random.SeedSequence(0))) == 2


def test_what_was_stopped_early_is_pruned_there() -> None:
    domain, heard = Domain({"x": uniform(0, 1)}), []

    class Hearing(TPESampler):
        def sample_relative(self, study, trial, search_space):
            heard.append(study.get_trials(deepcopy=False)[: trial.number])
            return super().sample_relative(study, trial, search_space)

    history = [
        Observation({"x": 0.1}, 0.4, epochs=10),
        Observation({"x": 0.2}, 0.3, epochs=30, finished=True),
        Observation({"x": 0.3}, math.inf, epochs=2),
        Observation({"x": 0.4}),
        Observation({"x": 0.5}, 0.5),  # of a function, which has no epochs
    ]
    mine = dw.from_optuna(lambda seed: Hearing(seed=seed))
    mine(domain, history, 1, np.random.SeedSequence(0))
    (told,) = heard
    assert [(t.state.name, t.values, t.intermediate_values) for t in told] == [
        ("PRUNED", None, {9: 0.4}),
        ("COMPLETE", [0.3], {}),
        ("COMPLETE", [math.inf], {}),
        ("RUNNING", None, {}),
        ("COMPLETE", [0.5], {}),
    ]
    back = observation(told[0], told[0].distributions, StudyDirection.MINIMIZE)
    assert back is not None
    assert (back.score, back.epochs, back.finished) == (0.4, 10, False)


def test_constraints_and_duplicates_hold_for_samplers_of_optuna() -> None:
    class Triangle(Domain):
        def allowed(self, values: Mapping[str, Value]) -> bool:
            return values["a"] >= values["b"]  # type: ignore[operator]

    domain = Triangle({"a": integer(0, 3), "b": integer(0, 3)})
    history = search_with("optuna:TPESampler", domain, 8, lambda v: float(v["a"]))  # type: ignore[arg-type]
    points = [tuple(o.values.values()) for o in history]
    assert len(set(points)) == 8
    assert all(a >= b for a, b in points)  # type: ignore[operator]


def test_without_an_axis_there_is_nothing_to_ask() -> None:
    domain = Domain({"a": 1})
    assert dw.from_optuna(lambda seed: TPESampler(seed=seed))(
        domain, [], 2, np.random.SeedSequence(0)
    ) == [{"a": 1}, {"a": 1}]


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("optuna:QMCSampler", "take quasi-random"),
        ("optuna:CmaEsSampler", "take optuna:TPESampler"),
        ("optuna:TPESamplers", 'did you mean "TPESampler"'),
        ("optuna:", "choose one of"),
    ],
)
def test_what_optuna_cannot_give_is_refused(name: str, match: str) -> None:
    with pytest.raises(dw.UsageError, match=match):
        dw.Search({"x": uniform(0, 1)}, search=name)


def test_a_sampler_that_wants_more_than_optuna_is_refused_in_a_sentence() -> None:
    def make(seed: int) -> BaseSampler:
        class Wanting(TPESampler):
            def sample_relative(self, *arguments):
                raise ImportError("No module named 'torch'\nmore")

            infer_relative_search_space = lambda *a: {"x": FloatDistribution(0, 1)}  # noqa: E731

        return Wanting(seed=seed)

    with pytest.raises(dw.UsageError, match=r"needs more than it: No module named 'torch'$"):
        dw.Search({"x": uniform(0, 1)}, search=dw.from_optuna(make)).ask()


def test_a_study_of_optuna_is_a_history() -> None:
    study = optuna.create_study(direction="maximize")
    study.add_trial(
        optuna.create_trial(
            params={"x": 0.5}, distributions={"x": FloatDistribution(0, 1)}, value=3
        )
    )
    pruned = optuna.create_trial(
        state=optuna.trial.TrialState.PRUNED,
        params={"x": 0.25},
        distributions={"x": FloatDistribution(0, 1)},
        intermediate_values={1: 7.0, 4: 2.0},
    )
    study.add_trial(pruned)
    study.add_trial(optuna.create_trial(state=optuna.trial.TrialState.FAIL))
    study.ask()
    known = dw.optuna_history(study)
    assert [(dict(o.values), o.score, o.epochs, o.finished) for o in known] == [
        ({"x": 0.5}, -3.0, 0, True),
        ({"x": 0.25}, -2.0, 5, False),
        ({}, math.inf, 0, False),
    ]
    search = dw.Search({"x": uniform(0, 1)}, search="coarse-to-fine", history=known)
    assert len(search.ask(2)) == 2


def test_a_study_is_found_in_a_storage_or_the_message_says_no(tmp_path) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    study = optuna.create_study(study_name="mine", storage=url)
    study.optimize(lambda t: t.suggest_float("x", 0, 1), n_trials=2)
    assert [o.score for o in dw.optuna_history("mine", url)] == [t.value for t in study.trials]
    broken = tmp_path / "broken.db"
    broken.write_text("no database, " * 100, "utf-8")
    for name, storage in (("other", url), ("mine", "nothere.db"), ("mine", f"sqlite:///{broken}")):
        with pytest.raises(dw.UsageError, match=f"cannot read Optuna's study {name}"):
            dw.optuna_history(name, storage)
    several = optuna.create_study(directions=["minimize", "minimize"])
    with pytest.raises(dw.UsageError, match="has several"):
        dw.optuna_history(several)


def test_without_optuna_the_message_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['optuna'] = None\n"
        "import deepwell as dw\n"
        "for act in (lambda: dw.optuna_sampler('random'), lambda: dw.from_optuna(None),\n"
        "            lambda: dw.optuna_history('x'),\n"
        "            lambda: dw.Search({'x': dw.uniform(0, 1)}, search='optuna:TPESampler')):\n"
        "    try: act()\n"
        "    except dw.UsageError as error: print(error)\n"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    lines = told.stdout.splitlines()
    assert len(lines) == 4
    assert all('pip install "deepwell[optuna]"' in line for line in lines)


def test_our_sampler_is_copied_to_other_processes() -> None:
    import pickle  # which Optuna's users do

    sampler = dw.optuna_sampler("quasi-random", seed=1)
    assert str(pickle.loads(pickle.dumps(sampler))) == "DeepwellSampler(quasi-random)"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        study = optuna.create_study(sampler=sampler)
        study.optimize(objective, n_trials=8, n_jobs=2)
    assert len({t.params["x"] for t in study.trials}) == 8


def test_a_late_thread_takes_its_own_point_of_a_sequence() -> None:
    """Trial 1 proposes after trial 2, which began later, was told."""

    def begun() -> optuna.Study:
        study = optuna.create_study(sampler=dw.optuna_sampler("quasi-random", seed=1))
        study.optimize(objective, n_trials=1)
        return study

    in_order, study = begun(), begun()
    in_order.optimize(objective, n_trials=1)
    late = study._storage.create_new_trial(study._study_id)
    study.optimize(objective, n_trials=1)
    space = study.sampler.infer_relative_search_space(study, study.trials[1])
    trial = study._storage.get_trial(late)
    own = study.sampler.sample_relative(study, trial, space)
    assert own == {name: in_order.trials[1].params[name] for name in space}


def test_all_points_of_a_continuum_are_refused_towards_a_grid() -> None:
    with pytest.raises(dw.UsageError, match="`x` is a continuum; take grid"):
        dw.Search({"x": uniform(0, 1)}, search="optuna:BruteForceSampler").ask()
    found = dw.Search({"k": [1, 2]}, search="optuna:BruteForceSampler").ask(2)
    assert {v["k"] for v in found} == {1, 2}


def test_a_step_counts_as_an_epoch_and_infinity_is_never_good() -> None:
    study = optuna.create_study(direction="maximize")
    space = {"x": FloatDistribution(0, 1)}
    study.add_trial(optuna.create_trial(params={"x": 0.5}, distributions=space, value=math.inf))
    study.add_trial(
        optuna.create_trial(
            state=optuna.trial.TrialState.PRUNED,
            params={"x": 0.25},
            distributions=space,
            intermediate_values={0: 7.0},
        )
    )
    expected = [(math.inf, 0), (-7.0, 1)]
    assert [(o.score, o.epochs) for o in dw.optuna_history(study)] == expected
    seen = [observation(t, space, study.direction) for t in study.trials]
    assert [(o.score, o.epochs) for o in seen if o is not None] == expected
