"""D7: every augmentation of images against NumPy and SciPy, and the spread of its draws."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from scipy.stats import binomtest, chisquare, kstest

from deepwell._base._errors import UsageError
from deepwell._base._hash import Purpose, fold, key, words
from deepwell._base._hyperparameters import complete
from deepwell.data._image_augmentations import AUGMENTATIONS, STRENGTHS, check_augmentation

RNG = np.random.default_rng(7)
IMAGES = RNG.normal(size=(40, 9, 7, 2))


def drawn(name: str, count: int = len(IMAGES), seed: int = 5) -> np.ndarray:
    augmentation = AUGMENTATIONS[name]
    parent = fold(fold(fold(key(seed), Purpose.IMAGE), 1), augmentation.number)
    return words(parent, (count, augmentation.draws))


def uniform(w: np.ndarray) -> np.ndarray:
    """Return the numbers in (-1, 1) that words stand for, anew."""
    return 2 * (np.floor(w / 512) + 0.5) / 2**23 - 1


def changed(name: str, *strengths: float, images: np.ndarray = IMAGES) -> np.ndarray:
    return AUGMENTATIONS[name].apply(images, drawn(name, len(images)), strengths, np)


@pytest.mark.proves("D7", "formula", "independent")
def test_flips_mirror_whole_images() -> None:
    found, mirrored = changed("flip", 0.5), 0
    for image, result in zip(IMAGES, found, strict=True):
        flipped = np.array_equal(result, np.fliplr(image))
        assert flipped or np.array_equal(result, image)
        mirrored += flipped
    assert 0 < mirrored < len(IMAGES)
    np.testing.assert_array_equal(changed("flip", 1.0), np.flip(IMAGES, 2))


@pytest.mark.proves("D7", "formula", "independent")
@pytest.mark.parametrize("padding", [1, 3, 6])
def test_crops_are_windows_of_the_padded_image(padding: int) -> None:
    found, seen = changed("crop", padding), set()
    for image, result, (i, j) in zip(IMAGES, found, drawn("crop") % (2 * padding + 1), strict=True):
        wide = np.pad(image, ((padding, padding), (padding, padding), (0, 0)))
        np.testing.assert_array_equal(result, wide[i : i + 9, j : j + 7])
        seen.add((int(i), int(j)))
    assert len(seen) > 5


@pytest.mark.proves("D7", "independent")
@pytest.mark.parametrize(
    ("shift", "rotation"), [(0.2, 0.0), (1.0, 0.0), (0.0, 15.0), (0.0, 180.0), (0.15, 40.0)]
)
def test_moves_are_scipys_affine_transform(shift: float, rotation: float) -> None:
    found, u = changed("move", shift, rotation), uniform(drawn("move"))
    middle = np.array([4.0, 3.0])
    for image, result, (down, across, turn) in zip(IMAGES, found, u, strict=True):
        angle = np.deg2rad(rotation * turn)
        matrix = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        offset = middle - matrix @ (middle + shift * np.array([9 * down, 7 * across]))
        for channel in range(2):
            right = ndimage.affine_transform(
                image[:, :, channel], matrix, offset, order=1, mode="nearest"
            )
            np.testing.assert_allclose(result[:, :, channel], right, atol=1e-12)


@pytest.mark.proves("D7", "independent")
def test_pure_moves_are_scipys_shift_and_rotate() -> None:
    moved, turned, u = changed("move", 0.3, 0.0), changed("move", 0.0, 60.0), uniform(drawn("move"))
    for i, image in enumerate(IMAGES[..., 0]):
        by = 0.3 * u[i, 0] * 9, 0.3 * u[i, 1] * 7
        right = ndimage.shift(image, by, order=1, mode="nearest")
        np.testing.assert_allclose(moved[i, :, :, 0], right, atol=1e-12)
        right = ndimage.rotate(image, 60 * u[i, 2], reshape=False, order=1, mode="nearest")
        np.testing.assert_allclose(turned[i, :, :, 0], right, atol=1e-12)


@pytest.mark.proves("D7", "formula")
def test_a_quarter_turn_and_a_whole_pixel_by_hand() -> None:
    """u = 1 - 2^-23 nearly turns a square by 90 degrees and moves it by one pixel of three."""
    square, largest = np.arange(9.0).reshape(1, 3, 3, 1), np.full((1, 3), 2**32 - 1, np.uint32)
    apply = AUGMENTATIONS["move"].apply
    turned = apply(square, largest, (0.0, 90.0), np)[0, :, :, 0]
    np.testing.assert_allclose(turned, [[2, 5, 8], [1, 4, 7], [0, 3, 6]], atol=1e-5)
    moved = apply(square, largest, (1 / 3, 0.0), np)[0, :, :, 0]
    np.testing.assert_allclose(moved, [[0, 0, 1], [0, 0, 1], [3, 3, 4]], atol=1e-5)


@pytest.mark.proves("D7", "formula", "independent")
def test_contrast_and_brightness_are_of_the_channel() -> None:
    u = uniform(drawn("contrast"))[:, 0]
    for image, result, by in zip(IMAGES, changed("contrast", 0.4), u, strict=True):
        mean = image.mean(axis=(0, 1))
        np.testing.assert_allclose(result, mean + (1 + 0.4 * by) * (image - mean), rtol=1e-12)
        np.testing.assert_allclose(result.std(axis=(0, 1)), (1 + 0.4 * by) * image.std(axis=(0, 1)))
    u = uniform(drawn("brightness"))[:, 0]
    for image, result, by in zip(IMAGES, changed("brightness", 0.7), u, strict=True):
        np.testing.assert_allclose(result, image + 0.7 * by, rtol=1e-12)


@pytest.mark.proves("D7", "independent")
def test_draws_are_spread_as_they_should() -> None:
    """Each p-value above 1e-4 on 20,000 images; the numbers that a change leaves in an image."""
    count = 20_000
    ramp = np.broadcast_to(np.arange(9.0)[:, None, None], (count, 9, 1, 1))
    flat = np.broadcast_to(np.array([0.0, 2.0])[None, :, None], (count, 1, 2, 1))
    bright = changed("brightness", 1.0, images=flat)[:, 0, 0, 0]
    assert kstest(bright, "uniform", (-1, 2)).pvalue > 1e-4
    spread = np.ptp(changed("contrast", 1.0, images=flat)[:, 0, :, 0], axis=1)
    assert kstest(spread, "uniform", (0, 4)).pvalue > 1e-4
    moved = 4 - changed("move", 1 / 3, 0.0, images=ramp)[:, 4, 0, 0]  # by up to 3 of 9 pixels
    assert kstest(moved, "uniform", (-3, 6)).pvalue > 1e-4
    square = np.broadcast_to(ramp, (count, 9, 9, 1))
    cropped = changed("crop", 3, images=square)[:, 4, 4, 0].astype(int)
    assert chisquare(np.bincount(cropped - 1, minlength=7)).pvalue > 1e-4
    mirrored = int((changed("flip", 0.3, images=flat)[:, 0, 0, 0] == 2).sum())
    assert binomtest(mirrored, count, 0.3).pvalue > 1e-4


def test_draws_of_augmentations_and_rows_have_nothing_in_common() -> None:
    numbers = [a.number for a in AUGMENTATIONS.values()]
    assert len(set(numbers)) == len(numbers)
    columns = np.concatenate([uniform(drawn(name, 4_000)) for name in AUGMENTATIONS], axis=1)
    off = np.corrcoef(columns.T) - np.eye(columns.shape[1])
    assert np.abs(off).max() < 5 / np.sqrt(4_000)
    assert abs(np.corrcoef(columns[:-1, 0], columns[1:, 0])[0, 1]) < 5 / np.sqrt(4_000)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_images_of_one_pixel_and_constant_ones(name: str) -> None:
    strengths = [0.5] * len(AUGMENTATIONS[name].strengths) if name != "crop" else [0]
    pixel = RNG.normal(size=(40, 1, 1, 3))
    found = changed(name, *strengths, images=pixel)
    if name == "brightness":
        assert np.abs(found - pixel).max() > 0.1
    else:
        np.testing.assert_allclose(found, pixel, rtol=1e-12)
    flat = changed(name, *strengths, images=np.full((40, 4, 5, 1), 3.0))
    assert all(np.ptp(image) < 1e-12 for image in flat)


def test_augment_stands_for_what_is_not_given() -> None:
    values = complete({"augment": 0.5, "rotation": 4.0})
    found = {name: values[name] for name in STRENGTHS}
    assert found == {
        "flip": 0.0, "shift": 0.05, "rotation": 4.0, "crop": 0, "contrast": 0.1, "brightness": 0.1
    }  # fmt: skip
    assert all(complete({})[name] == 0 for name in ("augment", *STRENGTHS))
    assert complete(complete({"augment": 1.0})) == complete({"augment": 1.0})


@pytest.mark.parametrize("name", ["augment", *STRENGTHS])
def test_tables_are_refused(name: str) -> None:
    with pytest.raises(
        UsageError, match=f"^`{name}` needs images, and these rows are none; give X"
    ):
        check_augmentation({name: 1.0}, ())
    check_augmentation({name: 0.0}, ())


@pytest.mark.parametrize("image", [(9, 7, 1), (7, 9, 3), (1, 1, 1)])
def test_a_crop_must_be_less_than_the_image(image: tuple[int, ...]) -> None:
    side = min(image[:2])
    with pytest.raises(UsageError, match=rf"`crop` must be less than .*, {side}, got {side + 2};"):
        check_augmentation({"crop": side + 2}, image)
    with pytest.raises(UsageError, match="`crop` must be less than"):
        check_augmentation({"crop": side}, image)
    check_augmentation({"crop": side - 1}, image)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("augment", 1.5, "in .0, 1., got 1.5; 0.5 is a gentle start"),
        ("flip", -0.1, "in .0, 1., got -0.1"),
        ("crop", 2.5, "a whole number from 0 to 4,096, got 2.5"),
        ("shift", 1.1, "in .0, 1., got 1.1; 0.1 is usual"),
        ("rotation", 181, "in .0, 180., got 181"),
        ("brightness", "much", "in .0, 100., got 'much'"),
        ("contrast", 2, "in .0, 1., got 2"),
    ],
)
def test_strengths_out_of_range(name: str, value: object, told: str) -> None:
    with pytest.raises(UsageError, match=f"^`{name}` must be {told}"):
        complete({name: value})
