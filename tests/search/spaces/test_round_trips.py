"""Value <-> unit cube for every kind of entry, alone and nested, in random spaces."""

from typing import Any

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

import deepwell as dw
from deepwell._base._constraints import EachOf, IntegerInterval, Interval, OneOf
from deepwell._base._hyperparameters import HYPERPARAMETERS, complete
from deepwell.records import TrialSpec
from deepwell.search import Space, parse_entry
from deepwell.search.spaces._plain import space_from_plain, space_to_plain

UNIT = st.floats(0, 1)


@st.composite
def ranges(draw: Any, low: float, high: float) -> Any:
    """Real ranges inside [low, high), of every kind that fits."""
    ends = st.floats(low, high, exclude_max=True)
    a, b = sorted((draw(ends), draw(ends)))
    hypothesis.assume(b - a > 1e-6 * max(1.0, abs(b)))
    kinds = [dw.uniform]
    if a > 1e-9 and b > 1.001 * a:
        kinds.append(dw.log)
    if b < 1 - 1e-6 and (1 - a) > 1.001 * (1 - b):
        kinds.append(dw.one_minus_log)
    return draw(st.sampled_from(kinds))(a, b)


WHOLE = st.builds(
    lambda low, more: dw.integer(low, low + more), st.integers(1, 99), st.integers(0, 99)
)
UNITS = WHOLE | st.lists(st.integers(1, 200), min_size=1, max_size=4, unique=True)
RATES = ranges(0.0, 0.9) | st.lists(st.floats(0, 0.9), min_size=1, max_size=3, unique=True)


@st.composite
def spaces(draw: Any) -> Space:
    entries: dict[str, object] = {
        "hidden_layers": draw(st.sampled_from([1, dw.integer(0, 3), dw.choice(3, 1), 0])),
        "optimizer": draw(st.sampled_from([["adam", "momentum", "nesterov"], "momentum"])),
        "learning_rate": draw(ranges(1e-6, 10.0)),
    }
    units, rates, each = draw(UNITS), draw(RATES), draw(st.booleans())
    entries["hidden_units"] = dw.per_layer(units) if each else units
    entries["dropout"] = dw.per_layer(rates) if draw(st.booleans()) else rates
    if draw(st.booleans()):
        given = draw(st.sampled_from([["momentum", "nesterov"], "momentum"]))
        entries["momentum"] = dw.when(draw(ranges(0.0, 0.999)), optimizer=given)
    if draw(st.booleans()):
        entries["l2"] = dw.when([0, 0.1], hidden_layers=dw.integer(0, 3), optimizer="momentum")
    names = draw(st.permutations(list(entries)))
    return Space({name: entries[name] for name in names})


def same(one: Any, other: Any) -> bool:
    if isinstance(one, tuple):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, float):
        # Near 1 the map of one_minus_log loses what 1 - value has not.
        return other == pytest.approx(one, rel=1e-9, abs=1e-12)
    return one == other


@hypothesis.settings(max_examples=150, deadline=None)
@hypothesis.given(spaces(), st.data())
def test_points_and_values_go_into_each_other(space: Space, data: Any) -> None:
    unit = np.array(data.draw(st.lists(UNIT, min_size=(d := len(space.axes)), max_size=d)))
    values = space.decode(unit)
    point = space.encode(values)
    assert point is not None
    active = space.active(values)
    assert (point[~active] == 0.5).all()
    for axis, u, p, on in zip(space.axes, unit, point, active, strict=True):
        if on:  # a discrete value is at the middle of its share, a real one where it was
            near = 0.5 / axis.count if axis.count else 0.0
            assert abs(u - p) <= near + 1e-5
    back = space.decode(point)
    assert list(back) == list(values)
    assert all(same(back[name], value) for name, value in values.items())
    completed = TrialSpec(values, seed=0).hyperparameters
    again = space.encode(completed)
    assert again is not None
    assert again.tolist() == point.tolist()
    assert space.active(completed).tolist() == active.tolist()
    assert space.identity(completed) == space.identity(values)
    changed = np.where(active, unit, data.draw(UNIT))
    assert space.identity(space.decode(changed)) == space.identity(values)


@hypothesis.settings(max_examples=80, deadline=None)
@hypothesis.given(spaces())
def test_words_and_plain_values_are_read_back(space: Space) -> None:
    read = dict(parse_entry(f"{name}={text}") for name, text in space.describe().items())
    assert Space(read) == space
    assert space_from_plain(space_to_plain(space)) == space


def _entry(name: str) -> Any:
    """Return some range of a declared hyperparameter."""
    declared = HYPERPARAMETERS[name]
    constraint = declared.constraint
    item = constraint.item if isinstance(constraint, EachOf) else constraint
    if isinstance(item, OneOf):
        return [choice for choice in item.choices if choice != "auto"]
    if isinstance(item, IntegerInterval):
        high = min(item.high, item.low + 4)
        return [n for n in range(item.low, high + 1) if item.accepts(n)]
    if isinstance(item, Interval):
        return dw.uniform(item.low + 1e-3, min(item.low + 0.9, item.high))
    return ["none", "3: l2=0.1", {5: {"learning_rate": 0.01}}]


@pytest.mark.parametrize("name", HYPERPARAMETERS)
def test_every_hyperparameter_is_read_back_once_it_was_completed(name: str) -> None:
    beside = {"conv_layers": 2} if name == "conv_channels" else {}
    space = Space({name: _entry(name), **beside})
    for unit in (0.0, 0.3, 0.7, 1.0):
        values = space.decode([unit])
        completed = complete(values)
        point = space.encode(completed)
        assert point is not None, completed
        assert space.decode(point) == pytest.approx(values)
        assert space.identity(completed) == space.identity(values)
        assert space.active(completed).tolist() == [True]


def test_an_initializer_that_follows_the_activation_is_read_back() -> None:
    space = Space({"initializer": ["glorot", "auto"], "activation": ["relu", "tanh"]})
    for unit in ([0.9, 0.1], [0.9, 0.9], [0.1, 0.1]):
        values = space.decode(unit)
        point = space.encode(complete(values))
        assert point is not None
        assert space.decode(point) == values
        assert space.identity(complete(values)) == space.identity(values)
    assert space.encode({"initializer": "lecun", "activation": "relu"}) is None
    both = Space({"initializer": ["he", "auto"]})
    assert both.identity({"initializer": "he"}) == both.identity({"initializer": "auto"})
