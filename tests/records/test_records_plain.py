"""Every record that is stored or printed survives JSON."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepwell.records import (
    Baseline,
    DataFacts,
    Estimate,
    Event,
    Finding,
    Opening,
    PlanFacts,
    Progress,
    Rung,
    StudyResult,
    from_plain,
    to_plain,
)

FINITE = st.floats(allow_nan=False, allow_infinity=False)
NUMBERS = st.floats(allow_nan=False)
TEXT = st.text(max_size=8)
WHOLE = st.integers(0, 2**53)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | FINITE | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=4,
)
VALUES = FINITE | WHOLE | TEXT | st.lists(WHOLE, max_size=3).map(tuple)


def tuples(of: st.SearchStrategy) -> st.SearchStrategy:
    return st.lists(of, max_size=2).map(tuple)


ESTIMATES = st.builds(Estimate, NUMBERS, NUMBERS, NUMBERS)
TEXTS_OF_NUMBERS = {"nan", "inf", "-inf"}
EVIDENCE = st.recursive(
    NUMBERS | TEXT.filter(lambda text: text not in TEXTS_OF_NUMBERS),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=4,
)
FINDINGS = st.builds(Finding, evidence=st.dictionaries(TEXT, EVIDENCE, max_size=2))
OPENINGS = st.builds(Opening, time=FINITE, test=ESTIMATES, notes=tuples(TEXT))
BASELINES = st.builds(Baseline, TEXT, ESTIMATES)
DATA = st.builds(
    DataFacts,
    classes=tuples(TEXT),
    class_shares=tuples(FINITE),
    notes=tuples(TEXT),
    sizes=st.tuples(WHOLE, WHOLE, WHOLE),
)
PLANS = st.builds(
    PlanFacts,
    rungs=tuples(st.builds(Rung)),
    seconds=st.none() | NUMBERS,
    space=st.dictionaries(TEXT, TEXT, max_size=2),
)
RESULTS = st.builds(
    StudyResult,
    data=DATA,
    plan=PLANS,
    train=ESTIMATES,
    dev=ESTIMATES,
    baselines=tuples(BASELINES),
    versus=st.none() | ESTIMATES,
    best=st.dictionaries(TEXT, VALUES, max_size=3),
    findings=tuples(FINDINGS),
    statuses=st.dictionaries(TEXT, WHOLE, max_size=2),
    compile_seconds=NUMBERS,
    seconds=NUMBERS,
    networks_per_second=NUMBERS,
    gemm_share=st.none() | NUMBERS,
    openings=tuples(OPENINGS),
)
EVENTS = st.builds(
    Event,
    time=FINITE,
    trial=st.none() | WHOLE,
    details=st.dictionaries(TEXT, JSON, max_size=2),
)
PROGRESS = st.builds(
    Progress,
    share=NUMBERS,
    best=st.none() | NUMBERS,
    seconds_left=st.none() | NUMBERS,
)


def through_json(record: Any) -> Any:
    text = json.dumps(to_plain(record), allow_nan=False)
    return from_plain(type(record), json.loads(text))


RECORDS = {
    "estimate": ESTIMATES,
    "finding": FINDINGS,
    "opening": OPENINGS,
    "baseline": BASELINES,
    "data": DATA,
    "plan": PLANS,
    "event": EVENTS,
    "progress": PROGRESS,
    "result": RESULTS,
}


@pytest.mark.parametrize("records", RECORDS.values(), ids=RECORDS)
def test_json_and_back_is_the_same(records: st.SearchStrategy) -> None:
    @given(records)
    def check(record: Any) -> None:
        back = through_json(record)
        assert back == record
        assert to_plain(back) == to_plain(record)

    check()


def test_a_number_that_is_none_survives_as_text() -> None:
    plain = to_plain(Estimate(math.nan, -math.inf, math.inf))
    assert plain == {"value": "nan", "low": "-inf", "high": "inf"}
    back = from_plain(Estimate, plain)
    assert math.isnan(back.value)
    assert (back.low, back.high) == (-math.inf, math.inf)


def test_numbers_of_numpy_become_pythons_own() -> None:
    evidence = {"gap": np.float32(0.5), "rows": np.int64(3), "sure": np.bool_(True)}
    evidence |= {"bad": np.float32("nan"), "curve": np.array([1.0, np.inf], np.float32)}
    plain = to_plain(Finding("DW101", "problem", "claim", "detail", evidence))
    assert json.loads(json.dumps(plain, allow_nan=False))["evidence"] == {
        "gap": 0.5,
        "rows": 3,
        "sure": True,
        "bad": "nan",
        "curve": [1.0, "inf"],
    }


def test_fields_of_a_later_release_are_left_out() -> None:
    plain = {**to_plain(Estimate(1.0, 0.5, 1.5)), "added_later": 3}
    assert from_plain(Estimate, plain) == Estimate(1.0, 0.5, 1.5)


def test_fields_that_an_earlier_release_lacked_get_their_default() -> None:
    plain = to_plain(Event(1.0, "create"))
    del plain["details"]
    assert from_plain(Event, plain) == Event(1.0, "create")


def test_own_plain_forms_agree_with_the_general_one() -> None:
    estimate = Estimate(0.1, 0.05, 0.15)
    finding = Finding("DW101", "problem", "claim", "detail", {"gap": 0.1}, "deepwell improve x")
    assert estimate.to_plain() == to_plain(estimate)
    assert finding.to_plain() == to_plain(finding)
