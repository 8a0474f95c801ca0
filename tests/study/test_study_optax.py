"""O9: studies with Optax's optimizers: stopped, and resumed where the optimizer is known."""

import subprocess
import sys

import numpy as np
import optax
import pytest

import deepwell as dw
from deepwell._base._errors import UsageError
from deepwell.report._terminal import study_lines

CSV_ROWS = 90


def _slow(learning_rate, beta1):
    return optax.chain(optax.scale_by_lion(b1=beta1), optax.scale_by_learning_rate(learning_rate))


MINE = dw.register_optimizer("resumed_lion", _slow)
SPACE = {
    "learning_rate": dw.log(1e-3, 1e-1),
    "hidden_layers": 1,
    "hidden_units": 6,
    "batch_size": 16,
}


class Stop(dw.Observer):
    """Stops in the middle of the work."""

    def on_progress(self, progress):
        if progress.share > 0.4:
            raise KeyboardInterrupt


@pytest.fixture
def csv(tmp_path):
    rng = np.random.default_rng(5)
    x = rng.normal(size=(CSV_ROWS, 3)).round(3)
    y = np.where(x[:, 0] + 0.3 * rng.normal(size=CSV_ROWS) > 0, "yes", "no")
    lines = [",".join([*map(str, row), label]) for row, label in zip(x, y, strict=True)]
    path = tmp_path / "rows.csv"
    path.write_text("\n".join(["a,b,c,y", *lines]))
    return path


def begin(csv, store, optimizer, observer=None):
    data = dw.load(csv, target="y", vault=store / "in", name="mine")
    study = dw.Study(data, SPACE, fixed={"optimizer": optimizer}, store=store, observer=observer)
    study.run(trials=4, epochs=9)
    return study


@pytest.mark.proves("O9", "population")
@pytest.mark.parametrize("optimizer", [MINE, "optax:lion"])
def test_a_stopped_study_goes_on_to_the_bit(csv, tmp_path, optimizer):
    whole = begin(csv, tmp_path / "a", optimizer)
    assert whole.result.plan.why == f"{optimizer} from Optax"
    text = " ".join("\n".join(study_lines(whole.result)).split())
    assert f"jax program (for {optimizer} from Optax, " in text
    with pytest.raises(KeyboardInterrupt):
        begin(csv, tmp_path / "b", optimizer, Stop())
    again = dw.resume("mine", store=tmp_path / "b")
    assert again.result.dev == whole.result.dev
    assert again.result.plan.why == f"{optimizer} from Optax"
    for name, array in whole.best.parameters.items():
        np.testing.assert_array_equal(array, again.model().parameters[name])


def test_where_it_is_not_registered_the_study_is_refused_and_stays(csv, tmp_path):
    """In another process, from the command line: one sentence, exit code 2, nothing lost."""
    with pytest.raises(KeyboardInterrupt):
        begin(csv, tmp_path, MINE, Stop())
    command = [sys.executable, "-m", "deepwell", "resume", "mine", "--store", str(tmp_path)]
    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert refused.stdout == ""
    assert refused.stderr.count("\n") == 1
    assert refused.stderr.startswith(
        "error: optax:resumed_lion is no optimizer of Optax that takes a learning rate, and none "
        "is registered under that name in this process; call deepwell.register_optimizer("
    )
    assert dw.resume("mine", store=tmp_path).result.networks == 4


def test_a_name_that_nothing_knows_is_refused_before_anything_is_told(csv, tmp_path):
    told = []

    class Listening(dw.Observer):
        def on_data(self, facts):
            told.append(facts)

    with pytest.raises(UsageError, match="optax:nosuch is no optimizer of Optax"):
        begin(csv, tmp_path, "optax:nosuch", Listening())
    assert told == []


def test_the_share_of_weights_at_zero_is_told_where_there_was_a_penalty(csv, tmp_path):
    data = dw.load(csv, target="y", vault=tmp_path / "in", name="sparse")
    fixed = {"optimizer": "sgd", "learning_rate": 0.1, "l1": 1.0, "initializer": "zeros"}
    fixed |= {"hidden_layers": 0}
    sparse = dw.Study(data, {}, fixed=fixed, store=tmp_path).run(trials=1, epochs=3)
    weights = dw.load_model("sparse", store=str(tmp_path)).parameters["weights/0"]
    assert sparse.weight_sparsity == pytest.approx(np.mean(np.abs(weights) < 1e-6))
    assert sparse.plan.why == ""
    share = f"{100 * sparse.weight_sparsity:.3g} % of its weights are 0 (below 1e-6) under its l1"
    assert share in " ".join("\n".join(study_lines(sparse)).split())
    none = dw.Study(data, {}, fixed=fixed | {"l1": 0.0}, store=tmp_path).run(trials=1, epochs=3)
    assert none.weight_sparsity is None
    assert "of its weights are 0" not in "\n".join(study_lines(none))
