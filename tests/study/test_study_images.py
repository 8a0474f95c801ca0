"""Images from an NPZ file to a tested convolutional network."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

import deepwell as dw
from deepwell._base._errors import UsageError
from deepwell.data import load
from deepwell.networks._convolutions import sum_of_products

X, Y = load_digits(return_X_y=True)


IMAGES = X.reshape(-1, 8, 8)


def saved(folder, x=IMAGES, **others):
    np.savez(folder / "digits_images.npz", X=x, y=Y[: len(x)], **others)
    return folder / "digits_images.npz"


def test_images_keep_their_shape_and_are_normalized_by_channel(tmp_path):
    rng = np.random.default_rng(0)
    colors = rng.integers(0, 255, (120, 4, 5, 3)).astype(np.uint8)
    colors[:, 0, 0] = 7  # constant pixels stay inputs
    for source in (saved(tmp_path, colors), (colors, Y[:120])):
        data = load(source, target="y" if isinstance(source, tuple) else None, vault=None)
        assert data.image == (4, 5, 3)
        x = data.train.x.reshape(-1, 4, 5, 3)
        assert x.shape[1:] == (4, 5, 3)
        np.testing.assert_allclose(x.mean(axis=(0, 1, 2)), 0.0, atol=1e-6)
        np.testing.assert_allclose(x.std(axis=(0, 1, 2)), 1.0, rtol=1e-6)
        assert any("images of 4 x 5 x 3" in note for note in data.facts.notes)
    assert load(saved(tmp_path), vault=None).image == (8, 8, 1)


def test_what_is_no_image(tmp_path):
    assert load((X[:200], Y[:200]), vault=None).image == ()
    more = saved(tmp_path, X[:200].reshape(-1, 8, 8), age=np.arange(200) % 7)
    assert load(more, target="y", vault=None).image == ()
    broken = X[:200].reshape(-1, 8, 8).copy()
    broken[3, 2, 1] = np.nan
    with pytest.raises(UsageError, match="images must have a number in every pixel"):
        load((broken, Y[:200]), vault=None)


def test_a_convolutional_network_from_file_to_test(tmp_path):
    from deepwell.report._terminal import study_lines

    data = load(saved(tmp_path), vault=tmp_path / "v")
    fixed = {"conv_channels": [8], "hidden_units": [32], "learning_rate": 0.01, "dropout": 0.0}
    fixed |= {"l2": 0.0}
    study = dw.Study(data, store=tmp_path, fixed=fixed, name="images")
    result = study.run(trials=1, epochs=8)
    assert result.program == "jax"
    text = " ".join("\n".join(study_lines(result)).split())
    assert "convolutions train in the JAX program" in text
    assert "conv 8 + 32 relu" in text
    assert result.dev.value < 0.2
    assert study.open_test()[-1].test.value < 0.2
    again = dw.load_model(tmp_path / "images")
    said = again.predict({"x": X[:5].reshape(-1, 8, 8)})
    assert said.tolist() == study.best.predict({"x": X[:5].reshape(-1, 8, 8)}).tolist()
    with pytest.raises(UsageError, match="convolutions train in the JAX program"):
        dw.Study(data, store=tmp_path, fixed=fixed, program="native").plan(trials=1)


def test_augmented_images_from_file_to_model(tmp_path):
    from deepwell.report._terminal import study_lines

    data = load(saved(tmp_path), vault=tmp_path / "v")
    fixed = {"conv_layers": 0, "hidden_units": [16], "learning_rate": 0.01, "dropout": 0.0}
    study = dw.Study(
        data, store=tmp_path, fixed={**fixed, "augment": 1.0, "crop": 1}, name="augmented"
    )
    result = study.run(trials=2, epochs=6)
    assert result.program == "jax"
    assert result.best["rotation"] == 15.0
    text = " ".join("\n".join(study_lines(result)).split())
    assert "augmented images train in the JAX program" in text
    assert "augment 1, crop 1, shift 0.1, rotation 15" in text
    assert result.dev.value < 0.4
    with pytest.raises(UsageError, match="shift of images trains in the JAX program; leave"):
        dw.Study(data, store=tmp_path, fixed={**fixed, "shift": 0.1}, program="native").plan(
            trials=1
        )
    native = dw.Study(data, store=tmp_path, fixed={**fixed, "augment": 0.0}, name="plain")
    assert native.plan(trials=1).program != "jax" or not native.plan(trials=1).augmentation


def test_a_space_that_the_rows_cannot_have_is_refused_before_training(tmp_path):
    images, table = load((IMAGES, Y), vault=None), load((X, Y), vault=None)
    with pytest.raises(UsageError, match=r"^`augment` needs images, and these rows are none"):
        dw.Study(table, {"augment": dw.uniform(0, 1)}, store=tmp_path)
    with pytest.raises(UsageError, match=r"^`flip` needs images"):
        dw.Study(table, {"flip": [0.0, 0.5]}, store=tmp_path)
    with pytest.raises(UsageError, match=r"^`conv_layers` needs images"):
        dw.Study(table, {"conv_layers": [0, 1]}, store=tmp_path)
    with pytest.raises(UsageError, match=r"^`conv_layers` needs images"):
        dw.Study(table, {"conv_channels": [(8,), (8, 16)]}, store=tmp_path)
    with pytest.raises(UsageError, match=r"`crop` must be less than .* of the images, 8, got 9"):
        dw.Study(images, {"crop": dw.integer(0, 9)}, store=tmp_path)
    dw.Study(images, {"crop": dw.integer(0, 7), "conv_layers": [0, 1]}, store=tmp_path)
    dw.Study(table, {"flip": 0.0, "augment": [0.0], "conv_layers": [0]}, store=tmp_path)


@pytest.mark.parametrize("shape", [(40, 1, 1, 1), (40, 1, 9), (40, 9, 1, 2)])
def test_images_of_one_pixel_or_one_line(shape, tmp_path):
    rng = np.random.default_rng(0)
    y = np.arange(40) % 2
    x = rng.normal(size=shape) + y.reshape(-1, *[1] * (len(shape) - 1))
    data = load((np.concatenate([x] * 3), np.tile(y, 3)), vault=None)
    fixed = {"augment": 1.0, "flip": 0.5, "conv_channels": [2], "hidden_units": [4], "epochs": 2}
    assert np.isfinite(dw.Study(data, store=tmp_path, fixed=fixed).run(trials=1).dev.value)
    with pytest.raises(UsageError, match=r"`crop` must be less than the smaller side .*, 1, got 1"):
        dw.Study(data, store=tmp_path, fixed={**fixed, "crop": 1})


def test_constant_images_and_wrong_ranks(tmp_path):
    y = np.arange(120) % 2
    rng = np.random.default_rng(0)
    with pytest.raises(UsageError, match=r"must hold rows of numbers or images, .* got the shape"):
        load((rng.normal(size=(120, 2, 2, 2, 2)), y), vault=None)
    for empty in [(120, 4, 4, 0), (120, 0, 4), (0, 4, 4)]:
        with pytest.raises(UsageError, match=r"no columns|no rows|at least"):
            load((np.zeros(empty), y[: empty[0]]), vault=None)
    with pytest.raises(UsageError, match=r"too many rows have the same content"):
        load((np.full((120, 4, 4), 7.0), y), vault=None)
    levels = np.broadcast_to(np.arange(120.0)[:, None, None], (120, 4, 4))  # one color an image
    flat = load((levels, y), vault=None)
    assert flat.image == (4, 4, 1)
    fixed = {"augment": 1.0, "conv_channels": [2], "hidden_units": [4], "epochs": 2}
    assert np.isfinite(dw.Study(flat, store=tmp_path, fixed=fixed).run(trials=1).dev.value)


def test_exact_statistics_of_channels_are_saved(tmp_path):
    data = load(saved(tmp_path), vault=tmp_path / "v")
    fixed = {"conv_channels": [3], "hidden_units": [8], "batch_norm": "before", "dropout": 0.0}
    fixed |= {"batch_norm_statistics": "exact", "epochs": 2}
    dw.Study(data, store=tmp_path, fixed=fixed, name="exact").run(trials=1)
    model = dw.load_model(tmp_path / "exact")
    kernels = model.parameters["kernels/0"].astype(np.float64)
    z = sum_of_products(data.train.x.reshape(-1, 8, 8, 1).astype(np.float64), kernels, 1)
    mean, variance = z.mean(axis=(0, 1, 2)), z.var(axis=(0, 1, 2))
    np.testing.assert_allclose(model.parameters["channel_means/0"], mean, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(model.parameters["channel_variances/0"], variance, rtol=1e-4)


DENSE = {"conv_layers": 0, "hidden_units": [8], "batch_size": 64}


def test_images_augmented_from_a_change_on_train_in_jax(tmp_path):
    data = load(saved(tmp_path, IMAGES[:300]), vault=None)
    fixed = {**DENSE, "change": "1: shift=0.1"}
    result = dw.Study(data, store=tmp_path, fixed=fixed, name="later").run(trials=1, epochs=2)
    assert result.program == "jax"
    assert result.plan.augmentation
    with pytest.raises(UsageError, match="shift of images trains in the JAX program; leave"):
        dw.Study(data, store=tmp_path, fixed=fixed, program="native").plan(trials=1)
    with pytest.raises(UsageError, match="`crop` must be less than the smaller side"):
        dw.Study(data, store=tmp_path, fixed={**DENSE, "change": ["1: crop=8"]})
    rows = load((X[:100], Y[:100]), vault=None)
    with pytest.raises(UsageError, match="`flip` needs images"):
        dw.Study(rows, store=tmp_path, fixed={"change": "1: flip=0.5"})


def test_images_augmented_for_an_optimizer_of_optax(tmp_path):
    data = load(saved(tmp_path, IMAGES[:300]), vault=None)
    fixed = {**DENSE, "shift": 0.1, "optimizer": "optax:lion"}
    study = dw.Study(data, store=tmp_path, fixed=fixed, name="lion")
    study.run(trials=1, epochs=2)
    probes = study.probe_records()
    assert all(np.isnan(probe.gradients).all() for probe in probes)  # no program gives them
    assert all(np.isfinite(probe.update_norm).all() for probe in probes)
