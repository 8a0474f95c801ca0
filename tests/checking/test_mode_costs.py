import numpy as np
import pytest

from deepwell.checking._mode_costs import mode_costs
from deepwell.networks._architecture import Architecture
from deepwell.networks._initializers import initial_parameters, initial_statistics


def _network(norm: str) -> tuple[Architecture, dict[str, np.ndarray]]:
    architecture = Architecture(4, (6,), 3, "tanh", batch_norm=norm)
    parameters = initial_parameters(architecture, "lecun", 0, "float64")
    return architecture, parameters | initial_statistics(architecture, "float64")


X = np.random.default_rng(0).normal(loc=1.0, size=(40, 4))
Y = np.random.default_rng(1).integers(0, 3, 40)
BATCHES = [np.arange(0, 20), np.arange(20, 40)]


def _cost(p: dict[str, np.ndarray], rows: np.ndarray, moments_of: np.ndarray | None) -> float:
    """The formula of batch norm before the activation, written out."""
    z = X @ p["weights/0"]
    mean, variance = p["means/0"], p["variances/0"]
    if moments_of is not None:
        mean, variance = z[moments_of].mean(0), z[moments_of].var(0)
    a = np.tanh(p["scales/0"] * (z[rows] - mean) / np.sqrt(variance + 1e-5) + p["shifts/0"])
    out = a @ p["weights/1"] + p["biases/1"]
    return float(np.mean(np.log(np.exp(out).sum(1)) - out[np.arange(len(rows)), Y[rows]]))


def test_the_costs_are_those_of_the_formula() -> None:
    architecture, parameters = _network("before")
    trained, swapped, predicted = mode_costs(architecture, parameters, X, Y, BATCHES)
    first, second = BATCHES
    expected = [_cost(parameters, first, first), _cost(parameters, second, second)]
    np.testing.assert_allclose(trained, expected, rtol=1e-12)
    expected = [_cost(parameters, first, second), _cost(parameters, second, first)]
    np.testing.assert_allclose(swapped, expected, rtol=1e-12)
    expected = [_cost(parameters, first, None), _cost(parameters, second, None)]
    np.testing.assert_allclose(predicted, expected, rtol=1e-12)


@pytest.mark.parametrize("norm", ["before", "after"])
def test_with_the_moments_of_all_rows_the_modes_agree(norm: str) -> None:
    architecture, parameters = _network(norm)
    everything = [np.arange(40)] * 2
    from deepwell.networks._exact_statistics import with_exact_statistics

    exact = with_exact_statistics(architecture, parameters, X, np.ones(40))
    trained, swapped, predicted = mode_costs(architecture, exact, X, Y, everything)
    np.testing.assert_allclose(trained, predicted, rtol=1e-9)
    np.testing.assert_allclose(swapped, predicted, rtol=1e-9)
