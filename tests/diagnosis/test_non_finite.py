"""DW408: when diverged networks are a matter of their learning rates, and when not."""

from __future__ import annotations

import numpy as np
import pytest

from deepwell.diagnosis import CODES, DivergenceEvidence, diagnose_divergence
from deepwell.diagnosis._non_finite import chance_of_higher
from deepwell.records import NonFinite

FIRST = NonFinite(17, 2, 31, "weighted sums", "forward", "hidden 2", "norm of the weights 3, 1e20")


def test_silent_where_none_diverged() -> None:
    assert diagnose_divergence(DivergenceEvidence((), (0.1, 0.2))) == []


def test_few_at_the_highest_rates_are_what_a_search_finds() -> None:
    others = tuple(np.geomspace(1e-4, 0.25, 40))
    (finding,) = diagnose_divergence(DivergenceEvidence((0.3, 0.5, 0.9), others, FIRST))
    assert (finding.code, finding.level) == ("DW408", "ok")
    assert finding.claim == "3 of 43 networks diverged"
    assert (
        "at learning rates 0.3 to 0.9, all above 0.25, the highest that did not" in finding.detail
    )
    where = "trial 17 was first not finite in weighted sums of hidden 2 (forward, epoch 2, step 31)"
    assert where in finding.detail
    assert finding.evidence["measured"] == pytest.approx(3 / 43)
    assert finding.evidence["p_value"] < 0.01
    assert finding.evidence["first"]["layer"] == "hidden 2"
    assert finding.command == ""
    assert "DW408" in CODES


def test_at_ordinary_rates_it_is_a_problem_of_something_else() -> None:
    others = tuple(np.geomspace(1e-4, 1, 40))
    (finding,) = diagnose_divergence(DivergenceEvidence((0.001, 0.004, 0.02, 0.06, 0.3), others))
    assert finding.level == "problem"
    assert "so the rate alone does not explain it" in finding.detail
    assert finding.evidence["change"] == "another start or normalization"  # not a lower rate
    assert "try" not in finding.detail


def test_one_at_an_absurd_rate_is_what_a_search_finds_however_few_there_are() -> None:
    others = (0.001, 0.003, 0.01, 0.02, 0.05)
    (finding,) = diagnose_divergence(DivergenceEvidence((30.0,), others))
    assert finding.level == "ok"
    assert finding.detail.endswith("to leave them out: --space learning_rate=log(1e-05,30)")
    (near,) = diagnose_divergence(DivergenceEvidence((0.1,), others))  # luck may be enough for that
    assert near.level == "problem"


def test_half_of_the_networks_is_a_problem_with_what_to_try() -> None:
    evidence = DivergenceEvidence((0.3, 0.5), (0.01, 0.02), why_not="the rows lie in a file")
    (finding,) = diagnose_divergence(evidence)
    assert finding.level == "problem"
    assert finding.command == ""  # an option is no command
    assert finding.detail.endswith("; try --space learning_rate=log(1e-05,0.3)")
    assert "what broke first was not looked for: the rows lie in a file" in finding.detail


def test_half_of_the_networks_at_rates_at_which_others_trained_is_no_matter_of_rates() -> None:
    evidence = DivergenceEvidence((0.001, 0.004, 0.02, 0.06, 0.3), (0.0005, 0.01, 0.05, 0.5))
    (finding,) = diagnose_divergence(evidence)
    assert finding.level == "problem"
    assert "so the rate alone does not explain it" in finding.detail
    assert finding.evidence["change"] == "another start or normalization"
    assert "try" not in finding.detail  # rates below 0.001 would leave out three that worked


def test_all_diverged_at_several_rates_lower_ones_are_tried() -> None:
    (finding,) = diagnose_divergence(DivergenceEvidence((0.1, 3.0), ()))
    assert finding.detail.endswith("try --space learning_rate=log(1e-05,0.1)")


def test_one_rate_for_all_cannot_be_compared() -> None:
    (finding,) = diagnose_divergence(DivergenceEvidence((3.0, 3.0, 3.0), (3.0,)))
    assert finding.level == "problem"
    assert finding.detail == "at learning rate 3, as the others; try --learning-rate 0.3"


def test_overlapping_rates_that_are_higher_all_the_same() -> None:
    others = tuple(np.geomspace(1e-4, 0.5, 60))
    (finding,) = diagnose_divergence(DivergenceEvidence((0.2, 0.3, 0.45, 0.9), others))
    assert finding.level == "ok"
    assert "higher than those of the others" in finding.detail


def test_a_network_whose_cause_was_measured_diverged_for_that() -> None:
    (finding,) = diagnose_divergence(DivergenceEvidence((0.05,), (), FIRST), "DW416")
    assert (finding.level, finding.claim) == (
        "ok",
        "1 of 1 network diverged, a consequence of DW416",
    )
    assert finding.evidence["consequence_of"] == "DW416"
    assert "try" not in finding.detail
    (among,) = diagnose_divergence(DivergenceEvidence((0.05,), (0.04,)), "DW416")
    assert among.level == "problem"  # of the other one, which trained, nothing else is known


def test_the_chance_is_that_of_scipy() -> None:
    from scipy.stats import mannwhitneyu

    rng = np.random.default_rng(0)
    for n, m in [(4, 30), (12, 244), (6, 6)]:
        some, others = rng.normal(0.5, 1, n).round(1), rng.normal(0, 1, m).round(1)
        expected = mannwhitneyu(some, others, alternative="greater", method="asymptotic").pvalue
        assert chance_of_higher(some.tolist(), others.tolist()) == pytest.approx(expected, rel=1e-9)
    assert chance_of_higher([1.0], []) == 1.0
    assert chance_of_higher([1.0, 1.0], [1.0]) == 1.0
