"""Entries of layers, and entries that exist only beside certain values of others."""

import json

import numpy as np
import pytest

import deepwell as dw
from deepwell._base._errors import UsageError
from deepwell._base._hyperparameters import complete
from deepwell.records import Observation, TrialSpec
from deepwell.search import SAMPLERS, Domain, parse_entry, with_fixed
from deepwell.search.spaces._plain import space_from_plain, space_to_plain
from deepwell.search.spaces._space import with_entries

MOMENTUM = dw.when(dw.uniform(0.5, 0.99), optimizer=["momentum", "nesterov"])


def listed() -> dw.Space:
    return dw.Space(
        {"hidden_layers": dw.integer(1, 3), "hidden_units": dw.per_layer(dw.integer(16, 128))}
    )


def test_each_layer_has_an_axis_and_only_those_there_are_matter() -> None:
    space = listed()
    assert space.searched == (
        "hidden_layers",
        "hidden_units[1]",
        "hidden_units[2]",
        "hidden_units[3]",
    )
    assert [axis.count for axis in space.axes] == [3, 113, 113, 113]
    values = space.decode([0.5, 0.0, 1.0, 0.3])
    assert values == {"hidden_layers": 2, "hidden_units": (16, 128)}
    assert space.active(values).tolist() == [True, True, True, False]
    point = space.encode(values)
    assert point is not None
    assert point[3] == 0.5
    assert space.decode(point) == values


def test_what_lies_on_an_axis_without_meaning_makes_no_other_network() -> None:
    space = listed()
    one, other = space.decode([0.1, 0.2, 0.9, 0.9]), space.decode([0.1, 0.2, 0.1, 0.5])
    assert space.identity(one) == space.identity(other)
    assert space.identity(one) != space.identity(space.decode([0.5, 0.2, 0.1, 0.5]))


def test_points_of_a_finite_conditional_domain_are_counted_once() -> None:
    units = dw.per_layer(dw.choice(8, 16))
    space = dw.Space({"hidden_layers": dw.integer(0, 3), "hidden_units": units})
    assert space.cardinality() == 1 + 2 + 4 + 8
    found = list(space.points())
    assert len({space.identity(values) for values, _ in found}) == len(found) == 15
    assert all(space.decode(unit) == values for values, unit in found)
    kinds = Domain({"kind": ["a", "b"], "n": dw.when(dw.integer(1, 5), kind="b")})
    assert kinds.cardinality() == 6
    assert list(kinds.decode([0.1, 0.9])) == ["kind"]


def test_without_layers_there_is_nothing_of_layers() -> None:
    space = dw.Space(
        {
            "hidden_layers": dw.integer(0, 2),
            "hidden_units": dw.integer(16, 64),
            "dropout": dw.per_layer(dw.uniform(0, 0.5)),
        }
    )
    values = space.decode([0.0, 0.5, 0.5, 0.5])
    assert values == {"hidden_layers": 0}
    completed = TrialSpec(values, seed=0).hyperparameters
    assert completed["hidden_units"] == ()
    assert space.encode(completed) is not None
    assert space.active(completed).tolist() == [True, False, False, False]
    assert space.identity(completed) == space.identity({**values, "dropout": 0.3})


def test_one_number_for_all_layers_is_a_point_of_listed_ones() -> None:
    space = listed()
    point = space.encode({"hidden_layers": 2, "hidden_units": 72})
    assert point is not None
    assert space.decode(point) == {"hidden_layers": 2, "hidden_units": (72, 72)}
    same = dw.Space({"hidden_layers": 2, "hidden_units": dw.integer(16, 128)})
    assert same.encode({"hidden_layers": 2, "hidden_units": (72, 72)}) is not None
    assert same.encode({"hidden_layers": 2, "hidden_units": (72, 16)}) is None


@pytest.mark.parametrize("units", [(64, 32, 16), [(64, 32), (8, 8, 8)]])
def test_rates_a_layer_follow_units_that_are_listed(units: object) -> None:
    space = dw.Space({"hidden_units": units, "dropout": dw.per_layer(dw.uniform(0, 0.5))})
    values = space.decode([0.9] * len(space.searched))
    assert len(values["dropout"]) == len(values["hidden_units"]) == 3  # type: ignore[arg-type]
    assert TrialSpec(values, seed=0).dropout == pytest.approx((0.45,) * 3)


