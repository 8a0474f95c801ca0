"""A specification says all that a curve depends on, survives JSON and names its structure."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepwell._base._changes import Changes
from deepwell._base._constraints import EachOf, IntegerInterval, Interval, OneOf
from deepwell._base._errors import UsageError
from deepwell._base._hyperparameters import HYPERPARAMETERS
from deepwell.records import TrialSpec


@st.composite
def specs(draw: st.DrawFn) -> TrialSpec:
    """Draw any specification."""
    values: dict[str, object] = {}
    for name, declared in HYPERPARAMETERS.items():
        match declared.constraint:
            case Interval(low, high, low_closed, high_closed):
                top = min(high, 1e6)
                ends = {"exclude_min": not low_closed, "exclude_max": not high_closed and top < 1e6}
                values[name] = draw(st.floats(low, top, **ends))
            case IntegerInterval(low, high, odd):
                whole = st.integers(low, high)
                values[name] = draw(whole.filter(lambda n, odd=odd: n % 2 == 1 or not odd))
            case OneOf(choices):
                values[name] = draw(st.sampled_from(choices))
            case EachOf(item):
                real = isinstance(item, Interval)
                values[name] = draw(
                    st.floats(item.low, item.high, exclude_max=True)
                    if real
                    else st.integers(item.low, item.high)
                )
            case Changes():
                rate = draw(st.floats(0, 1, exclude_min=True))
                values[name] = draw(st.sampled_from(["none", f"3: learning_rate={rate!r}"]))
    if draw(st.booleans()):
        layers = values["hidden_layers"] = draw(st.integers(0, 4))
        units = st.lists(st.integers(1, 99), min_size=layers, max_size=layers)
        values["hidden_units"] = draw(units)
    return TrialSpec(
        values,
        seed=draw(st.integers(-(2**63), 2**64)),
        order_seed=draw(st.integers(0, 2**32)),
        dtype=draw(st.sampled_from(["float32", "float64"])),
        **draw(st.sampled_from([{}, {"fold": 2, "folds": 3}, {"rows": 70, "subset": 4}])),
    )


@given(specs())
def test_json_and_back_is_the_same_to_the_last_bit(spec: TrialSpec) -> None:
    text = spec.to_json()
    back = TrialSpec.from_json(text)
    assert back == spec
    assert hash(back) == hash(spec)
    assert back.to_json() == text
    assert "\n" not in text
    assert dict(back.hyperparameters) == dict(spec.hyperparameters)
    assert back.structure() == spec.structure()


@given(specs(), st.integers(0, 100))
def test_replace_changes_one_thing(spec: TrialSpec, seed: int) -> None:
    other = dataclasses.replace(spec, seed=seed)
    assert other.hyperparameters == spec.hyperparameters
    assert (other == spec) == (seed == spec.seed)


def test_every_hyperparameter_is_said() -> None:
    spec = TrialSpec({"learning_rate": 0.01, "hidden_units": [8, 4]}, seed=1)
    assert set(spec.hyperparameters) == set(HYPERPARAMETERS)
    assert spec.number("learning_rate") == spec["learning_rate"] == 0.01
    assert spec.hidden_units == (8, 4)
    assert spec.whole("hidden_layers") == 2
    assert spec.text("activation") == "relu"


def test_a_specification_cannot_be_changed() -> None:
    spec = TrialSpec({}, seed=1)
    with pytest.raises(TypeError):
        spec.hyperparameters["dropout"] = 0.5  # type: ignore[index]
    with pytest.raises(dataclasses.FrozenInstanceError):
        spec.seed = 2  # type: ignore[misc]


def test_what_was_given_may_change_later_without_effect() -> None:
    given_values = {"dropout": 0.1}
    spec = TrialSpec(given_values, seed=1)
    given_values["dropout"] = 0.9
    assert spec["dropout"] == 0.1


def test_numbers_share_a_structure_and_choices_do_not() -> None:
    spec = TrialSpec({"dropout": 0.1}, seed=1)
    same = {"learning_rate": 0.1, "dropout": 0.3, "l2": 0.1, "decay": "inverse_time", "epochs": 9}
    assert TrialSpec(same, seed=2, order_seed=3).structure() == spec.structure()
    for name, value in {
        "hidden_layers": 3,
        "hidden_units": 65,
        "activation": "tanh",
        "optimizer": "sgd",
        "batch_size": 32,
        "dropout": 0.0,
    }.items():
        other = TrialSpec({"dropout": 0.1, name: value}, seed=1)
        assert other.structure() != spec.structure(), name
    assert TrialSpec({"dropout": 0.1}, 1, dtype="float64").structure() != spec.structure()
    assert len({spec.structure()}) == 1  # hashable: programs are looked up by it


def test_a_specification_of_before_the_parts_trains_on_all_rows() -> None:
    text = TrialSpec({}, seed=1).to_json()
    assert "rows" not in json.loads(text)
    assert TrialSpec.from_json(text).rows == TrialSpec.from_json(text).subset == 0


def test_seeds_of_numpy_become_pythons_own() -> None:
    spec = TrialSpec({}, seed=np.uint32(7), order_seed=np.int64(3))  # type: ignore[arg-type]
    assert json.loads(spec.to_json())["seed"] == 7
    assert spec == TrialSpec({}, seed=7, order_seed=3)


def test_wrong_parts_are_refused() -> None:
    with pytest.raises(UsageError, match="`dropout` must be in"):
        TrialSpec({"dropout": 1.5}, seed=1)
    with pytest.raises(UsageError, match="`dtype` must be float32 or float64, got 'float16'"):
        TrialSpec({}, seed=1, dtype="float16")
    with pytest.raises(UsageError, match="both be 1 or more, or both 0, got 7 rows of subset 0"):
        TrialSpec({}, seed=1, rows=7)
    with pytest.raises(TypeError):
        TrialSpec({}, seed=1.5)  # type: ignore[arg-type]
