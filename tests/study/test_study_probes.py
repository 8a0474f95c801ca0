"""Probes of a study: whose, when, at no change of anything else; kept, shown and reported."""

import json
from dataclasses import replace

import numpy as np
import pytest

import deepwell as dw
from deepwell._base._errors import UsageError
from deepwell._native._core_module import available
from deepwell.cli import run
from deepwell.execution._planner import Machine, Shape
from deepwell.records import Rung, Status, Trial, TrialSpec
from deepwell.report._json import fit_json
from deepwell.study import _probing
from deepwell.study._probe_choice import Probing, checked_choice, checked_every
from deepwell.study._probing import chosen

pytestmark = pytest.mark.skipif(not available(), reason="no compiled core here")
SPACE = {
    "learning_rate": dw.log(1e-3, 1e-1),
    "hidden_units": dw.integer(3, 9),
    "hidden_layers": 2,
    "batch_size": 16,
    "patience": 0,
}
EPOCHS = 18


def table(rows=120):
    rng = np.random.default_rng(5)
    x = rng.normal(size=(rows, 3)).round(3)
    y = np.where(x[:, 0] * x[:, 1] + 0.3 * rng.normal(size=rows) > 0, "yes", "no")
    return {f"c{i}": x[:, i] for i in range(3)} | {"y": y}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return dw.load(table(), target="y", vault=tmp_path_factory.mktemp("vault"))


def ran(data, store, trials=9, **options):
    study = dw.Study(data, SPACE, name="mine", store=store, program="native", seed=1, **options)
    study.run(trials=trials, epochs=EPOCHS)
    return study


@pytest.fixture(scope="module")
def usual(data, tmp_path_factory):
    return ran(data, tmp_path_factory.mktemp("usual"))


def epochs_of(study, trial):
    return [probe.epoch for probe in study.probe_records(trial)]


def outcome(study, store):
    """Return what a study found, to the bit."""
    curves = [{k: c.tobytes() for k, c in t.curves.items()} for t in study.history()]
    trials = [replace(t, curves={}) for t in study.history()]
    model = (store / "mine" / "model" / "model.safetensors").read_bytes()
    return trials, curves, model, study.result.dev, study.result.best_trial


def test_the_best_network_has_probes_over_its_training(usual):
    best = usual.result.best_trial
    assert epochs_of(usual, best) == [0, 1, 2, 4, 8, 16, EPOCHS]
    last = usual.probe_records(best)[-1]
    assert last.layers == ("hidden 1", "hidden 2", "output")
    trial = next(t for t in usual.history() if t.number == best)
    assert last.step == EPOCHS * last.step // trial.epochs


def test_what_is_probed_changes_nothing_else(data, usual, tmp_path):
    place = tmp_path / "none"
    without = ran(data, place, probe="none")
    assert without.probe_records() == []
    assert without.probes().height == 0
    assert "Inside the best network" not in without.report().read_text()
    everyone = ran(data, tmp_path / "all", probe="all", probe_every=1)
    first = outcome(without, place)
    assert outcome(everyone, tmp_path / "all") == first
    for trial in everyone.history():
        assert epochs_of(everyone, trial.number) == list(range(trial.epochs + 1))
    # Whichever way a network came to its probes, they are the same.
    best = usual.result.best_trial
    kept = {p.epoch: p for p in everyone.probe_records(best)}
    for probe in usual.probe_records(best):
        same = kept[probe.epoch]
        assert probe.weights.tobytes() == same.weights.tobytes()
        assert probe.update_norm.tobytes() == same.update_norm.tobytes()
        assert probe.gradients.tobytes() == same.gradients.tobytes()


def test_numbers_of_trials_are_beside_the_best(data, tmp_path):
    study = ran(data, tmp_path, probe="3,5", scheduler="none")
    best = study.result.best_trial
    assert {p.trial for p in study.probe_records()} == {3, 5, best}
    assert epochs_of(study, 3) == [0, 1, 2, 4, 8, 16, EPOCHS]


def test_the_frame_is_a_row_a_probe_and_layer(usual):
    best = usual.result.best_trial
    frame = usual.probes(best)
    assert frame.height == 7 * 3
    assert frame.columns[:4] == ["trial", "epoch", "step", "layer"]
    assert len(frame.columns) == 4 + 21 + 6
    record = usual.probe_records(best)[2]
    rows = frame.filter(frame["epoch"] == record.epoch)
    assert rows["layer"].to_list() == list(record.layers)
    for name, values in (
        ("activation_0", record.activations[:, 0]),
        ("gradient_50", record.gradients[:, 3]),
        ("weight_95", record.weights[:, 5]),
        ("saturated", record.saturated),
        ("update_norm", record.update_norm),
    ):
        np.testing.assert_array_equal(rows[name].to_numpy(), values)
    assert usual.probes().height == sum(len(p.layers) for p in usual.probe_records())


def test_a_trial_that_is_none(usual):
    with pytest.raises(UsageError, match="study mine has the trials 0 to 8, got 9"):
        usual.probes(9)
    with pytest.raises(UsageError, match="study mine has the trials 0 to 8, got 'best'"):
        usual.probes("best")
    assert usual.probes(np.int64(3)).equals(usual.probes(3))


