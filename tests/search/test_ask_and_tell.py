"""Ask and tell: samplers for whoever evaluates on their own."""

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import deepwell as dw
from deepwell.search import SAMPLERS, Domain, Sampler, when

SPACE = {"x": dw.uniform(-2, 2), "k": dw.integer(1, 9), "kind": ["a", "b"], "held": 3}


def score(values: dict) -> float:
    return (values["x"] - 1) ** 2 + 0.1 * abs(values["k"] - 4) + (values["kind"] == "b")


def fill(search: dw.Search, rounds: int = 4, n: int = 6) -> dw.Search:
    for _ in range(rounds):
        for values in search.ask(n):
            search.tell(values, score(values))
    return search


@pytest.mark.parametrize("name", SAMPLERS)
def test_every_sampler_asks_for_points_of_the_space(name: str) -> None:
    search = fill(dw.Search(SPACE, search=name, seed=3))
    assert len(search.history) == 24
    for observation in search.history:
        values = observation.values
        assert list(values) == list(SPACE)
        assert -2 <= values["x"] <= 2  # type: ignore[operator]
        assert values["k"] in range(1, 10)
        assert values["kind"] in ("a", "b")
        assert values["held"] == 3
    assert search.best is not None
    assert search.best.score == min(o.score for o in search.history)
    again = fill(dw.Search(SPACE, search=name, seed=3))
    assert again.history == search.history


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_saved_search_goes_on_as_if_nothing_had_been(name: str, tmp_path: Path) -> None:
    search = fill(dw.Search(SPACE, search=name, seed=1, n=40), rounds=2)
    out = search.ask(2)
    search.tell(out[1], math.inf)
    search.save(tmp_path / "search.json")
    loaded = dw.Search.load(tmp_path / "search.json")
    assert [o.pending for o in loaded.history] == [o.pending for o in search.history]
    assert fill(loaded).best == fill(search).best
    assert loaded.ask(3) == search.ask(3)
    loaded.tell(out[0], 0.5)
    assert loaded.history[12].score == 0.5


def test_numbers_of_numpy_are_kept_as_any(tmp_path: Path) -> None:
    known = [dw.Observation({"k": np.int64(2), "x": np.float32(0.25)}, np.float32(0.5))]
    space = {"k": dw.integer(0, 9), "x": dw.uniform(0, 1), "u": dw.choice([64, 32], [8])}
    search = dw.Search(space, history=known)
    search.tell({"k": np.int64(3), "x": np.float32(0.5), "u": [np.int64(64), 32]}, 1.0)
    search.save(tmp_path / "search.json")
    loaded = dw.Search.load(tmp_path / "search.json")
    assert [o.values for o in loaded.history] == [o.values for o in search.history]
    assert loaded.history[1].values == {"k": 3, "x": 0.5, "u": (64, 32)}


def test_the_file_is_plain_json(tmp_path: Path) -> None:
    search = dw.Search({"units": dw.choice([64, 32], [8]), "rate": dw.log(1e-4, 1)})
    for values, told in zip(search.ask(3), (1.5, math.inf, None), strict=True):
        if told is not None:
            search.tell(values, told)
    search.save(tmp_path / "search.json")
    kept = json.loads((tmp_path / "search.json").read_text("utf-8"))
    assert [o["score"] for o in kept["history"]] == [1.5, "inf", "nan"]
    loaded = dw.Search.load(tmp_path / "search.json")
    assert [o.values for o in loaded.history] == [o.values for o in search.history]


def test_points_may_be_told_in_any_order_and_points_of_ones_own_too() -> None:
    search = dw.Search(SPACE, seed=5)
    points = search.ask(3)
    for values in reversed(points):
        search.tell(values, score(values))
    assert [o.score for o in search.history] == [score(v) for v in points]
    search.tell({"x": 1.0, "k": 4, "kind": "a", "held": 3, "note": 9}, -1.0)
    assert search.best is not None
    assert search.best.score == -1.0
    assert list(search.best.values) == list(SPACE)


def test_a_point_told_twice_is_two_observations() -> None:
    search = dw.Search({"k": dw.integer(0, 9)}, seed=0)
    (values,) = search.ask()
    search.tell(values, 1.0)
    search.tell(values, 3.0)
    assert [o.score for o in search.history] == [1.0, 3.0]


