import numpy as np
import pytest

from deepwell.records import TrialSpec
from deepwell.search import Domain, Space, choice, integer, log, uniform


def test_a_domain_needs_no_declared_names() -> None:
    domain = Domain({"width of the gap": uniform(0, 2), "kind": ["a", "b", "c"], "turns": 3})
    assert domain.searched == ("width of the gap", "kind")
    values = domain.decode([0.25, 0.99])
    assert values == {"width of the gap": 0.5, "kind": "c", "turns": 3}
    point = domain.encode({**values, "beside": 1})
    assert point is not None
    assert point.tolist() == pytest.approx([0.25, 5 / 6])


def test_axes_tell_a_continuum_from_steps_and_order_from_names() -> None:
    domain = Domain(
        {"a": log(1, 9), "b": integer(1, 4), "c": choice(8, 16), "d": ["x", "y"], "e": choice(2, 1)}
    )
    assert [(a.name, a.count, a.ordered) for a in domain.axes] == [
        ("a", None, True),
        ("b", 4, True),
        ("c", 2, True),
        ("d", 2, False),
        ("e", 2, False),
    ]


@pytest.mark.parametrize("values", [{"rate": 2.0, "n": 1}, {"rate": 0.5, "n": 3}, {"rate": 0.5}])
def test_values_outside_of_the_domain_have_no_point(values: dict[str, float]) -> None:
    assert Domain({"rate": log(0.1, 1), "n": integer(1, 2)}).encode(values) is None


def test_completed_hyperparameters_of_a_network_are_read_back() -> None:
    space = Space(
        {"hidden_layers": integer(1, 3), "hidden_units": integer(16, 128), "l2": log(1e-6, 1)}
    )
    unit = np.array([0.5, 0.25, 0.75])
    completed = TrialSpec(space.decode(unit), seed=0).hyperparameters
    point = space.encode(completed)
    assert point is not None
    assert space.decode(point) == pytest.approx(space.decode(unit))
    assert space.identity(completed) == space.identity(space.decode(unit))


def test_units_listed_for_each_layer_are_a_choice_of_their_own() -> None:
    space = Space({"hidden_units": choice([64, 32], [48])})
    completed = TrialSpec(space.decode([0.1]), seed=0).hyperparameters
    point = space.encode(completed)
    assert point is not None
    assert point.tolist() == [0.25]
