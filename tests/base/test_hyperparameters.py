"""The table of hyperparameters: wrong values are refused in one sentence, the rest completed."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepwell._base._changes import Changes
from deepwell._base._constraints import EachOf, IntegerInterval, Interval, OneOf
from deepwell._base._errors import UsageError
from deepwell._base._hyperparameters import (
    ACTIVATIONS,
    HYPERPARAMETERS,
    Hyperparameter,
    complete,
    declaration,
    default_initializer,
    validate,
)

DECLARED = list(HYPERPARAMETERS.values())
WRONG = [(h.name, value) for h in DECLARED for value in h.constraint.wrong_values()]


def right_values(declared: Hyperparameter) -> st.SearchStrategy:
    """Return values that the declaration allows."""
    match declared.constraint:
        case Interval(low, high, low_closed, high_closed):
            return st.floats(
                low,
                min(high, 1e9),
                exclude_min=not low_closed,
                exclude_max=not high_closed and high < 1e9,
            )
        case IntegerInterval(low, high, odd):
            return st.integers(low, high).filter(lambda n: n % 2 == 1 or not odd)
        case OneOf(choices):
            return st.sampled_from(choices)
        case EachOf(item):
            one = right_values(dataclasses.replace(declared, constraint=item))
            return one | st.lists(one, min_size=1, max_size=5).map(tuple)
        case Changes():
            rate = st.floats(1e-6, 1.0).map(lambda r: f"learning_rate={float(f'{r:g}'):g}")
            decay = st.integers(1, 9).map(lambda n: f"decay_every={n}")
            changes = st.dictionaries(st.integers(1, 99), rate | decay, min_size=1, max_size=4)
            return st.just("none") | changes.map(
                lambda c: "; ".join(f"{epoch}: {text}" for epoch, text in sorted(c.items()))
            )


@pytest.mark.parametrize(("name", "value"), WRONG, ids=repr)
def test_a_wrong_value_is_refused_in_one_sentence(name: str, value: object) -> None:
    declared = HYPERPARAMETERS[name]
    with pytest.raises(UsageError) as caught:
        validate(name, value)
    text = str(caught.value)
    assert text.startswith(f"`{name}` must be {declared.constraint.describe()}, got {value!r}")
    assert text.endswith(declared.tip)
    assert "\n" not in text


def test_every_hyperparameter_has_wrong_values() -> None:
    assert {name for name, _ in WRONG} == set(HYPERPARAMETERS)


@pytest.mark.parametrize("declared", DECLARED, ids=lambda h: h.name)
def test_a_default_is_allowed_and_explained(declared: Hyperparameter) -> None:
    assert re.fullmatch(r"[A-Z].*\.", declared.doc)
    if declared.default is not None:
        assert validate(declared.name, declared.default) == declared.default


@given(st.data())
def test_right_values_are_taken_as_they_are(data: st.DataObject) -> None:
    declared = data.draw(st.sampled_from(DECLARED))
    value = data.draw(right_values(declared))
    stored = validate(declared.name, value)
    assert stored == value
    constraint = declared.constraint
    item = constraint.item if isinstance(constraint, EachOf) else constraint
    for one in stored if isinstance(stored, tuple) else (stored,):
        assert isinstance(one, float) == isinstance(item, Interval)
    assert validate(declared.name, stored) == stored


@pytest.mark.parametrize(
    ("name", "value", "stored"),
    [
        ("learning_rate", 1, 1.0),
        ("learning_rate", np.float32(0.5), 0.5),
        ("dropout", np.float64(0.25), 0.25),
        ("batch_size", np.int64(32), 32),
        ("hidden_units", [32, 16], (32, 16)),
        ("hidden_units", np.array([32, 16]), (32, 16)),
        ("hidden_units", (np.int32(8),), (8,)),
    ],
)
def test_values_are_stored_as_pythons_own(name: str, value: object, stored: object) -> None:
    got = validate(name, value)
    assert got == stored
    assert type(got) is type(stored)
    assert {type(v) for v in got} == {int} if isinstance(got, tuple) else True


def test_messages_are_those_of_the_style_guide() -> None:
    with pytest.raises(UsageError) as caught:
        validate("dropout", 1.2)
    assert str(caught.value) == (
        "`dropout` must be in [0, 1), got 1.2; use 0.2 to drop one unit in five"
    )
    with pytest.raises(UsageError) as caught:
        validate("optimizer", "adm")
    assert str(caught.value).endswith("got 'adm'; did you mean \"adam\"?")
    with pytest.raises(
        UsageError, match=r"got 'AdamW'; AdamW is adam with weight_decay 0.01, l2 0$"
    ):
        validate("optimizer", "AdamW")


@pytest.mark.parametrize("name", ["beta1", "beta2", "batch_norm_momentum"])
def test_weights_of_the_past_that_are_1_in_float32_are_refused(name: str) -> None:
    constraint = HYPERPARAMETERS[name].constraint
    assert isinstance(constraint, Interval)
    assert np.float32(constraint.high) < 1
    assert validate(name, constraint.high) == constraint.high
    assert np.float32(0.99999999) == 1
    with pytest.raises(
        UsageError, match=rf"`{name}` must be in \[0, 0\.999999\], got 0\.99999999;"
    ):
        validate(name, 0.99999999)


def test_an_unknown_name_is_refused_with_the_closest() -> None:
    with pytest.raises(UsageError, match='unknown hyperparameter "lerning_rate"; did you mean "l'):
        declaration("lerning_rate")
    with pytest.raises(UsageError, match="known: learning_rate, "):
        complete({"momentun": 0.9})


@pytest.mark.parametrize(
    ("given_", "stored"),
    [
        ("none", "none"),
        ({}, "none"),
        ("10:learning_rate=1e-3", "10: learning_rate=0.001"),
        ({20: {"dropout": (0.1, 0.25)}, 3: {"l2": 0}}, "3: l2=0; 20: dropout=[0.1, 0.25]"),
        (["20:dropout=.1", "3: l1=1, l2=2e-07"], "3: l1=1; 3: l2=2e-07; 20: dropout=0.1"),
        ("7: learning_rate=0.12345678901", "7: learning_rate=0.12345678901"),
        ("1: momentum=0, beta1=0.5", "1: momentum=0; 1: beta1=0.5"),
    ],
)
def test_changes_are_stored_in_one_form(given_: object, stored: str) -> None:
    assert validate("change", given_) == stored
    assert validate("change", stored) == stored
    assert complete({"change": given_})["change"] == stored


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("3: learning_rate=-1", "`change` after epoch 3: `learning_rate` must be above 0, got -1;"),
        ("3: dropout=1.5", "`change` after epoch 3: `dropout` must be in [0, 1), got 1.5;"),
        ("3: dropout=[0.1, 2]", "`change` after epoch 3: `dropout` must be in [0, 1), got [0.1, 2"),
        ("3: momentum=much", "`change` after epoch 3: `momentum` must be in [0, 1), got 'much';"),
        ("3: decay_every=2.5", "`decay_every` must be a whole number from 1 to 1,000,000, got 2.5"),
        ("0: l2=1", "`change` must come after an epoch from 1 to 1,000,000, got 0;"),
        ("3: hidden_units=5", "`hidden_units` cannot change while a network trains; what can: l"),
        ("3: optimizer=sgd", "`optimizer` cannot change while a network trains"),
        ("3: epochs=9", "`epochs` cannot change while a network trains"),
        ("3: change=none", "`change` cannot change while a network trains"),
        ("3: lerning_rate=1", 'cannot change while a network trains; did you mean "learning_rate"'),
        ("3: l2=1; 3: l2=2", "`change` gives `l2` twice after epoch 3; give it once"),
    ],
)
def test_changes_that_cannot_be_are_refused(text: str, sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        validate("change", text)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_changed_rates_fit_the_layers() -> None:
    assert complete({"hidden_layers": 3, "change": "2: dropout=[0.1, 0, 0.2]"})
    with pytest.raises(UsageError, match="`dropout` lists 3 layers but there are 2 hidden layers"):
        complete({"change": "2: dropout=[0.1, 0, 0.2]"})


def test_hostile_text_is_made_harmless_and_short() -> None:
    with pytest.raises(UsageError) as caught:
        declaration("\x1b[31m\u202erate")
    assert "\x1b" not in str(caught.value)
    assert "\u202e" not in str(caught.value)
    with pytest.raises(UsageError) as caught:
        validate("activation", "\x1b[2J" + "a" * 10_000)
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 300


@given(st.data())
def test_complete_says_all_and_is_stable(data: st.DataObject) -> None:
    names = data.draw(st.sets(st.sampled_from(list(HYPERPARAMETERS))))
    given_values = {n: data.draw(right_values(HYPERPARAMETERS[n])) for n in sorted(names)}
    units = given_values.get("hidden_units")
    if isinstance(units, tuple) and "hidden_layers" in given_values:
        given_values["hidden_layers"] = len(units)
    channels = given_values.get("conv_channels")
    if isinstance(channels, tuple) and "conv_layers" in given_values:
        given_values["conv_layers"] = len(channels)
    if isinstance(given_values.get("dropout"), tuple):
        rates = given_values.pop("dropout")
        layers = complete(given_values)["hidden_layers"]
        given_values |= {"dropout": rates[:1] * layers} if layers else {}
    full = complete(given_values)
    assert set(full) == set(HYPERPARAMETERS)
    assert len(full["hidden_units"]) == full["hidden_layers"]
    assert len(full["conv_channels"]) == full["conv_layers"]
    assert full["initializer"] != "auto"
    listed = {"hidden_units", "hidden_layers", "conv_channels", "conv_layers"}
    kept = set(given_values) - listed - {"initializer"}
    assert {n: full[n] for n in kept} == {n: given_values[n] for n in kept}
    assert complete(full) == full


def test_complete_repeats_one_number_of_units_for_each_layer() -> None:
    assert complete({"hidden_layers": 3, "hidden_units": 8})["hidden_units"] == (8, 8, 8)
    assert complete({"hidden_units": [8, 4]})["hidden_layers"] == 2
    assert complete({"hidden_layers": 0})["hidden_units"] == ()
    assert complete({"hidden_layers": 0, "hidden_units": []})["hidden_units"] == ()


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"hidden_units": [8, 4], "hidden_layers": 3}, "lists 2 layers but `hidden_layers` is 3"),
        ({"hidden_units": [8], "hidden_layers": 0}, "lists 1 layers but `hidden_layers` is 0"),
        ({"hidden_units": []}, "`hidden_units` must be"),
        ({"hidden_units": [], "hidden_layers": 1}, "`hidden_units` must be"),
        ({"dropout": [0.1], "hidden_layers": 2}, "`dropout` lists 1 layers but there are 2"),
        ({"dropout": [0.1, 0.2], "hidden_units": [8]}, "`dropout` lists 2 layers but there are 1"),
        ({"dropout": [0.1, 1.0]}, "`dropout` must be in [0, 1), got [0.1, 1.0]"),
        ({"hidden_units": [1] * 65}, "`hidden_layers` must be a whole number from 0 to 64, got 65"),
    ],
)
def test_layers_units_and_rates_must_agree(wrong: dict[str, object], text: str) -> None:
    with pytest.raises(UsageError, match=re.escape(text)):
        complete(wrong)


def test_beta2_and_initializer_follow_what_they_depend_on() -> None:
    assert complete({})["beta2"] == 0.999
    assert complete({"optimizer": "rmsprop"})["beta2"] == 0.9
    assert complete({"optimizer": "rmsprop", "beta2": 0.5})["beta2"] == 0.5
    assert complete({"activation": "tanh"})["initializer"] == "lecun"
    assert complete({"activation": "tanh", "initializer": "he"})["initializer"] == "he"
    cut = {name for name in ACTIVATIONS if default_initializer(name) == "he"}
    assert cut == {"relu", "leaky_relu", "elu", "gelu", "silu"}