def test_points_that_are_out_are_not_asked_for_again() -> None:
    search = dw.Search({"k": dw.integer(0, 9)}, seed=0)
    asked = [values["k"] for _ in range(5) for values in search.ask(2)]
    assert sorted(asked) == list(range(10))


def test_what_lies_outside_of_the_space_is_counted_and_never_the_best() -> None:
    inside = dw.Observation({"x": 1.0, "k": 4, "kind": "a", "held": 3}, 5.0, finished=True)
    others = [
        dw.Observation({**inside.values, "x": 3.0}, 0.1),
        dw.Observation({**inside.values, "x": None}, 0.1),  # type: ignore[dict-item]
        dw.Observation({"x": 1.0}, 0.1),
        dw.Observation({**inside.values, "held": 4}, 0.1),
    ]
    search = dw.Search(SPACE, search="tpe", history=[*others, inside])
    assert search.outside == 4
    assert search.best == inside
    assert len(search.ask(3)) == 3
    assert dw.Search(SPACE, history=others).best is None
    assert dw.Search(SPACE).outside == 0


def test_what_a_constraint_forbids_is_counted_refused_and_never_the_best() -> None:
    space = dw.Space({"learning_rate": dw.log(1e-4, 1), "l2": [0, 0.1]}, ["learning_rate < 0.1"])
    forbidden = dw.Observation({"learning_rate": 0.5, "l2": 0}, 0.1, finished=True)
    allowed = dw.Observation({"learning_rate": 0.05, "l2": 0}, 0.7, finished=True)
    search = dw.Search(space, search="coarse-to-fine", history=[forbidden, allowed])
    assert search.outside == 1
    assert search.best == allowed
    with pytest.raises(dw.UsageError, match="must lie in the space"):
        search.tell({"learning_rate": 0.5, "l2": 0.1}, 0.01)


def test_a_history_is_taken_over() -> None:
    first = fill(dw.Search(SPACE, seed=1))
    second = dw.Search(SPACE, search="coarse-to-fine", history=first.history)
    assert second.best == first.best
    assert len(second.history) == 24


def test_a_sampler_of_ones_own_is_taken_and_cannot_be_saved(tmp_path: Path) -> None:
    mine = Sampler(lambda domain, history, n, key: [domain.decode([0.5])] * n)
    search = dw.Search({"x": dw.uniform(0, 1)}, search=mine)
    assert search.ask(2) == [{"x": 0.5}, {"x": 0.5}]
    with pytest.raises(dw.UsageError, match="keep `history`"):
        search.save(tmp_path / "x.json")


@pytest.mark.parametrize(
    ("told", "kept"),
    [(1, 1.0), (np.float32(0.5), 0.5), (np.array(2.0), 2.0), (math.nan, math.inf),
     (-math.inf, math.inf)],
)  # fmt: skip
def test_scores_are_numbers_and_what_is_not_finite_has_failed(told: float, kept: float) -> None:
    search = dw.Search({"x": dw.uniform(0, 1)})
    search.tell({"x": 0.5}, told)
    assert search.history[0].score == kept


@pytest.mark.parametrize("told", ["1", None, True, [1.0, 2.0], 1j])
def test_what_is_no_number_is_refused(told: object) -> None:
    search = dw.Search({"x": dw.uniform(0, 1)})
    with pytest.raises(dw.UsageError, match="a score must be one number"):
        search.tell({"x": 0.5}, told)  # type: ignore[arg-type]


@pytest.mark.parametrize("values", [{"x": 3.0}, {}, {"x": [0.5]}, {"x": "a"}])
def test_points_outside_are_refused(values: dict) -> None:
    with pytest.raises(dw.UsageError, match="must lie in the space"):
        dw.Search({"x": dw.uniform(0, 1)}).tell(values, 1.0)


def test_wrong_arguments_are_refused_in_a_sentence() -> None:
    space = {"x": dw.uniform(0, 1)}
    for arguments, match in (
        ({"seed": -1}, "`seed` must be"),
        ({"n": 0}, "`n` must be"),
        ({"search": "gird"}, 'did you mean "grid"'),
    ):
        with pytest.raises(dw.UsageError, match=match):
            dw.Search(space, **arguments)
    with pytest.raises(dw.UsageError, match="must be a mapping"):
        dw.Search([1, 2])  # type: ignore[arg-type]
    with pytest.raises(dw.UsageError, match="`n` must be"):
        dw.Search(space).ask(0)