def test_the_report_tells_the_inside_of_the_best_network(usual, capsys):
    file = usual.report()
    text = file.read_text()
    assert run(["report", "mine", "--store", str(file.parents[1])]) == 0
    assert capsys.readouterr().out == text  # the command tells what the file does
    assert "Inside the best network" in text
    assert "Probed 7 times, the last time after 18 epochs" in text
    last = usual.probe_records(usual.result.best_trial)[-1]
    power = np.log10(last.update_norm[0] / last.weight_norm[0])
    line = next(line for line in text.splitlines() if line.startswith("hidden 1"))
    assert f"10^{power:.1f}" in line
    assert f"{100 * last.dead[0]:.1f} %" in line
    assert "probes" not in json.dumps(fit_json(usual.result))


def test_a_stopped_study_that_goes_on_ends_with_the_same_probes(data, usual, tmp_path):
    class Stops(dw.Observer):
        left = 14

        def on_progress(self, progress):
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ran(data, tmp_path, observer=Stops())
    finished = dw.resume("mine", data, store=tmp_path)
    told = [(p.trial, p.epoch, p.weights.tobytes()) for p in finished.probe_records()]
    assert told == [(p.trial, p.epoch, p.weights.tobytes()) for p in usual.probe_records()]


def test_cross_validation_probes_the_first_fold(data, tmp_path):
    study = ran(data, tmp_path, trials=4, folds=3)
    best = study.result.best_trial
    assert best % 3 == 0
    epochs = epochs_of(study, best)
    assert epochs[0] == 0
    assert epochs[-1] == next(t.epochs for t in study.history() if t.number == best)
    assert {p.trial % 3 for p in study.probe_records()} == {0}
    assert dw.open_study("mine", tmp_path).probes(best).height == 3 * len(epochs)


class Engine:
    """What `chosen` asks of an engine."""

    def __init__(self, rows, devices=1):
        self.shape = Shape(rows, rows // 5, 20, 3, "softmax", "error")
        self.machine = Machine(devices=devices)


def reached(count, scores=None, epochs=0):
    values = {"hidden_units": [64, 64], "batch_size": 64, "epochs": 100}
    scores = [np.inf] * count if scores is None else scores
    return [
        Trial(n, TrialSpec(values, n), Status.RUNNING, epochs, 1, score, score)
        for n, score in enumerate(scores)
    ]


def test_large_rows_pay_for_every_network_and_small_ones_for_few():
    rung, usual = Rung(11, 16), Probing()
    assert len(chosen(usual, reached(16), rung, Engine(2_000_000))) == 16
    assert chosen(usual, reached(16), rung, Engine(1_000)) == ()  # none is known to be best yet
    scored = reached(16, scores=np.linspace(0.9, 0.1, 16), epochs=11)
    assert chosen(usual, scored, Rung(33, 16), Engine(1_000)) == (15,)
    some = chosen(usual, scored, Rung(33, 16), Engine(100_000))
    assert some == tuple(range(15, 15 - len(some), -1))
    assert 1 < len(some) < 16
    assert len(chosen(usual, scored, Rung(33, 16), Engine(100_000, devices=4))) < len(some)


def test_asked_for_is_asked_for():
    few = reached(4, scores=[0.4, 0.3, 0.2, 0.1], epochs=11)
    engine, rung = Engine(1_000), Rung(33, 4)
    assert chosen(Probing("none"), few, rung, engine) == ()
    assert chosen(Probing("all"), few, rung, engine) == (0, 1, 2, 3)
    assert chosen(Probing((2, 9)), few, rung, engine) == (2, 3)
    assert chosen(Probing(), reached(1), rung, engine) == (0,)


def test_a_long_training_is_not_repeated_whole(data, tmp_path, monkeypatch):
    monkeypatch.setattr(_probing, "_FREE", 0.0)
    monkeypatch.setattr(_probing, "SHARE", 1e-6)
    study = ran(data, tmp_path, scheduler="none")
    assert epochs_of(study, study.result.best_trial) == [0, EPOCHS]
    whole = ran(data, tmp_path / "b", scheduler="none", probe_every=5)
    assert epochs_of(whole, whole.result.best_trial) == [0, 5, 10, 15, EPOCHS]


@pytest.mark.parametrize(
    "bad", ["worst", "", "3,x", "9" * 5000, "-1", -1, True, [], ["a"], 2.5, None, [1, True]]
)
def test_wrong_choices(bad):
    with pytest.raises(UsageError, match=r"`probe` must be best, all, none, or numbers of trials"):
        checked_choice(bad)


def test_choices_in_every_form():
    for given in ("5,3", [3, 5, 3], (5, np.int64(3)), "3, 5"):
        assert checked_choice(given) == (3, 5)
    assert checked_choice(7) == (7,)
    assert checked_every(None) == 0
    assert checked_every(np.int64(3)) == 3
    for bad in (0, 0.5, -1, "x", True):
        with pytest.raises(UsageError, match="`probe_every` must be a whole number"):
            checked_every(bad)


def test_what_could_never_be_probed_is_refused_before_work(data, tmp_path):
    with pytest.raises(UsageError, match="`probe_every` needs networks to look into"):
        dw.Study(data, store=tmp_path, probe="none", probe_every=5)
    study = dw.Study(data, store=tmp_path, probe="3,99")
    with pytest.raises(UsageError, match=r"`probe` names trial 99, and there are 8, .*: take 0 to"):
        study.run(trials=8, epochs=1)
    assert not list(tmp_path.iterdir())
