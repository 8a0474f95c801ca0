"""What a fit told of its gaps, read back: later verdicts go by the same figures."""

from types import SimpleNamespace

import pytest

from deepwell.diagnosis import (
    METRICS,
    BiasVarianceEvidence,
    diagnose_bias_variance,
    unpaired_difference,
    wilson,
)
from deepwell.diagnosis._best_possible import BestPossible, Floor
from deepwell.diagnosis._bias_variance import material_size
from deepwell.diagnosis._dev_to_test import overfitted_to_dev
from deepwell.diagnosis._overtuning import overtuning_finding
from deepwell.diagnosis._told_gaps import ToldGaps, told_gaps
from deepwell.records import Estimate, Finding, Overtuning

ROWS = 20_000


def findings(best: BestPossible | float | None) -> list[Finding]:
    """Findings of a network of 32 and 33 %, whose constant guess errs in half of the rows."""
    train, dev = wilson(6_400, ROWS), wilson(6_600, ROWS)
    gap = unpaired_difference(dev, train)
    return diagnose_bias_variance(
        BiasVarianceEvidence("error", train, ROWS, dev, ROWS, gap, 0.5), best
    )


def test_the_figures_are_those_that_the_fit_used():
    given = told_gaps(findings(0.3))
    assert given is not None
    assert (given.material, given.score) == (pytest.approx(0.02), 0.3)
    assert (given.least, given.counted_from(bounded=True)) == (0.3, 0.3)
    people = told_gaps(findings(BestPossible(wilson(6_000, ROWS), "human labels")))
    assert people is not None
    assert people.material == pytest.approx(0.02, rel=1e-3)
    assert people.counted_from(bounded=False) == pytest.approx(0.3, rel=1e-3)
    floor = told_gaps(findings(BestPossible(floor=Floor(wilson(4_000, ROWS), "repeated rows"))))
    assert floor is not None
    assert (floor.score, floor.refuted) == (None, True)
    assert floor.least == pytest.approx(0.2, rel=1e-3)
    assert floor.material == pytest.approx(0.03, rel=1e-3)
    assert told_gaps([Finding("DW105", "ok", "", "", {"material": 1.0, "best": {}})]) is None


def test_bias_is_open_where_0_cannot_be_reached():
    nothing = told_gaps(findings(None))
    assert nothing == ToldGaps(pytest.approx(0.05))
    assert nothing.counted_from(bounded=True) == 0.0
    assert nothing.counted_from(bounded=False) is None, "a log loss or an RMSE of 0"
    assert ToldGaps(0.05, floor=0.1, refuted=True).counted_from(bounded=True) is None
    noise = told_gaps(findings(BestPossible(no_signal=True)))
    assert noise is not None
    assert noise.no_signal


@pytest.mark.parametrize(("best", "code"), [(0.3, "DW114"), (None, "DW115")])
def test_the_test_set_is_judged_by_the_same_size(best, code):
    """A gap of 3 points counts where all that can be avoided are 20, not where they are 50."""
    opening = SimpleNamespace(
        study="s", metric="error", of_chosen=True, test=wilson(7_200, ROWS), unbiased=True
    )
    result = SimpleNamespace(
        name="s",
        metric="error",
        openings=(opening,),
        baselines=(SimpleNamespace(estimate=Estimate(0.5, 0.49, 0.51)),),
        data=SimpleNamespace(sizes=(ROWS, ROWS, ROWS)),
        dev=wilson(6_600, ROWS),
        folds=(),
        findings=tuple(findings(best)),
    )
    assert [f.code for f in overfitted_to_dev(result)] == [code]  # type: ignore[arg-type]


@pytest.mark.parametrize(("least", "level"), [(0.3, "problem"), (None, "unsure")])
def test_luck_is_judged_by_the_same_size(least, level):
    luck = Overtuning(0.35, Estimate(0.38, 0.3, 0.46), Estimate(0.04, 0.025, 0.055), 200, 9, 40, 50)
    material = material_size(METRICS["error"], 0.5, least)
    lead = Estimate(-0.2, -0.3, -0.15)
    found = overtuning_finding(luck, "error", Estimate(0.35, 0.2, 0.5), material, lead)
    assert (found.code, found.level) == ("DW120", level)
