from dataclasses import replace

import numpy as np
import pytest

from deepwell.diagnosis._layer_comparison import ratio_test, share_test
from deepwell.diagnosis._layer_findings import Moment, Twins, layer_finding, quiet_finding
from deepwell.diagnosis._layer_symptoms import (
    DEAD,
    EXPLODING,
    SATURATED,
    SYMPTOMS,
    VANISHING,
    Sight,
    Symptom,
    figures,
    suspected,
)
from deepwell.diagnosis._paired_runs import Effect
from deepwell.records import Probe

NO_HARM = Effect(0.0, 0.6, 8, 0.05, 0.05)
HARM = Effect(0.4, 1 / 256, 8, 0.5, 0.1)


def _probe(
    gradients: tuple[float, ...] = (1.0, 1.0, 1.0),
    dead: tuple[float, ...] = (0.0, 0.0, 0.0),
    flat: tuple[float, ...] = (0.0, 0.0, np.nan),
) -> Sight:
    layers = len(gradients)
    shares = [np.array(v, np.float32) for v in (dead, (0.0,) * layers)]
    norms = np.array(gradients, np.float32)
    seven = np.zeros((layers, 7), np.float32)
    names = (*(f"hidden {n + 1}" for n in range(layers - 1)), "output")
    zero = np.full(layers, 0.65, np.float32)
    probe = Probe(0, 1, 1, names, seven, seven, seven, *shares, zero, norms, norms, norms)
    return Sight(probe, np.array(flat, np.float32))


def _twins(
    own: Sight, spread: float = 0.1, harm: Effect = HARM, cure: Effect | None = HARM
) -> Twins:
    generator = np.random.default_rng(0)
    healthy = tuple(
        _probe(tuple(10.0 ** generator.normal(scale=spread, size=3)), (0.03, 0.0, 0.0))
        for _ in range(8)
    )
    early = Moment("at the start", True, _probe(), healthy)
    late = Moment("at best", False, own, healthy)
    return Twins((early, late), (32, 32), harm, 20, cure, "batch norm", {"batch_norm": "before"})


PLANTED: dict[str, tuple[Symptom, Sight]] = {
    "DW401": (VANISHING, _probe((1e-4, 0.1, 1.0))),
    "DW402": (EXPLODING, _probe((1e4, 10.0, 1.0))),
    "DW403": (DEAD, _probe(dead=(0.9, 0.1, 0.0))),
    "DW404": (SATURATED, _probe(flat=(0.9, 0.0, np.nan))),
}


@pytest.mark.parametrize("code", PLANTED)
def test_a_symptom_beyond_the_twins_that_harms_is_a_problem(code: str) -> None:
    symptom, own = PLANTED[code]
    found = layer_finding(symptom, _twins(own), "error", worth=0.01)
    assert (found.code, found.level) == (code, "problem")
    assert found.evidence["layer"] == "hidden 1"
    assert found.evidence["when"] == "at best"
    assert found.evidence["p_value"] < 0.01  # type: ignore[operator]
    assert found.detail.startswith("hidden 1 at best: ")
    assert "batch norm: 10.0 %" in found.detail


@pytest.mark.parametrize("code", PLANTED)
def test_a_symptom_that_does_no_harm_is_none(code: str) -> None:
    """60 % dead, or gradients of next to nothing, in a network as good as its twins."""
    symptom, own = PLANTED[code]
    found = layer_finding(symptom, _twins(own, harm=NO_HARM), "error", worth=0.01)
    assert found.level == "ok"
    assert found.claim.endswith("no harm")


@pytest.mark.parametrize("code", PLANTED)
def test_harm_without_the_symptom_is_another_finding(code: str) -> None:
    found = layer_finding(PLANTED[code][0], _twins(_probe()), "error", worth=0.01)
    assert found.level == "ok"
    assert found.claim.endswith("not beyond healthy twins")


@pytest.mark.parametrize("code", PLANTED)
def test_a_change_that_does_not_mend_it_leaves_doubt(code: str) -> None:
    symptom, own = PLANTED[code]
    found = layer_finding(symptom, _twins(own, cure=NO_HARM), "error", worth=0.01)
    assert found.level == "unsure"


TWIN = ("activation relu", {"activation": "relu"})
LITTLE = Effect(0.1, 1 / 256, 8, 0.5, 0.4)


@pytest.mark.parametrize(("cure", "gain"), [(NO_HARM, None), (None, None), (LITTLE, 0.1)])
def test_what_makes_the_twin_is_told_where_it_does_more(
    cure: Effect | None, gain: float | None
) -> None:
    """Not the change that was just measured not to help, or to help much less."""
    symptom, own = PLANTED["DW401"]
    found = layer_finding(symptom, replace(_twins(own, cure=cure), twin=TWIN), "error", worth=0.01)
    assert (found.level, found.evidence["values"]) == ("problem", TWIN[1])
    assert found.evidence["change_effect"] == HARM.to_plain()
    assert found.evidence["cause_gain"] == gain
    assert found.detail.endswith("; its twins differ by activation relu")


