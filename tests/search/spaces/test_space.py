import numpy as np
import pytest

from deepwell._base._constraints import Interval
from deepwell._base._errors import UsageError
from deepwell._base._hyperparameters import HYPERPARAMETERS
from deepwell.records import TrialSpec
from deepwell.search import Space, choice, integer, log, uniform, when, with_fixed
from deepwell.search.spaces._space import with_entries


def test_plain_values_are_fixed_and_lists_are_choices() -> None:
    space = Space({"l2": 0, "activation": ["relu", "tanh"], "hidden_units": (64, 32)})
    assert space.describe() == {
        "l2": "0",
        "activation": "choice(relu, tanh)",
        "hidden_units": "[64, 32]",
    }
    assert space.searched == ("activation",)
    assert space.decode([0.7]) == {"l2": 0.0, "activation": "tanh", "hidden_units": (64, 32)}


def test_a_point_is_a_row_or_a_mapping() -> None:
    space = Space({"learning_rate": log(1e-4, 1), "epochs": 5, "hidden_layers": integer(1, 3)})
    by_row = space.decode(np.array([0.25, 0.99]))
    assert by_row == space.decode({"hidden_layers": 0.99, "learning_rate": 0.25})
    assert by_row["learning_rate"] == pytest.approx(1e-3)
    assert by_row["hidden_layers"] == 3
    with pytest.raises(ValueError, match="shorter"):
        space.decode([0.25])


def test_values_are_stored_as_their_hyperparameter_stores_them() -> None:
    decoded = Space({"dropout": 0, "learning_rate": [1, 0.1]}).decode([0.0])
    assert [type(v) for v in decoded.values()] == [float, float]


def test_cardinality_is_finite_only_when_every_axis_is() -> None:
    finite = Space({"hidden_layers": integer(1, 3), "activation": ["relu", "tanh"], "l2": 0})
    assert finite.cardinality() == 6
    assert Space({**finite, "dropout": uniform(0, 0.5)}).cardinality() is None
    assert Space({}).cardinality() == 1


@pytest.mark.parametrize("name", HYPERPARAMETERS)
def test_every_declared_constraint_guards_fixed_values_choices_and_ends(name: str) -> None:
    declared = HYPERPARAMETERS[name]
    good = declared.default if declared.default is not None else 0.9
    assert Space({name: good}).decode([])[name] == good
    for wrong in declared.constraint.wrong_values():
        if isinstance(wrong, list):
            continue  # a list is a choice between its values
        with pytest.raises(UsageError, match=name):
            Space({name: wrong})
        with pytest.raises(UsageError, match=name):
            Space({name: choice(good, wrong)})