def test_a_condition_decides_what_exists() -> None:
    space = dw.Space({"momentum": MOMENTUM, "optimizer": ["adam", "momentum", "nesterov"]})
    assert space.searched == ("momentum", "optimizer")
    assert space.decode([0.5, 0.1]) == {"optimizer": "adam"}
    values = space.decode([0.5, 0.5])
    assert values == {"momentum": pytest.approx(0.745), "optimizer": "momentum"}
    assert space.active({"optimizer": "adam"}).tolist() == [False, True]
    completed = TrialSpec({"optimizer": "adam"}, seed=0).hyperparameters
    assert space.encode(completed).tolist() == pytest.approx([0.5, 1 / 6])  # type: ignore[union-attr]
    assert space.identity(completed) == space.identity({"optimizer": "adam"})


def test_conditions_may_be_ranges_may_be_several_and_may_nest() -> None:
    space = dw.Space(
        {
            "hidden_layers": dw.integer(1, 4),
            "optimizer": ["adam", "momentum"],
            "batch_norm": dw.when(["none", "before"], hidden_layers=dw.integer(3, 4)),
            "residual": dw.when(2, hidden_layers=4, optimizer="momentum"),
            "batch_norm_momentum": dw.when(dw.uniform(0.5, 0.9), batch_norm="before"),
        }
    )
    assert list(space.decode([0.1, 0.1, 0.9, 0.5])) == ["hidden_layers", "optimizer"]
    assert list(space.decode([0.6, 0.9, 0.1, 0.5])) == ["hidden_layers", "optimizer", "batch_norm"]
    assert list(space.decode([0.9, 0.9, 0.9, 0.5])) == list(space)


def test_a_network_that_differs_elsewhere_lies_outside() -> None:
    space = dw.Space({"learning_rate": dw.log(1e-4, 1)})
    inside, beside = ({"learning_rate": 0.01, "batch_size": n} for n in (64, 32))
    assert space.encode(inside) is not None
    assert space.encode(beside) is None
    assert space.identity(inside) == space.identity({"learning_rate": 0.01})
    assert space.identity(beside) != space.identity(inside)
    assert space.encode({"learning_rate": 0.01, "hidden_units": (64, 64)}) is not None
    assert space.encode({"learning_rate": 0.01, "hidden_units": (64,)}) is None


def test_fixing_takes_what_can_no_longer_exist_and_its_constraints_along() -> None:
    entries = {"optimizer": ["adam", "momentum", "nesterov"], "momentum": MOMENTUM}
    space = dw.Space(entries, ["momentum <= 0.95"])
    assert with_fixed(space, {"optimizer": "adam"}) == dw.Space({"optimizer": "adam"})
    kept = with_fixed(space, {"optimizer": "momentum"})
    assert list(kept) == ["optimizer", "momentum"]
    assert kept.constraints == ("momentum <= 0.95",)
    later = with_fixed({"momentum": MOMENTUM}, {"optimizer": "nesterov"})
    assert later.searched == ("momentum",)