def test_files_of_others_are_refused(tmp_path: Path) -> None:
    with pytest.raises(dw.UsageError, match="cannot read"):
        dw.Search.load(tmp_path / "none.json")
    for text, match in (
        ("[]", "`Search.save` wrote"),
        ("{", "cannot read"),
        ('{"format": "deepwell search", "version": 9}', "later Deepwell"),
    ):
        (tmp_path / "x.json").write_text(text, "utf-8")
        with pytest.raises(dw.UsageError, match=match):
            dw.Search.load(tmp_path / "x.json")
    with pytest.raises(dw.UsageError, match="cannot write"):
        dw.Search({"x": dw.uniform(0, 1)}).save(tmp_path / "none" / "x.json")


def test_nothing_of_it_loads_jax() -> None:
    code = (
        "import sys, deepwell as dw; "
        "dw.minimize_blackbox(lambda v: v['x'], {'x': dw.uniform(0, 1)}, n=3); "
        "sys.exit('jax' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", SAMPLERS)
def test_conditions_and_constraints_hold_and_are_kept(name: str, tmp_path: Path) -> None:
    domain = Domain(
        {
            "kind": ["sgd", "momentum"],
            "rate": dw.log(1e-4, 1),
            "momentum": when(dw.uniform(0.5, 0.99), kind="momentum"),
            "k": dw.integer(1, 8),
        },
        ["rate * k <= 1"],
    )
    search = dw.Search(domain, search=name, seed=2)
    for _ in range(6):
        for values in search.ask(4):
            assert ("momentum" in values) == (values["kind"] == "momentum")
            assert values["rate"] * values["k"] <= 1  # type: ignore[operator]
            search.tell(values, values["rate"])  # type: ignore[arg-type]
    search.save(tmp_path / "search.json")
    assert dw.Search.load(tmp_path / "search.json").ask(3) == search.ask(3)


def test_a_space_of_networks_is_kept_as_one(tmp_path: Path) -> None:
    search = dw.Search(dw.Space({"hidden_layers": [0, 1], "hidden_units": [8, 16]}), seed=0)
    search.ask(3)  # all three networks: without a layer there are no units
    search.save(tmp_path / "search.json")
    loaded = dw.Search.load(tmp_path / "search.json")
    assert isinstance(loaded.space, dw.Space)
    assert loaded.ask(2) == search.ask(2)


@pytest.mark.parametrize("entry", [[None, 3, 5], None, {"a": 1}, [(1, None)], when(None, k=1)])
def test_values_that_are_none_are_refused(entry: object) -> None:
    with pytest.raises(dw.UsageError, match="`d` must be numbers, words or tuples"):
        dw.Search({"k": [1, 2], "d": entry})


def test_a_score_beyond_all_floats_has_failed() -> None:
    search = dw.Search({"x": dw.uniform(0, 1)})
    search.tell({"x": 0.5}, 10**400)
    assert search.history[0].score == math.inf


@pytest.mark.parametrize(
    "damage",
    [{"space": None}, {"calls": -1}, {"calls": "1"}, {"history": [{}]}, {"history": 3},
     {"search": None}, {"space": [{"name": "x", "kind": "log"}]}, {"seed": None},
     {"history": [{"values": 1}]}],
)  # fmt: skip
def test_damaged_files_are_refused(damage: dict, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    dw.Search({"x": dw.uniform(0, 1)}, search="random").save(path)
    kept = json.loads(path.read_text("utf-8"))
    for changed in (kept | damage, {k: v for k, v in kept.items() if k not in damage}):
        path.write_text(json.dumps(changed), "utf-8")
        with pytest.raises(dw.UsageError):
            dw.Search.load(path)
    path.write_text("[" * 200_000, "utf-8")
    with pytest.raises(dw.UsageError, match="cannot read"):
        dw.Search.load(path)


def test_a_point_of_your_own_needs_no_value_of_what_does_not_exist() -> None:
    space = {"k": ["a", "b"], "x": when(dw.uniform(0, 1), k="a")}
    search = dw.Search(space, search="random")
    search.tell({"k": "b"}, 1.0)
    assert search.history[0].values == {"k": "b"}
    assert search.history[0].score == 1.0
    assert len(search.ask(3)) == 3


def test_what_is_no_point_of_the_space_is_told_for_none_that_is_out() -> None:
    search = dw.Search(SPACE, search="random", history=[dw.Observation({"other": 1.0})])
    with pytest.raises(dw.UsageError, match="must lie in the space"):
        search.tell({"x": 0.5}, 1.0)
