"""Studies of rows that come in groups: what a figure rests on is groups, not rows."""

import numpy as np
import polars as pl
import pytest

import deepwell as dw
from deepwell.diagnosis import METRICS, estimate, paired_difference, wilson
from deepwell.records import Estimate
from deepwell.study._evaluate import difference_on_dev
from deepwell.study._experiment_rows import experiment_rows

ERROR = METRICS["error"]
GROUPS, EACH = 60, 10
FIXED = {"hidden_layers": 1, "hidden_units": 4, "batch_size": 64, "learning_rate": 0.02}


def table() -> pl.DataFrame:
    """Each patient is measured ten times, nearly alike, and has one label."""
    generator = np.random.default_rng(0)
    who = np.repeat(np.arange(GROUPS), EACH)
    place = generator.normal(size=(GROUPS, 3))
    sick = place[:, 0] + 0.8 * generator.normal(size=GROUPS) > 0
    x = place[who] + 0.05 * generator.normal(size=(len(who), 3))
    return pl.DataFrame(
        {
            "patient": [f"p{n}" for n in who],
            **{f"x{j}": x[:, j] for j in range(3)},
            "y": np.where(sick[who], "sick", "well"),
        }
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    vault = tmp_path_factory.mktemp("groups") / "vault"
    return dw.load(table(), target="y", group="patient", ignore=["patient"], vault=vault)


@pytest.fixture(scope="module")
def study(data, tmp_path_factory):
    one = dw.Study(data, fixed=FIXED, store=tmp_path_factory.mktemp("store"), name="groups")
    one.run(trials=3, epochs=15)
    return one


def width(one: Estimate) -> float:
    return one.high - one.low


def test_scores_and_differences_are_resampled_by_group(study, data):
    result, model = study.result, study.best
    for part, found in ((data.train, result.train), (data.dev, result.dev)):
        said = model.outputs(part.x)
        assert found == estimate(ERROR, part.y, said, part.weight, 0, part.group)
        alone = wilson(found.value * len(part), len(part))
        assert width(found) > 1.8 * width(alone)  # sqrt(10), where groups are of a kind
    rows = len(data.dev)
    for one in result.baselines:
        assert width(one.estimate) > 1.8 * width(wilson(one.estimate.value * rows, rows))
    constant = np.tile([1.0, 0.0], (len(data.dev), 1))
    said = model.outputs(data.dev.x)
    change = difference_on_dev(data, ERROR, said, constant, 0)
    assert change == paired_difference(ERROR, data.dev.y, said, constant, group=data.dev.group)
    assert width(change) > 1.8 * width(paired_difference(ERROR, data.dev.y, said, constant))
    [luck] = [f for f in result.findings if f.code == "DW120"]
    expected = luck.evidence["expected"]
    value = expected["value"]
    assert expected["high"] - expected["low"] > 1.8 * width(wilson(value * rows, rows))


def test_the_opened_test_rows_are_resampled_by_group(study):
    found = study.open_test()[-1].test
    rows = study.result.data.sizes[2]
    assert width(found) > 1.5 * width(wilson(found.value * rows, rows))


def test_halves_of_dev_rows_share_no_group(data):
    rows = experiment_rows(data, None, ERROR, 0, None)
    chooses, measures = rows.sides[0][0].data.dev, rows.sides[0][0].measured
    assert len(chooses) + len(measures) == len(data.dev)
    assert not set(chooses.group) & set(measures.group)
    assert len(rows.sums(0, [np.eye(2)[measures.y]])) == len(np.unique(measures.group))


def test_folds_are_resampled_by_group(data, tmp_path):
    one = dw.Study(data, folds=3, fixed=FIXED, store=tmp_path)
    found, rows = one.run(trials=2, epochs=8).dev, len(data.train) + len(data.dev)
    assert width(found) > 1.8 * width(wilson(found.value * rows, rows))
