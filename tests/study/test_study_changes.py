"""Changes by hand that are part of a configuration (O12): trained, stopped, resumed, saved."""

from dataclasses import replace

import numpy as np
import pytest

import deepwell as dw
from deepwell._base._errors import UsageError
from deepwell._native._core_module import available
from deepwell.data._batches import epoch_order
from deepwell.execution._backends import choose_backend
from deepwell.execution._members import member_of
from deepwell.records import TrialSpec
from deepwell.search.schedulers._across_folds import configurations
from deepwell.storage import open_store
from deepwell.study._arrays import shape_of, training_rows
from deepwell.training._program import Chunk
from deepwell.training._state import best_parameters, initial_state

PROGRAMS = [
    pytest.param("native", marks=pytest.mark.skipif(not available(), reason="no compiled core")),
    "jax",
]
CHANGE = "2: learning_rate=0.03; 3: dropout=0.4, l1=0.001; 5: mixup=0.3, dropout=0.1"
SPACE = {
    "learning_rate": dw.log(1e-3, 1e-1),
    "hidden_units": 6,
    "hidden_layers": 1,
    "batch_size": 16,
    "decay": "cosine",
    "change": ["none", CHANGE],
}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    rng = np.random.default_rng(5)
    x = rng.normal(size=(120, 3))
    y = np.where(x[:, 0] * x[:, 1] + 0.3 * rng.normal(size=120) > 0, "yes", "no")
    table = {f"c{i}": x[:, i] for i in range(3)} | {"y": y}
    return dw.load(table, target="y", vault=tmp_path_factory.mktemp("vault"))


def begin(data, store, program, trials=6, observer=None, **options):
    study = dw.Study(
        data, SPACE, name="mine", store=store, program=program, observer=observer, **options
    )
    return study, study.run(trials=trials, epochs=8)


class StopAtEpoch(dw.Observer):
    """Stops a run where its work is done to a share."""

    def __init__(self, share):
        self.share = share

    def on_progress(self, progress):
        if progress.share >= self.share:
            raise KeyboardInterrupt


@pytest.mark.proves("O12", "formula", "population")
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_study_trains_as_a_person_at_two_sessions_would(data, tmp_path, program):
    """The best network is, to the bit, the one of sessions that a person stops and changes."""
    study, result = begin(data, tmp_path, program, fixed={"change": CHANGE}, scheduler="none")
    assert result.programs == 1
    spec = study.history()[result.best_trial].spec
    assert (
        result.best["change"]
        == spec["change"]
        == ("2: learning_rate=0.03; 3: dropout=0.4; 3: l1=0.001; 5: mixup=0.3; 5: dropout=0.1")
    )
    shape, rows = shape_of(data, "error"), training_rows(data)
    member = member_of(spec, shape.inputs, shape.outputs, shape.loss)
    backend = choose_backend(program)
    bucket = backend.plan({0: member}, {0: 16}, 8, shape).buckets[0]
    made, alone = backend.build(bucket, rows), replace(member, changes={})
    state = initial_state(alone)
    for first, last, numbers in (
        (1, 2, {"learning_rate": 0.03}),
        (3, 3, {"dropout": 0.4, "l1": 0.001}),
        (4, 5, {"mixup": 0.3, "dropout": 0.1}),
        (6, 8, {}),
    ):
        session = made.load([alone], [state])
        for epoch in range(first, last + 1):
            order = epoch_order(spec.order_seed, epoch, len(rows.y_train), 16)
            for place in range(0, len(order), bucket.structure.steps):
                part = order[place : place + bucket.structure.steps]
                session.advance(Chunk(part, epoch, place + len(part) == len(order)))
        (state,), alone = session.states(), alone.changed(numbers)
    for name, array in best_parameters(state).items():
        np.testing.assert_array_equal(study.best.parameters[name], array)
    assert np.isfinite(result.weight_sparsity)  # it paid an l1 penalty at last


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_stop_anywhere_and_other_company_change_nothing(data, tmp_path, program):
    """E1 and E5, across the changes: resumed, and beside other networks."""
    whole, _ = begin(data, tmp_path / "whole", program)
    told = {t.number: (t.score, t.best_epoch, t.status) for t in whole.history()}
    assert {t.spec.text("change") == "none" for t in whole.history()} == {True, False}
    for share in (0.2, 0.6):
        place = tmp_path / str(share)
        with pytest.raises(KeyboardInterrupt):
            begin(data, place, program, observer=StopAtEpoch(share))
        again = dw.resume("mine", data, store=place)
        assert {t.number: (t.score, t.best_epoch, t.status) for t in again.trials()} == told
        for name, array in whole.best.parameters.items():
            np.testing.assert_array_equal(again.model().parameters[name], array)
    few, _ = begin(data, tmp_path / "few", program, trials=3, scheduler="none")
    many, _ = begin(data, tmp_path / "many", program, scheduler="none")
    pairs = zip(few.history(), many.history(), strict=False)
    for one, other in pairs:
        assert one.spec == other.spec
        for name, curve in one.curves.items():
            np.testing.assert_array_equal(curve, other.curves[name])


def test_a_saved_network_has_the_rates_of_its_own_epoch(data, tmp_path):
    """Classic dropout multiplies by 1 - p at prediction: by the p of the epoch of the weights."""
    fixed = {"change": "4: dropout=0.6", "dropout": 0.1, "dropout_kind": "classic"}
    study, result = begin(data, tmp_path, None, fixed=fixed, scheduler="none")
    trial = study.history()[result.best_trial]
    assert trial.score == pytest.approx(result.dev.value, abs=1e-7)
    rate = 0.6 if trial.best_epoch > 4 else 0.1
    assert study.best.architecture.dropout == (rate,)
    early, _ = begin(
        data, tmp_path / "early", None, fixed=fixed | {"change": "7: dropout=0.6"}, trials=1
    )
    trial = early.history()[0]
    assert early.best.architecture.dropout == (0.6 if trial.best_epoch > 7 else 0.1,)


def test_folds_and_the_last_network_change_too(data, tmp_path):
    study, result = begin(data, tmp_path, None, folds=3, fixed={"change": "3: dropout=0.5"})
    best = min(configurations(study.history(), 3), key=lambda t: (t.score, t.cost))
    assert np.mean(result.folds) == pytest.approx(best.score, abs=1e-6)
    assert study.best.architecture.dropout in ((0.5,), (0.0,))
    with open_store(tmp_path, create=False) as opened:
        kept = opened.trials(opened.study("mine").id)
    assert {t.spec.text("change") for t in kept} == {"3: dropout=0.5"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("8: l2=1", "`change` after epoch 8 never comes, since networks train 8 epochs"),
        ("3: l2=-1", "`change` after epoch 3: `l2` must be at least 0, got -1"),
        ("3: dropout=[0.1, 0.2]", "lists a rate for each layer, so `hidden_layers` must be 2;"),
    ],
)
def test_changes_that_cannot_be_are_refused_before_anything_trains(data, tmp_path, change, words):
    with pytest.raises(UsageError, match=words.replace("[", r"\[")):
        begin(data, tmp_path, None, fixed={"change": change})
    assert not list(tmp_path.iterdir())


def test_a_specification_tells_its_numbers_by_epoch():
    spec = TrialSpec({"change": {2: {"l2": 0.1}, 5: {"l2": 0.0}}, "l2": 0.3}, seed=0)
    assert [spec.during(e)["l2"] for e in (1, 2, 3, 5, 6)] == [0.3, 0.3, 0.1, 0.1, 0.0]
    assert TrialSpec.from_json(spec.to_json()) == spec
    assert spec.during(1)["change"] == "none"
