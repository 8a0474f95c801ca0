"""A run that ends by itself where one more round is not expected to pay."""

import numpy as np
import polars as pl

import deepwell as dw
from deepwell.storage._open import open_store

FIXED = {"hidden_layers": 1, "hidden_units": 4, "batch_size": 64}


def table(rows: int = 600, noise: float = 0.0) -> pl.DataFrame:
    generator = np.random.default_rng(0)
    x = generator.normal(size=(rows, 3))
    y = np.where(generator.random(rows) < noise, generator.random(rows) < 0.5, x[:, 0] > 0)
    return pl.DataFrame({f"x{j}": x[:, j] for j in range(3)} | {"y": y.astype(int)})


def run(tmp_path, space, noise=0.0, **asked):
    data = dw.load(table(noise=noise), target="y", vault=None)
    study = dw.Study(data, space=space, fixed=FIXED, store=tmp_path, scheduler="none", name="s")
    return study, study.run(epochs=4, **asked)


def test_it_ends_where_nothing_is_left_to_be_found(tmp_path):
    """Half of the labels are a coin's throw: two epsilons make no difference that shows."""
    space = {"epsilon": dw.log(1e-9, 1e-7), "beta2": dw.uniform(0.99, 0.999)}
    study, result = run(tmp_path, space, noise=1.0, trials=144, until_settled=True)
    assert result.plan.rounds == (18,) * 8
    assert result.networks < 144
    assert result.stopped == ""
    (note,) = result.search_notes
    assert note.startswith("the search ended early, since searching on is not expected to pay: ")
    with open_store(tmp_path) as store:
        record = store.study("s")
        assert record.status == "finished"
        (event,) = store.events(record.id, "settled")
    assert event.details["pays"] is False
    assert "the search ended early" in study.report().read_text()


def test_it_goes_on_where_better_ones_are_expected(tmp_path):
    """Learning rates from far too low: of a few networks none has fitted a line that can be."""
    space = {"learning_rate": dw.log(1e-7, 1e-1), "beta1": dw.uniform(0.8, 0.95)}
    _, result = run(tmp_path, space, trials=27, until_settled=True)
    assert result.networks == 27
    assert result.search_notes == ()


def test_without_being_asked_to_it_trains_all_networks(tmp_path):
    space = {"epsilon": dw.log(1e-9, 1e-7), "beta2": dw.uniform(0.99, 0.999)}
    _, result = run(tmp_path, space, noise=1.0, trials=40)
    assert (result.networks, result.plan.rounds) == (40, (40,))


def test_folds_are_judged_by_their_means(tmp_path):
    data = dw.load(table(noise=1.0), target="y", vault=None)
    space = {"epsilon": dw.log(1e-9, 1e-7), "beta2": dw.uniform(0.99, 0.999)}
    study = dw.Study(data, space=space, fixed=FIXED, store=tmp_path, folds=3, scheduler="none")
    result = study.run(trials=72, epochs=2, until_settled=True)
    assert result.networks < 72 * 3
    assert result.search_notes