def test_other_entries_take_the_place_of_old_ones() -> None:
    entries = {"optimizer": ["adam", "momentum"], "momentum": MOMENTUM, "hidden_layers": [1, 2]}
    space = dw.Space(entries, ["momentum <= 0.95", "hidden_layers <= 2"])
    changed = with_entries(space, {"optimizer": "adam", "l2": [0, 0.1]}, ["l2 <= 0.1"])
    assert changed.describe() == {
        "optimizer": "adam",
        "hidden_layers": "choice(1, 2)",
        "l2": "choice(0, 0.1)",
    }
    assert changed.constraints == ("hidden_layers <= 2", "l2 <= 0.1")
    wide = dw.Space({"hidden_layers": [1, 2], "hidden_units": dw.integer(8, 64)})
    assert list(with_entries(wide, {"hidden_units": (64, 32)})) == ["hidden_units"]
    with pytest.raises(UsageError, match="can never exist"):
        with_entries(dw.Space({"optimizer": "adam"}), {"momentum": MOMENTUM})


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ({"momentum": MOMENTUM}, "depends on `optimizer`, which is not in the space"),
        ({"momentum": MOMENTUM, "optimizer": "adam"}, "`momentum` can never exist here"),
        (
            {"l2": dw.when(0.1, dropout=0.5), "dropout": dw.when(0.5, l2=0.1)},
            "depends on itself",
        ),
        ({"momentum": dw.when(0.9, optimiser="adam")}, 'did you mean "optimizer"'),
        ({"momentum": dw.when(0.9, optimizer="adem")}, 'did you mean "adam"'),
        ({"learning_rate": dw.per_layer(dw.log(1e-4, 1))}, "per_layer is for hidden_units"),
        ({"hidden_units": dw.per_layer(dw.uniform(16, 64))}, r"like integer\(16, 64\)"),
        ({"conv_channels": dw.per_layer([8, 16])}, "add `conv_layers`"),
        ({"conv_kernel": dw.integer(3, 7)}, r"write choice\(3, 5, 7\)"),
        ({"conv_kernel": dw.integer(2, 2)}, r"write choice\(3, 5\)"),
        (
            {"conv_channels": [(8, 16)], "conv_layers": [1, 2]},
            r"`conv_layers` choice\(1, 2\) must be left out or agree",
        ),
        (
            {"dropout": dw.per_layer([0, 0.5]), "hidden_units": [48, (64, 32)]},
            "add `hidden_layers`",
        ),
        (
            {
                "hidden_layers": dw.when([1, 2], optimizer="adam"),
                "optimizer": ["adam", "sgd"],
                "hidden_units": dw.per_layer([8, 16]),
            },
            "depends on nothing else",
        ),
        (
            {
                "hidden_units": dw.per_layer([8, 16]),
                "l2": dw.when(0.1, hidden_units=8),
            },
            "which is a list with a value a layer",
        ),
    ],
)
def test_entries_that_cannot_be_are_refused(entries: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        dw.Space(entries)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: dw.per_layer(["a", "b"]), "per_layer takes a range or choice of numbers"),
        (lambda: dw.per_layer(dw.per_layer([1, 2])), "per_layer takes a range"),
        (lambda: dw.per_layer(MOMENTUM), "per_layer takes a range"),
        (lambda: dw.when(0.5), "when needs a condition"),
        (lambda: dw.when(MOMENTUM, decay="cosine"), "all its conditions at once"),
        (lambda: dw.when(0.5, momentum=MOMENTUM), "the condition on `momentum` must be"),
    ],
)
def test_what_makes_no_sense_is_refused_at_once(make, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        make()


@pytest.mark.parametrize(
    "text",
    [
        "hidden_units=per_layer(integer(16, 128))",
        "dropout=per_layer(choice(0, 0.2))",
        "momentum=when(uniform(0.5, 0.99), optimizer=choice(momentum, nesterov))",
        "dropout=when(per_layer(uniform(0, 0.5)), activation=relu, batch_size=integer(1, 64))",
        "optimizer=choice(adam, optax:lion)",
        "change=when(choice(none, 10: dropout=[0.1, 0.2]), hidden_layers=2)",
    ],
)
def test_words_are_read_back(text: str) -> None:
    name, distribution = parse_entry(text)
    assert f"{name}={distribution.describe()}" == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hidden_units=per_layer()", "per_layer takes one range"),
        ("hidden_units=per_layer(integer(1, 2), 3)", "per_layer takes one range"),
        ("momentum=when(0.5)", "when takes a range and a condition"),
        ("momentum=when(0.5, adam)", "a condition must be name=value"),
        ("momentum=when(0.5, optimizer=)", "a condition must be name=value"),
        ("momentum=" + "when(" * 300, "more than 10 opening brackets"),
    ],
)
def test_text_that_cannot_be_read_is_refused(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse_entry(text)


def test_conditional_spaces_come_back_whole() -> None:
    space = dw.Space(
        {
            "hidden_layers": dw.integer(1, 3),
            "hidden_units": dw.per_layer(dw.integer(16, 128)),
            "optimizer": ["adam", "momentum", "nesterov"],
            "momentum": MOMENTUM,
        },
        ["sum(hidden_units) <= 256"],
    )
    back = space_from_plain(json.loads(json.dumps(space_to_plain(space), sort_keys=True)))
    assert back == space
    assert list(back) == list(space)
    assert back != dw.Space(dict(space))


@pytest.mark.parametrize("name", ["random", "grid", "quasi-random", "halton"])
def test_every_network_of_a_conditional_space_comes_once_before_any_comes_twice(name: str) -> None:
    units = dw.per_layer(dw.choice(8, 16))
    space = dw.Space(
        {
            "hidden_layers": dw.integer(0, 3),
            "hidden_units": units,
            "optimizer": ["adam", "momentum"],
            "momentum": dw.when([0.5, 0.9], optimizer="momentum"),
        },
        ["sum(hidden_units) <= 32"],
    )
    networks = len(list(space.points()))
    assert networks == (1 + 2 + 4 + 4) * (1 + 2)
    history = [Observation(complete(values), 0.1) for values, _ in list(space.points())[:10]]
    found = SAMPLERS[name](space, history, networks - 10, np.random.SeedSequence(3))
    assert all(space.allowed(values) for values in found)
    seen = {space.identity(tried.values) for tried in history}
    assert len(seen | {space.identity(values) for values in found}) == networks


def test_a_huge_parent_is_not_listed() -> None:
    """Listing 2**50 values would end in a memory error."""
    domain = Domain({"k": dw.integer(0, 2**50), "m": dw.when([1, 2], k=3)})
    assert domain.cardinality() == 2 * (2**50 + 1)