@pytest.mark.parametrize(
    "name", [n for n, h in HYPERPARAMETERS.items() if isinstance(h.constraint, Interval)]
)
def test_both_ends_of_a_range_are_checked(name: str) -> None:
    constraint = HYPERPARAMETERS[name].constraint
    assert isinstance(constraint, Interval)
    with pytest.raises(UsageError, match=name):
        Space({name: uniform(constraint.low - 1, constraint.low + 0.5)})
    if constraint.high < 2:
        with pytest.raises(UsageError, match=name):
            Space({name: uniform(constraint.low + 0.5, constraint.high + 1)})


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ({"learning_rat": 0.1}, 'did you mean "learning_rate"'),
        ({"hidden_units": log(16, 128)}, r"write something like integer\(16, 128\)"),
        ({"activation": uniform(0, 1)}, r"write something like choice\(sigmoid, tanh\)"),
        ({"activation": ["relu", "tanhh"]}, 'did you mean "tanh"'),
        ({"activation": []}, "at least one value"),
        ({"hidden_units": (64, 32), "hidden_layers": integer(1, 3)}, "left out or agree"),
        ({"hidden_units": [(64, 32), (8,)], "hidden_layers": 2}, "left out or agree"),
        ({"dropout": (0.5, 0.2), "hidden_layers": integer(1, 3)}, "a rate for each layer"),
        ({"dropout": (0.5, 0.2), "hidden_units": (8, 8, 8)}, "a rate for each layer"),
        ({"dropout": [(0.5, 0.2), (0.1,)], "hidden_layers": 2}, "a rate for each layer"),
        ({"dropout": True}, "dropout"),
    ],
)
def test_entries_that_cannot_be_are_refused(entries: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Space(entries)


def test_lists_of_units_may_stand_beside_the_layers_they_have() -> None:
    space = Space({"hidden_units": [(64, 32), (8, 8)], "hidden_layers": 2})
    assert TrialSpec(space.decode([0.9]), seed=0).hidden_units == (8, 8)


def test_fixing_replaces_a_range_and_keeps_the_rest() -> None:
    space = Space({"learning_rate": log(1e-4, 1), "dropout": uniform(0, 0.5)})
    fixed = with_fixed(space, {"dropout": 0, "batch_size": 32})
    assert fixed.describe() == {
        "learning_rate": "log(0.0001, 1)",
        "dropout": "0",
        "batch_size": "32",
    }
    assert space.describe()["dropout"] == "uniform(0, 0.5)"


def test_fixing_a_list_of_units_also_says_how_many_layers() -> None:
    space = Space({"hidden_layers": integer(1, 3), "hidden_units": integer(16, 64)})
    fixed = with_fixed(space, {"hidden_units": [64, 32]})
    assert fixed.describe() == {"hidden_units": "[64, 32]"}
    with pytest.raises(UsageError, match="left out or agree"):
        with_fixed(space, {"hidden_units": [64, 32], "hidden_layers": 3})


def test_a_network_without_hidden_layers_has_no_units_to_search() -> None:
    space = Space({"l2": 0, "hidden_units": integer(16, 64), "dropout": uniform(0, 0.5)})
    assert list(with_fixed(space, {"hidden_layers": 0})) == ["l2", "hidden_layers"]
    kept = with_fixed(space, {"hidden_layers": 0, "dropout": 0.1})
    assert kept.describe()["dropout"] == "0.1"


def test_fixing_a_wrong_value_says_so() -> None:
    with pytest.raises(UsageError, match=r"`dropout` must be in \[0, 1\), got 1.2"):
        with_fixed(Space({}), {"dropout": 1.2})


def test_rates_a_layer_go_with_as_many_layers() -> None:
    for layers in ({"hidden_layers": 2}, {"hidden_units": (8, 4)}):
        space = Space({"dropout": [(0.5, 0.2), 0.1], **layers})
        assert TrialSpec(space.decode([0.1]), seed=0).dropout == (0.5, 0.2)
        assert TrialSpec(space.decode([0.9]), seed=0).dropout == (0.1, 0.1)


def test_a_list_of_units_says_how_many_layers_a_constraint_speaks_of() -> None:
    space = Space(
        {"hidden_layers": integer(1, 3), "hidden_units": integer(16, 128)}, ["hidden_layers <= 2"]
    )
    assert with_fixed(space, {"hidden_units": (64, 32)}).describe()["hidden_layers"] == "2"
    assert with_entries(space, {"hidden_units": (64, 32)}).describe()["hidden_layers"] == "2"
    for change in (with_fixed, with_entries):
        with pytest.raises(UsageError, match="hidden_layers <= 2 leaves none"):
            change(space, {"hidden_units": (64, 32, 16)})


@pytest.mark.parametrize("change", [with_fixed, with_entries])
def test_a_list_of_units_says_how_many_layers_a_condition_speaks_of(change) -> None:
    space = Space({
        "hidden_layers": integer(1, 3),
        "hidden_units": integer(16, 128),
        "dropout": when(uniform(0, 0.5), hidden_layers=[2, 3]),
    })  # fmt: skip
    two = change(space, {"hidden_units": (64, 32)})
    assert two.searched == ("dropout",)
    assert two.describe()["hidden_layers"] == "2"
    assert two.decode([0.5])["hidden_units"] == (64, 32)
    one = change(space, {"hidden_units": (64,)})  # beside which the condition never holds
    assert one.searched == ()
    assert "dropout" not in one
    both = change(space, {"hidden_units": (64, 32), "dropout": 0.1})
    assert list(both) == ["hidden_units", "dropout"]