def test_a_change_that_does_as_much_as_the_twin_is_told_itself() -> None:
    symptom, own = PLANTED["DW401"]
    found = layer_finding(symptom, replace(_twins(own), twin=TWIN), "error", worth=0.01)
    assert found.evidence["values"] == {"batch_norm": "before"}
    assert "cause_gain" not in found.evidence


def test_gradients_of_exactly_zero_everywhere_say_nothing() -> None:
    """What a perfect fit looks like: there is no ratio to the output layer's."""
    own = _probe((0.0, 0.0, 0.0))
    assert np.isnan(figures(VANISHING, own, at_start=False)).all()
    assert suspected(own, [_probe()] * 3) == []
    assert layer_finding(VANISHING, _twins(own), "error", worth=0.01).level == "ok"


def test_a_gradient_of_zero_in_one_layer_alone_is_as_small_as_can_be() -> None:
    own = _probe((0.0, 1.0, 1.0))
    assert VANISHING in suspected(own)
    found = layer_finding(VANISHING, _twins(own), "error", worth=0.01)
    assert found.level == "problem"
    assert "hidden 1 at best: 0 of the output layer's gradient" in found.detail


@pytest.mark.parametrize(
    ("probe", "expected"),
    [
        (_probe(), []),
        (_probe((0.3, 0.6, 1.0)), []),
        (_probe((0.15, 0.3, 1.0)), []),
        (_probe((0.05, 0.6, 1.0)), [VANISHING]),
        (_probe((20.0, 1.5, 1.0)), [EXPLODING]),
        (_probe(dead=(0.24, 0.0, 0.0)), []),
        (_probe(dead=(0.3, 0.0, 0.0)), [DEAD]),
        (_probe(flat=(0.0, 0.6, np.nan)), [SATURATED]),
        (_probe(dead=(0.3, 0.0, 0.0), flat=(0.3, 0.4, np.nan)), [DEAD]),
        (_probe(flat=(np.nan, np.nan, np.nan)), []),
    ],
)
def test_the_gate(probe: Sight, expected: list[Symptom]) -> None:
    assert suspected(probe) == suspected(probe, [_probe()] * 3) == expected


def test_the_gate_at_the_start_is_the_size_of_untrained_twins() -> None:
    twins = [_probe((2.0, 2.0, 2.0))] * 2
    assert suspected(_probe(), [_probe((1e6, 1e6, 1e6)), *twins]) == [EXPLODING]
    assert suspected(_probe(), [_probe((1e-6, 1e-6, 1e-6)), *twins]) == [VANISHING]
    assert suspected(_probe(), [_probe((8.0, 8.0, 8.0)), *twins]) == []


@pytest.mark.parametrize("symptom", SYMPTOMS, ids=lambda s: s.code)
def test_what_the_gate_does_not_pass_is_told_with_its_figures(symptom: Symptom) -> None:
    found = quiet_finding(symptom, _probe())
    assert (found.code, found.level) == (symptom.code, "ok")
    assert found.evidence["layers"] == ["hidden 1", "hidden 2"]
    assert len(found.evidence["figures"]) == 2


def test_shares_are_fishers_exact_test() -> None:
    from scipy.stats import hypergeom

    there = np.array([2, 0, 1, 3, 1, 0, 2, 1]) / 40
    p, limit = share_test(9 / 40, there, 40, level=0.001)
    assert p == pytest.approx(hypergeom.sf(8, 360, 19, 40))
    n = round(limit * 40)
    assert hypergeom.sf(n - 1, 360, 10 + n, 40) <= 0.001 < hypergeom.sf(n - 2, 360, 9 + n, 40)


def test_ratios_are_students_prediction_interval() -> None:
    from scipy.stats import t

    there = np.random.default_rng(2).normal(scale=0.6, size=8)
    p, limit = ratio_test(-1, -3.0, there, level=0.005)
    scale = there.std(ddof=1) * np.sqrt(1 + 1 / 8)
    assert p == pytest.approx(t.cdf((-3.0 - there.mean()) / scale, 7))
    assert limit == pytest.approx(there.mean() - t.ppf(0.995, 7) * scale)


@pytest.mark.parametrize("symptom", SYMPTOMS, ids=lambda s: s.code)
def test_one_more_healthy_network_is_seldom_beyond_its_twins(symptom: Symptom) -> None:
    """The error rate: 400 networks drawn as their twins are, of which 4 would do at 1 %."""
    generator = np.random.default_rng(5)

    def draw() -> Sight:
        odds = 10.0 ** generator.normal(-1.0, 0.3, size=3)
        shares = tuple(generator.binomial(32, 0.1, size=3) / 32)
        norms = tuple(10.0 ** generator.normal(scale=0.5, size=3))
        return _probe(norms, shares, tuple(odds / (1 + odds)))

    alarms = 0
    for _ in range(400):
        probes = [draw() for _ in range(9)]
        moments = (Moment("at best", False, probes[0], tuple(probes[1:])),)
        seen = replace(_twins(_probe()), moments=moments)
        alarms += layer_finding(symptom, seen, "error", worth=0.01).level == "problem"
    assert alarms <= 8
