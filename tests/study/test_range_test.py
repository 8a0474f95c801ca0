"""The range test of a study: both programs, reproducible, and near the best of a full search."""

import numpy as np
import pytest
from sklearn import datasets

import deepwell as dw
from deepwell._base._errors import UsageError
from deepwell.lab._population import Task, train
from deepwell.study._range_test import typical

RANDOM = np.random.default_rng(3)
X = RANDOM.normal(size=(260, 4))
Y = (X[:, 0] * X[:, 1] > 0).astype(int)
FIXED = {"hidden_layers": 1, "hidden_units": 12, "batch_size": 16}


def made(store, **options):
    data = dw.load((X, Y), vault=store / "in", name="rates")
    return dw.Study(data, fixed=FIXED, store=store / "store", **options)


def test_the_range_is_read_and_nothing_is_kept(tmp_path):
    study = made(tmp_path)
    found = study.rate_range(runs=2)
    assert len(found.rates) == len(found.costs) == 25
    assert (found.rates[0], found.rates[-1]) == (pytest.approx(1e-5), pytest.approx(10.0))
    assert 0.6 < found.start < 1.2
    assert found.recommended is not None
    assert 1e-4 < found.recommended.low <= found.recommended.value <= found.recommended.high < 1
    assert 3 <= found.epochs <= 10
    assert "12 relu" in found.network
    assert "lr" not in found.network
    assert not (tmp_path / "store").exists()


def test_the_start_is_the_cost_before_the_first_step_whatever_rates_are_tried(tmp_path):
    study = made(tmp_path)
    low, high = (study.rate_range(rate, 5.0, rates=5, runs=2, epochs=2) for rate in (1e-9, 0.5))
    assert high.start == pytest.approx(low.start, rel=1e-6)
    assert low.costs[0] == pytest.approx(low.start, rel=1e-4), "nothing moves at such a rate"
    assert low.edge is None or low.edge > 0.1, "what stays where it is has not diverged"


@pytest.mark.proves("G7", "population")
def test_a_rate_is_the_same_among_others(tmp_path):
    study = made(tmp_path)
    many = study.rate_range(1e-3, 1e-1, rates=9, runs=2, epochs=3)
    few = study.rate_range(1e-3, 1e-1, rates=5, runs=2, epochs=3)
    assert few.rates == pytest.approx(many.rates[::2])
    assert few.costs[2] == many.costs[4]  # 0.01, to the bit
    assert study.rate_range(1e-3, 1e-1, rates=9, runs=2, epochs=3).costs == many.costs


@pytest.mark.proves("G7", "independent")
def test_both_programs_read_alike(tmp_path):
    ours, theirs = (
        made(tmp_path, program=program).rate_range(runs=1, rates=9, epochs=3)
        for program in ("native", "jax")
    )
    finite = np.isfinite(ours.costs)
    np.testing.assert_allclose(
        np.array(ours.costs)[finite][:6], np.array(theirs.costs)[finite][:6], rtol=2e-3
    )


def test_the_network_is_the_middle_of_the_space(tmp_path):
    study = made(tmp_path)
    values = typical(study.settings.space)
    assert values["hidden_units"] == (12,)
    assert values["batch_size"] == 16
    folded = dw.Study(
        dw.load((X, Y), vault=tmp_path / "in", name="rates"), fixed=FIXED, folds=3,
        store=tmp_path / "store",
    )  # fmt: skip
    assert folded.rate_range(runs=1, rates=5, epochs=1).epochs == 1


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"low": 0.0}, "`low` must be"),
        ({"high": -1.0}, "`high` must be"),
        ({"low": 1.0, "high": 0.1}, "`low` must be below `high`"),
        ({"rates": 4}, "`rates` must be"),
        ({"runs": 0}, "`runs` must be"),
        ({"epochs": 0}, "`epochs` must be"),
    ],
)
def test_out_of_range(tmp_path, given, what):
    with pytest.raises(UsageError, match=what):
        made(tmp_path).rate_range(**given)


def tasks():
    """Yield tasks of classes and numbers."""
    for name in ("digits", "breast_cancer", "wine", "iris"):
        x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
        yield name, x, y, len(set(y))
    x, y = datasets.make_friedman1(800, noise=1.0, random_state=0)
    yield "friedman", x, (y - y.mean()) / y.std(), 0
    x, y = datasets.make_moons(600, noise=0.3, random_state=0)
    yield "moons", x, y, 2


@pytest.mark.slow
@pytest.mark.proves("G7", "formula")
def test_it_is_within_a_factor_3_of_a_full_search():
    """Of rates whose scores a search of 6 seeds cannot tell from the best, one is as near."""
    near, rates, runs, epochs = [], np.geomspace(1e-5, 10, 25), 6, 40
    for _, x, y, classes in tasks():
        order = np.random.default_rng(0).permutation(len(y))
        x, y = x[order], y[order]
        n = min(len(y) * 2 // 3, 800)
        z = ((x - x[:n].mean(0)) / np.where(x[:n].std(0) > 0, x[:n].std(0), 1)).astype(np.float32)
        y = y.astype(np.int32 if classes else np.float32)
        task = Task(z[:n], y[:n], z[n:], y[n:], classes)
        for optimizer in ("adam", "sgd", "momentum", "rmsprop"):
            network = {"hidden_layers": 1, "hidden_units": 32, "optimizer": optimizer}
            data = dw.load((z[:n], y[:n]), dev=(z[n:], y[n:]), test=0, vault=None)
            study = dw.Study(data, fixed={**network, "batch_size": 32, "epochs": epochs})
            found = study.rate_range()
            full = train(
                task,
                [
                    {**network, "batch_size": 32, "learning_rate": float(rate), "seed": run}
                    for run in range(runs)
                    for rate in rates
                ],
                epochs,
            )
            scores = [n.dev_score for n in full]
            each = np.array([np.nanmin(np.nan_to_num(s, nan=np.inf)) for s in scores])
            each = each.reshape(runs, -1)
            with np.errstate(invalid="ignore"):
                behind = each - each[:, [each.mean(0).argmin()]]
                error = behind.std(0, ddof=1) / np.sqrt(runs)
            good = rates[np.isfinite(error) & (behind.mean(0) <= error + 1e-12)]
            assert found.recommended is not None
            near.append(np.abs(np.log(good / found.recommended.value)).min() <= np.log(3) + 1e-9)
    assert np.mean(near) >= 0.75, near
