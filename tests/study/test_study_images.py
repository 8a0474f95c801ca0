"""Images from an NPZ file to a tested convolutional network."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

import deepwell as dw
from deepwell._base._errors import UsageError
from deepwell.data import load

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
