"""Spaces as plain values: what comes back proposes the same, to the bit."""

import json

import numpy as np
import pytest

from deepwell._base._errors import UsageError
from deepwell.search import choice, integer, log, one_minus_log, uniform
from deepwell.search.spaces._default import default_space
from deepwell.search.spaces._plain import space_from_plain, space_to_plain
from deepwell.search.spaces._space import Space, with_fixed

SPACES = [
    Space({}),
    Space({"momentum": uniform(0.1, 0.3), "learning_rate": log(1e-4 / 3, 1), "l2": 0}),
    Space({"hidden_units": choice([64, 32], [7] * 40), "activation": ["relu", "tanh"]}),
    Space({"hidden_units": (64, 32), "beta1": one_minus_log(0.9, 0.999)}),
    Space({"batch_size": integer(2, 999), "dropout": 1 / 3, "optimizer": "adam"}),
    with_fixed(default_space(500, 20, 3, "classification", "adam"), {"epochs": 7}),
]


@pytest.mark.parametrize("space", SPACES, ids=lambda space: str(len(space)))
def test_a_space_comes_back_whole(space: Space) -> None:
    text = json.dumps(space_to_plain(space), sort_keys=True)
    back = space_from_plain(json.loads(text))
    assert list(back) == list(space)  # samplers take the axes in this order
    assert dict(back) == dict(space)
    units = np.random.default_rng(0).random((20, len(space.searched)))
    assert [back.decode(u) for u in units] == [space.decode(u) for u in units]


def test_a_distribution_of_the_users_own_is_told() -> None:
    class Odd:
        def to_unit(self, value):
            return 0.5

        def from_unit(self, unit):
            return 0.25

        def describe(self):
            return "odd(0.25)"

        def count(self):
            return None

        def over(self, check):
            return self

    plain = space_to_plain(Space({"dropout": Odd()}))
    with pytest.raises(UsageError, match=r"the range odd\(0.25\) of `dropout` is a class of your"):
        space_from_plain(plain)
