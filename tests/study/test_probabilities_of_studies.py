"""What a fit says of its probabilities (DW213), and the command that mends them."""

import numpy as np
import pytest

import deepwell as dw
from deepwell.diagnosis._metrics import METRICS
from deepwell.study._probabilities import wrong_probabilities


@pytest.fixture(scope="module")
def told():
    """Return data, and probabilities of its dev rows that are right."""
    rng = np.random.default_rng(0)
    logit = rng.normal(size=4000)
    yes = rng.random(4000) < 1 / (1 + np.exp(-logit))
    data = dw.load(
        {"logit": logit.round(9), "y": np.where(yes, "yes", "no")}, target="y", vault=None
    )
    there = np.ravel(data.dev.x[:, :1] * logit.std() + logit.mean())
    return data, 1 / (1 + np.exp(-there))


def found(told, power, metric="log_loss"):
    data, p = told
    odds = (p / (1 - p)) ** power
    p = odds / (1 + odds)
    return wrong_probabilities(data, np.column_stack([1 - p, p]), METRICS[metric], 0, "my study")


def test_probabilities_too_sure_name_the_command_that_mends_them(told):
    [one] = found(told, 3.0)
    assert (one.code, one.level, one.claim) == ("DW213", "problem", "probabilities too sure")
    assert one.command == "deepwell calibrate 'my study'"
    assert found(told, 1 / 3)[0].claim == "probabilities too mild"


def test_nothing_is_said_of_right_ones_or_of_a_metric_of_decisions(told):
    assert found(told, 1.0) == []
    assert found(told, 3.0, "error") == []
