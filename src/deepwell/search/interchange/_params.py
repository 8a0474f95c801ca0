"""Parameters of Optuna's trials as values of a domain, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from deepwell._base._hyperparameters import Value
from deepwell.search.interchange._stepped import LogInteger, Stepped
from deepwell.search.spaces._choice import Choice
from deepwell.search.spaces._distribution import Distribution
from deepwell.search.spaces._domain import Domain
from deepwell.search.spaces._fixed import Fixed
from deepwell.search.spaces._integer import Integer
from deepwell.search.spaces._log import Log
from deepwell.search.spaces._uniform import Uniform


def domain_of(distributions: Mapping[str, BaseDistribution]) -> Domain:
    """Return the domain over which parameters of these distributions range.

    Categories may be of any kind, so the domain has their numbers, as text: Optuna knows no order
    between them.
    """
    return Domain({name: _ours(distribution) for name, distribution in distributions.items()})


def values_of(
    params: Mapping[str, Any], distributions: Mapping[str, BaseDistribution]
) -> dict[str, Value] | None:
    """Return parameters as values of `domain_of(distributions)`; None where one is missing."""
    if any(name not in params for name in distributions):
        return None
    return {name: _value(params[name], d) for name, d in distributions.items()}


def params_of(
    values: Mapping[str, Value], distributions: Mapping[str, BaseDistribution]
) -> dict[str, Any]:
    """Return what `values_of` gave the values of."""
    return {name: _param(values[name], d) for name, d in distributions.items()}


def _ours(distribution: BaseDistribution) -> Distribution:
    if isinstance(distribution, CategoricalDistribution):
        return Choice(tuple(str(place) for place in range(len(distribution.choices))))
    assert isinstance(distribution, FloatDistribution | IntDistribution)  # Optuna has three kinds
    low, high, step = distribution.low, distribution.high, distribution.step
    if distribution.single():
        return Fixed(low)
    if isinstance(distribution, IntDistribution) and distribution.log:
        return LogInteger(int(low), int(high))
    if isinstance(distribution, IntDistribution) and step == 1:
        return Integer(int(low), int(high))
    if step is not None:
        return Stepped(low, high, step)
    return Log(low, high) if distribution.log else Uniform(low, high)


def _value(param: Any, distribution: BaseDistribution) -> Value:
    if isinstance(distribution, CategoricalDistribution):
        return str(int(distribution.to_internal_repr(param)))
    return param


def _param(value: Value, distribution: BaseDistribution) -> Any:
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices[int(str(value))]
    return value
