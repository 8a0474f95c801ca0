"""Constraints between values: the grammar, what they mean, and spaces that they leave nothing."""

import operator

import hypothesis
import hypothesis.strategies as st
import pytest

import deepwell as dw
from deepwell._base._errors import UsageError
from deepwell.records import TrialSpec
from deepwell.search import Constraint, Domain, with_fixed

VALUES = {"a": 3, "b": 0.5, "c": 2, "list": (4, 1, 2)}


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("a * c <= 6", True),
        ("a*c<6", False),
        ("a + c * 2 == 7", True),
        ("(a + c) * 2 == 10", True),
        ("a - c - 1 == 0", True),
        ("a / c / b == 3", True),
        ("-a ** 2 == -9", True),
        ("2 ** c ** 3 == 256", True),
        ("2 ** -1 == b", True),
        ("--a == +3", True),
        ("1 < b * 4 <= c < a", True),
        ("1 < b < c", False),
        ("a != 3", False),
        ("1e-1 * a >= .3", True),
        ("list[1] >= list[2]", True),
        ("list[3] <= list[2]", False),
        ("sum(list) == 7", True),
        ("max(list) - min(list) == a", True),
        ("list[4] > 100", True),  # there is no fourth layer
        ("absent > 100", True),
        ("sum(absent) > 100", True),
        ("a / (c - 2) > 0", False),
        ("(0 - a) ** b > 0", False),
        ("10 ** 300 ** c > a", False),
    ],
)
def test_a_constraint_is_what_it_says(text: str, held: bool) -> None:
    assert Constraint(text).holds(VALUES) is held


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it ends too soon"),
        ("a * b", "it compares nothing"),
        ("1 < 2", "it names no hyperparameter"),
        ("a <= ", "it ends too soon"),
        ("a <= 3 b", 'cannot go on at "b"'),
        ("a = 3", 'cannot read "= 3"'),
        ("a => 3", 'cannot read "=> 3"'),
        ("a < 3x", 'cannot read "3x"'),
        ("a < 1.2.3", "cannot read"),
        ("(a < 3", r'"\)" is missing'),
        ("a) < 3", r'cannot go on at "\)"'),
        ("a[0] < 3", "is its first layer"),
        ("a[b] < 3", "is missing|is its first layer"),
        ("a[1.5] < 3", "is its first layer"),
        ("sum(1) < 3", "takes the name of a list"),
        ("sum(a + b) < 3", r'"\)" is missing'),
        ("abs(a) < 3", 'there is no "abs'),
        ("__import__('os') < 3", "there is no"),
        ("a.b < 3", "cannot read"),
        ("(" * 30 + "a" + ")" * 30 + " < 3", "more than 20 deep"),
        ("a" + "**a" * 30 + " < 3", "more than 20 deep"),
        ("a < " + "1" * 600, "may have 500 characters"),
    ],
)
def test_text_that_is_none_is_refused(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Constraint(text)


@hypothesis.given(st.text(alphabet="ab1 .*+-/<>=()[]!esum", max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        constraint = Constraint(text)
    except UsageError:
        return
    assert isinstance(constraint.holds({"a": 1, "b": 2.5}), bool)


NUMBERS = st.integers(-9, 9)


@hypothesis.given(
    NUMBERS, NUMBERS, NUMBERS, st.sampled_from("+-*"), st.sampled_from("+-*"), st.booleans()
)
def test_sums_and_products_bind_as_in_python(x, y, z, first, second, bracketed) -> None:
    signs = {"+": operator.add, "-": operator.sub, "*": operator.mul}
    if bracketed or (second == "*" and first != "*"):
        value = signs[first](x, signs[second](y, z))
    else:
        value = signs[second](signs[first](x, y), z)
    inside = f"a {first} (b {second} c)" if bracketed else f"a {first} b {second} c"
    assert Constraint(f"{inside} == {value}").holds({"a": x, "b": y, "c": z})
    assert not Constraint(f"{inside} > {value}").holds({"a": x, "b": y, "c": z})


def test_a_space_allows_what_obeys_listed_or_completed() -> None:
    space = dw.Space(
        {"hidden_layers": dw.integer(0, 3), "hidden_units": dw.integer(16, 128)},
        ["hidden_units * hidden_layers <= 256"],
    )
    assert space.constraints == ("hidden_units * hidden_layers <= 256",)
    for layers, units, allowed in [(3, 64, True), (3, 100, False), (0, 128, True)]:
        values = {"hidden_layers": layers, "hidden_units": units}
        assert space.allowed(values) is allowed
        assert space.allowed(TrialSpec(values, seed=0).hyperparameters) is allowed


def test_each_constraint_must_hold_and_a_missing_layer_breaks_none() -> None:
    space = dw.Space(
        {"hidden_layers": dw.integer(1, 3), "hidden_units": dw.per_layer(dw.integer(8, 64))},
        ["hidden_units[2] <= hidden_units[1]", "sum(hidden_units) <= 100"],
    )
    for units, allowed in [((64,), True), ((32, 64), False), ((64, 32), True), ((64, 64), False)]:
        assert space.allowed({"hidden_layers": len(units), "hidden_units": units}) is allowed


@pytest.mark.parametrize(
    ("constraint", "said"),
    [
        ("batch_size <= 128", "`batch_size`, which is not in the space"),
        ("activation < 3", "must compare numbers"),
        ("hidden_units < 300", "is a list; write sum, min or max of it"),
        ("sum(hidden_layers) < 3", "write its name alone"),
        ("learning_rate > 1", "leaves none of 10,000 random points"),
        ("learning_rate > 0.9999", "leaves (none|only [1-9]) of 10,000 random points"),
    ],
)
def test_constraints_that_make_no_sense_in_a_space_are_refused(constraint: str, said: str) -> None:
    entries = {
        "hidden_layers": dw.integer(1, 3),
        "hidden_units": dw.per_layer(dw.integer(16, 128)),
        "activation": ["relu", "tanh"],
        "learning_rate": dw.log(1e-4, 1),
    }
    with pytest.raises(UsageError, match=said):
        dw.Space(entries, [constraint])


def test_of_a_small_finite_domain_one_point_is_enough() -> None:
    entries = {"a": dw.integer(1, 90), "b": dw.integer(1, 90)}
    assert len(list(Domain(entries, ["a + b == 2"]).points())) == 1
    with pytest.raises(UsageError, match="leaves none of the space's points"):
        Domain(entries, ["a + b < 2"])


def test_constraints_are_a_list_of_texts() -> None:
    with pytest.raises(UsageError, match="must be a list of texts"):
        dw.Space({"l2": [0, 1]}, "l2 < 1")
    with pytest.raises(UsageError, match="a constraint must be text"):
        dw.Space({"l2": [0, 1]}, [3])  # type: ignore[list-item]
    assert dw.Space({"l2": [0, 1]}, ["l2 < 1", "l2  <  1"]).constraints == ("l2 < 1",)


def test_fixing_a_value_keeps_the_constraints_and_checks_them() -> None:
    space = dw.Space(
        {"hidden_layers": dw.integer(1, 3), "hidden_units": dw.integer(16, 128)},
        ["hidden_units * hidden_layers <= 256"],
    )
    fixed = with_fixed(space, {"hidden_layers": 3}, ["hidden_units >= 32"])
    assert fixed.constraints == ("hidden_units * hidden_layers <= 256", "hidden_units >= 32")
    assert with_fixed(space, {"hidden_layers": 0}).constraints == ()
    with pytest.raises(UsageError, match="leaves none"):
        with_fixed(space, {"hidden_layers": 3, "hidden_units": 128})


def test_a_list_in_place_of_a_number_does_not_obey() -> None:
    space = dw.Space({"hidden_units": dw.integer(8, 64)}, ["hidden_units <= 100"])
    assert not space.allowed({"hidden_units": (64, 32)})
    assert space.allowed({"hidden_units": 64})
    assert not Constraint("sum(x) <= 3").holds({"x": 2})
