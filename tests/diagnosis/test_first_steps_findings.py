"""Findings of the first steps: where each speaks, where it is silent, what its evidence holds."""

from dataclasses import replace

import pytest

from deepwell.diagnosis import CODES, diagnose_first_steps
from deepwell.records import (
    FewRows,
    FirstSteps,
    GradientError,
    InputsUsed,
    RowsMixed,
    StartLoss,
    from_plain,
    to_plain,
)

HEALTHY = FirstSteps(
    trial=7,
    network="64x64 relu",
    parameters=9_000,
    program="native",
    rows=256,
    start=StartLoss(3.1, 3.0, 2.3, 2.3, 3.0, 4.4, 8),
    gradient=GradientError(5e-11, "biases/2", 6, 1e-5),
    fits=(
        FewRows(2, True, 0.28, 0.35, 0.69, 15, "adam", 0.03),
        FewRows(20, True, 0.001, 0.035, 2.3, 30, "adam", 0.03),
    ),
    moved=1.0,
    inputs=InputsUsed(0.9, 2.3, 1.4, 1.3, 1.5, 1e-20, 16, 256, 1.0, 64, 0.01),
    mixed=RowsMixed(1e-16, 4e-13),
    alike=(1 / 64, 1 / 64),
    learning_rate=0.001,
    initializer="he",
)


def unused(**changes):
    given = {"difference": 0.0, "low": -0.1, "high": 0.1, "p_value": 0.6, **changes}
    return replace(HEALTHY.inputs, **given)


FAULTS = {
    "DW301": {"start": replace(HEALTHY.start, mean=5.0)},
    "DW302": {"fits": (replace(HEALTHY.fits[0], fitted=False, loss=0.69),)},
    "DW303": {"inputs": unused(linear_p=1e-9)},
    "DW304": {"mixed": RowsMixed(0.1, 4e-13)},
    "DW305": {"alike": (1 / 64, 1.0)},
    "DW306": {"gradient": GradientError(0.3, "weights/1", 6, 1e-5, ("weights/1",))},
}


def test_a_healthy_network_is_silent():
    assert diagnose_first_steps(HEALTHY) == []
    nothing = FirstSteps(trial=0, network="", parameters=1, program="jax")
    assert diagnose_first_steps(nothing) == []


@pytest.mark.parametrize("code", FAULTS)
def test_each_fault_has_its_finding_with_evidence(code):
    (finding,) = diagnose_first_steps(replace(HEALTHY, **FAULTS[code]))
    assert (finding.code, finding.level) == (code, "problem")
    assert code in CODES
    evidence = finding.evidence
    assert isinstance(evidence["measured"], float | int)
    assert isinstance(evidence["threshold"], float | int)
    assert evidence["threshold_source"]
    assert evidence["change"]
    assert evidence["trial"] == 7
    assert ("p_value" in evidence) == (code == "DW303")


def test_what_cannot_be_a_number_is_a_start_too_high():
    start = replace(HEALTHY.start, mean=float("inf"))
    assert [f.code for f in diagnose_first_steps(replace(HEALTHY, start=start))] == ["DW301"]
    start = replace(HEALTHY.start, mean=float("nan"))
    (finding,) = diagnose_first_steps(replace(HEALTHY, start=start))
    assert "not finite" in finding.detail


def test_the_scale_is_named_where_it_was_chosen():
    given = replace(HEALTHY, **FAULTS["DW301"], initializer_scale=4.0)
    assert diagnose_first_steps(given)[0].evidence["change"] == "--initializer-scale 1"


@pytest.mark.parametrize(
    ("network", "change"),
    [
        ({}, "--activation relu --batch-norm before"),  # of a study of before: not known
        ({"activation": "relu", "batch_norm": "none"}, "--batch-norm before"),
        ({"activation": "tanh", "batch_norm": "before"}, "--activation relu"),
        ({"activation": "relu", "batch_norm": "after"}, "another optimizer, or fewer layers"),
        ({"activation": "relu", "initializer_scale": 0.01}, "--initializer-scale 1"),
        ({"initializer": "zeros", "initializer_scale": 0.01}, "--initializer auto"),
    ],
)
def test_what_cannot_learn_gets_what_it_has_not(network, change):
    (finding,) = diagnose_first_steps(replace(HEALTHY, **FAULTS["DW302"], **network))
    assert (finding.code, finding.evidence["change"]) == ("DW302", change)


def test_inputs_that_small_weights_hide_are_no_matter_of_layers():
    ignored = replace(HEALTHY, **FAULTS["DW303"])
    for scale, change in (
        (1.0, "--hidden-layers 1 --initializer auto"),
        (0.01, "--initializer-scale 1"),
    ):
        (finding,) = diagnose_first_steps(replace(ignored, initializer_scale=scale))
        assert (finding.code, finding.evidence["change"]) == ("DW303", change)


def test_slow_is_not_the_same_as_unable():
    slow = replace(HEALTHY.fits[1], fitted=False, loss=1.2)
    (finding,) = diagnose_first_steps(replace(HEALTHY, fits=(HEALTHY.fits[0], slow)))
    assert (finding.code, finding.level) == ("DW302", "unsure")
    stuck = replace(slow, loss=2.29)
    (finding,) = diagnose_first_steps(replace(HEALTHY, fits=(HEALTHY.fits[0], stuck)))
    assert (finding.code, finding.level) == ("DW302", "problem")


def test_steps_that_are_lost_in_rounding():
    (finding,) = diagnose_first_steps(replace(HEALTHY, moved=0.01, learning_rate=1e-12))
    assert finding.code == "DW302"
    assert "1e-12" in finding.claim
    assert finding.evidence["change"] == "--learning-rate 0.001"


def test_inputs_without_signal_are_no_fault_of_the_network():
    (finding,) = diagnose_first_steps(replace(HEALTHY, inputs=unused()))
    assert (finding.level, finding.claim) == ("unsure", "no signal is seen in the inputs")
    assert finding.evidence["p_value"] == 0.6
    few = replace(HEALTHY, inputs=unused(low=-2.0, high=2.0))  # too few rows to tell: silent
    assert diagnose_first_steps(few) == []
    (finding,) = diagnose_first_steps(replace(HEALTHY, inputs=unused(varying=0)))
    assert (finding.level, finding.claim) == ("problem", "the inputs are the same in every row")


def test_a_fault_that_explains_others_is_told_alone():
    several = {**FAULTS["DW302"], **FAULTS["DW303"]}
    zeros = replace(HEALTHY, **several, alike=(1.0, 1.0))
    assert [f.code for f in diagnose_first_steps(zeros)] == ["DW305"]
    large = replace(HEALTHY, **FAULTS["DW301"], **FAULTS["DW303"])
    assert [f.code for f in diagnose_first_steps(large)] == ["DW301"]


def test_the_record_survives_plain_values():
    given = replace(HEALTHY, moved=float("nan"), inputs=unused(low=float("-inf")))
    back = from_plain(FirstSteps, to_plain(given))
    assert str(back) == str(given)  # NaN is not equal to itself
    assert from_plain(FirstSteps, to_plain(HEALTHY)) == HEALTHY
