"""The remedies and the recipe: what each changes, in which order, and when it does not apply."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepwell._base._errors import UsageError
from deepwell._base._hyperparameters import complete
from deepwell.diagnosis._codes import CODES
from deepwell.diagnosis._recipe import (
    BY_CODE,
    Verdict,
    recipe,
    remedies_for,
    verdict_from_scores,
    verdict_of,
)
from deepwell.diagnosis._remedies import REMEDIES, Patient, treatments
from deepwell.records import Finding

PLAIN = {"hidden_units": [32, 32], "epochs": 100, "learning_rate": 0.003}


def changes(values: dict, **about) -> dict[str, dict]:
    patient = Patient(complete(values), **about)
    return {one.name: dict(one.change) for one in treatments(patient, tuple(REMEDIES))}


@pytest.mark.proves("G3", "formula")
def test_what_each_remedy_changes():
    found = changes({**PLAIN, "dropout": 0.31, "l2": 1e-4})
    assert found["bigger"] == {"hidden_units": (64, 64)}
    assert found["much-bigger"] == {"hidden_units": (128, 128)}
    assert found["deeper"] == {"hidden_layers": 3, "hidden_units": (32, 32, 32)}
    assert found["longer"] == {"epochs": 300, "patience": 45}
    assert found["higher-rate"] == {"learning_rate": 0.009}
    assert found["lower-rate"] == {"learning_rate": 0.001}
    assert found["schedule"] == {"decay": "cosine", "patience": 0}
    assert found["other-optimizer"] == {"optimizer": "nesterov", "learning_rate": 0.0055}
    assert found["no-regularization"] == {"dropout": 0.0, "l2": 0.0}
    assert (found["less-dropout"], found["more-dropout"]) == ({"dropout": 0.155}, {"dropout": 0.51})
    assert (found["less-l2"], found["more-l2"]) == ({"l2": 1e-5}, {"l2": 1e-3})
    assert found["more-mixup"] == {"mixup": 0.2}
    assert found["more-input-noise"] == {"input_noise": 0.1}
    assert found["more-label-smoothing"] == {"label_smoothing": 0.1}
    assert found["smaller"] == {"hidden_units": (16, 16)}
    assert found["shallower"] == {"hidden_layers": 1, "hidden_units": (32,)}
    assert found["batch-norm"] == {"batch_norm": "before"}
    assert found["other-activation"] == {"activation": "gelu"}
    assert found["residual"] == {"residual": 1}
    assert "augment" not in found


def test_what_is_on_can_be_weakened_and_strengthened():
    values = {"label_smoothing": 0.1, "mixup": 0.5, "input_noise": 0.2, "weight_decay": 0.01}
    found = changes({**PLAIN, **values, "decay": "cosine", "batch_norm": "before", "patience": 0})
    assert found["no-regularization"] == dict.fromkeys(values, 0.0)
    assert found["no-label-smoothing"] == {"label_smoothing": 0.0}
    assert found["more-label-smoothing"] == {"label_smoothing": 0.2}
    assert (found["no-mixup"], found["more-mixup"]) == ({"mixup": 0.0}, {"mixup": 1.5})
    assert found["less-input-noise"] == {"input_noise": 0.0667}
    assert found["less-weight-decay"] == {"weight_decay": 0.001}
    assert found["more-weight-decay"] == {"weight_decay": 0.1}
    assert found["schedule"] == {"decay": "constant"}
    assert found["batch-norm"] == {"batch_norm": "none"}
    assert found["stop-earlier"] == {"patience": 15}
    assert "stop-later" not in found


def test_nothing_that_regularizes_comes_first_for_bias_where_anything_does():
    first = recipe(Verdict(bias=True, variance=False))[0]
    assert first == "no-regularization"
    assert first not in changes(PLAIN)
    assert first not in changes({**PLAIN, "l2": 1e-9}), "which cannot be seen"
    for name in ("dropout", "input_dropout", "l1", "l2", "max_norm"):
        assert changes({**PLAIN, name: 0.2})[first] == {name: 0.0}
    slight = changes({**PLAIN, "dropout": 0.05})
    assert "less-dropout" not in slight, "the same again"


def test_images_are_augmented_where_the_program_can():
    image = {"conv_layers": 2, "hidden_layers": 1}
    about = {"image": (8, 8, 1)}
    assert "augment" not in changes(image, **about, convolves=False)
    found = changes(image, **about, convolves=True)
    assert found["augment"]["augment"] == 0.5
    assert found["augment"]["shift"] == 0.05
    assert found["bigger"] == {"hidden_units": (128,), "conv_channels": (32, 32)}
    assert set(changes({**image, "augment": 0.3}, **about)["no-augmentation"]) >= {"augment"}


def test_settings_out_of_their_ranges_are_set_back_together():
    assert "usual-settings" not in changes(PLAIN)
    odd = {"optimizer": "velocity", "momentum": 0.999, "clip_norm": 1e-4, "l2": 0.5}
    found = changes({**PLAIN, **odd})["usual-settings"]
    assert found == {"l2": 0.0, "momentum": 0.9, "clip_norm": 0.0}


def test_regression_has_no_labels_to_smooth():
    assert "more-label-smoothing" not in changes(PLAIN, task="regression")


def test_a_network_without_hidden_layers_gets_one():
    found = changes({"hidden_layers": 0})
    assert found["deeper"] == {"hidden_layers": 1, "hidden_units": (64,)}
    assert not {"bigger", "smaller", "shallower", "more-dropout", "residual"} & set(found)
    assert changes({"hidden_units": [64]})["shallower"]["hidden_layers"] == 0


def test_an_odd_start_is_mended_and_any_other_changed():
    odd = changes({**PLAIN, "initializer": "zeros", "activation": "tanh"})["other-start"]
    assert odd == {"initializer": "lecun"}
    assert changes(PLAIN)["other-start"] == {"initializer": "glorot"}


_VALUES = st.fixed_dictionaries(
    {
        "hidden_units": st.lists(st.integers(1, 4096), max_size=4),
        "dropout": st.floats(0, 0.99),
        "l2": st.sampled_from([0.0, 1e-9, 1e-3, 1e6]),
        "learning_rate": st.sampled_from([1e-300, 1e-3, 1e300]),
        "epochs": st.sampled_from([1, 50, 1_000_000]),
        "patience": st.sampled_from([0, 15, 1_000_000]),
        "label_smoothing": st.floats(0, 0.99),
        "mixup": st.floats(0, 100),
        "input_noise": st.floats(0, 100),
        "weight_decay": st.sampled_from([0.0, 0.1, 1e300]),
        "optimizer": st.sampled_from(["sgd", "adagrad", "adam", "optax:lion"]),
        "activation": st.sampled_from(["maxout", "identity", "tanh", "relu"]),
    }
)


@settings(max_examples=60)
@given(_VALUES)
def test_every_treatment_is_a_valid_configuration_that_differs(values):
    layers = {} if values["hidden_units"] else {"hidden_layers": 0}
    patient = Patient(complete({**values, **layers}))
    found = treatments(patient, tuple(REMEDIES))
    for one in found:
        assert one.change
        assert one.words
        after = {**patient.values, **one.change}
        assert complete(after) == after
    assert len({repr(sorted(one.change.items())) for one in found}) == len(found)


def test_bias_comes_first_then_variance():
    kinds = [REMEDIES[name].kind for name in recipe(Verdict(True, True))]
    assert kinds == sorted(kinds, key=["bias", "optimization", "architecture", "variance"].index)
    assert REMEDIES[recipe(Verdict(False, True))[0]].kind == "variance"
    for verdict in (Verdict(True, False), Verdict(False, True), Verdict(False, False)):
        assert sorted(recipe(verdict)) == sorted(REMEDIES)


def test_the_verdict_is_that_of_the_findings():
    high = [Finding("DW102", "problem", "", ""), Finding("DW101", "unsure", "", "")]
    assert verdict_of(high) == Verdict(True, False)
    assert verdict_from_scores(0.15, 0.155, 0.0, 0.01) == Verdict(True, False)
    assert verdict_from_scores(0.15, 0.155, 0.15, 0.01) == Verdict(False, False)
    assert verdict_from_scores(0.01, 0.11, 0.0, 0.01) == Verdict(False, True)
    assert verdict_from_scores(5.0, 5.5, None, 1.0) == Verdict(False, False), "an RMSE is not 0"
    assert verdict_from_scores(5.0, 6.5, None, 1.0) == Verdict(False, True)
    fitted_to_noise = verdict_from_scores(0.01, 0.205, 0.2, 0.01)
    assert fitted_to_noise == Verdict(False, False), "variance counts from the best possible"
    assert Verdict(True, True).high == ("bias", "variance")


def test_what_was_measured_may_be_applied():
    assert remedies_for("DW415")
    assert remedies_for("DW416")[0] == "usual-settings"


def test_every_code_has_remedies_that_exist():
    assert set(BY_CODE) <= set(CODES)
    for code, names in BY_CODE.items():
        assert remedies_for(code) == names
        assert set(names) <= set(REMEDIES)
        assert len(set(names)) == len(names)
    assert not any(REMEDIES[n].kind == "variance" for n in BY_CODE["DW102"])


def test_every_remedy_is_on_the_page():
    text = (Path(__file__).parents[2] / "docs" / "improve.md").read_text("utf-8")
    assert [name for name in REMEDIES if f"`{name}`" not in text] == []
    assert all(remedy.doc.endswith(".") for remedy in REMEDIES.values())


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("DW1O1", 'unknown code "DW1O1"; did you mean "DW'),
        ("DW100", "there is no remedy to try for DW100 (neither high bias"),
    ],
)
def test_a_code_without_remedies_is_refused(code, sentence):
    with pytest.raises(UsageError) as refused:
        remedies_for(code)
    assert str(refused.value).startswith(sentence)
