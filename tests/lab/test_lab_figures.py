"""What the figures of the field guide say is what was measured, and every drawing can be drawn."""

from __future__ import annotations

import functools
import re
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from deepwell.lab._registry import FIGURES
from deepwell.lab._render import draw, rendered
from deepwell.lab._style import DARK, LIGHT, STYLES
from deepwell.lab.figures import (
    _early_stopping,
    _image_augmentation,
    _learning_rates,
    _ravine,
    _signals_by_depth,
)
from deepwell.networks._forward import forward
from deepwell.testing._numerical import numerical_gradient

DRAWN_FAST = (
    "split-sizes",
    "splits",
    "activations",
    "losses",
    "average-windows",
    "bias-correction",
    "sampling-scales",
    "minimize",
    "saddle",
    "normalization",
    "ravine",
    "decays",
    "clipping",
    "numerical-derivative",
)


@functools.cache
def measured(name: str) -> Any:
    return FIGURES[name].measure()


@pytest.mark.parametrize("name", FIGURES)
def test_a_name_is_words_and_the_sentence_is_one(name: str) -> None:
    figure = FIGURES[name]
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)
    assert figure.shows.endswith(".")
    assert len(figure.shows) <= 120
    assert figure.techniques


@pytest.mark.parametrize("name", DRAWN_FAST)
def test_quick_figures_are_drawn_in_both_styles(name: str) -> None:
    for style in STYLES.values():
        files = rendered(FIGURES[name], measured(name), style, ("png", "svg"))
        assert files["png"].startswith(b"\x89PNG")
        assert b"<svg" in files["svg"]
        assert style.back.encode() in files["svg"].lower()


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in FIGURES if name not in DRAWN_FAST])
def test_every_other_figure_is_drawn(name: str, tmp_path) -> None:
    files = draw(name, tmp_path)
    assert [file.name for file in files] == [
        f"{name}-{style}.{form}" for style in ("light", "dark") for form in ("png", "svg")
    ]
    assert all(file.stat().st_size > 5_000 for file in files)


def test_the_same_numbers_give_the_same_bytes() -> None:
    name = "bias-correction"
    one, other = (rendered(FIGURES[name], measured(name), LIGHT, ("svg",)) for _ in range(2))
    assert one == other
    assert one != rendered(FIGURES[name], measured(name), DARK, ("svg",))


@pytest.mark.proves("D1", "figure")
def test_split_sizes() -> None:
    m = measured("split-sizes")
    assert np.allclose(m["shares"].sum(axis=1), 1)
    at = {rows: m["shares"][np.abs(m["rows"] - rows).argmin()] for rows in (1e4, 1e6, 1e8)}
    assert at[1e4] == pytest.approx([0.6, 0.2, 0.2], abs=0.01)
    assert at[1e6] == pytest.approx([0.98, 0.01, 0.01], abs=0.001)
    assert at[1e8] == pytest.approx([0.995, 0.0025, 0.0025], abs=1e-5)


@pytest.mark.proves("D2", "figure")
def test_stratified_splits_give_a_rare_class_its_share() -> None:
    m = measured("splits")
    assert set(m["stratified"].tolist()) == {5}  # a fifth of 25
    assert m["random"].std() > 1
    assert m["random"].mean() == pytest.approx(5, abs=5 * 2 / np.sqrt(300))


@pytest.mark.proves("D3", "figure")
@pytest.mark.slow
def test_folds_spread_less_than_one_small_dev_set() -> None:
    m = measured("cross-validation")
    assert m["folds"].std() < 0.75 * m["single"].std()
    assert abs(m["folds"].mean() - m["true"]) < 0.03


@pytest.mark.proves("D4", "figure")
@pytest.mark.slow
def test_mismatch_stands_between_train_dev_and_dev() -> None:
    same, other = (np.median(errors, axis=0) for errors in measured("train-dev").values())
    assert same[:2].tolist() == other[:2].tolist()
    assert abs(same[2] - same[1]) < 0.03 < 0.1 < other[2] - other[1]


@pytest.mark.proves("D5", "figure")
def test_like_sets_are_alike_and_moved_ones_are_told_apart() -> None:
    found = measured("mismatch")
    uniform = np.arange(1, len(found["p"]) + 1) / len(found["p"])
    low = found["p"] < 0.5  # above, p-values of few shuffles are steps
    assert np.abs(found["p"] - uniform)[low].max() < 1.63 / np.sqrt(len(uniform))  # 1 in 100
    assert (found["p"] > uniform - 0.02).mean() > 0.99
    few, many = found["40 dev rows"], found["400 dev rows"]
    assert many[-1, 1] > 0.6 > many[0, 2]
    assert (many[:, 2] - many[:, 1]).max() < (few[:, 2] - few[:, 1]).max()


@pytest.mark.proves("D6", "figure")
def test_normalized_inputs_make_round_contours() -> None:
    m = measured("normalization")
    assert m["as they come"]["condition"] > 15 > 2 > m["normalized"]["condition"]
    assert m["normalized"]["rate"] > 10 * m["as they come"]["rate"]
    ends = {name: run["costs"][-1] - run["heights"].min() for name, run in m.items()}
    assert ends["normalized"] < 1e-3 < ends["as they come"]


@pytest.mark.proves("D9", "O1", "figure")
@pytest.mark.slow
def test_small_batches_are_noisy_and_large_ones_slow() -> None:
    m = measured("batch-sizes")
    noise = {name: np.abs(np.diff(np.log(costs))).mean() for name, costs in m["batches"].items()}
    batch, mini, one = m["batches"]
    assert noise[batch] < noise[mini] < noise[one]
    assert (np.diff(m["batches"][batch]) < 0).all()
    assert m["epochs"][mini][-1] < 0.2 * m["epochs"][batch][-1]


@pytest.mark.proves("D7", "figure")
@pytest.mark.slow
def test_augmented_rows_are_not_learned_by_heart() -> None:
    m = measured("augmentation")
    train, dev = (np.median(m[part], axis=1) for part in ("train", "dev"))
    assert train[0] < train[1:].min()
    assert dev[1:].min() < dev[0]


@pytest.mark.proves("D7", "figure")
@pytest.mark.slow
def test_turned_digits_teach_and_mirrored_ones_mislead() -> None:
    m = measured("image-augmentation")
    names = list(_image_augmentation.SETTINGS)
    dev = dict(zip(names, np.median(m["dev"], axis=1), strict=True))
    assert dev["rotation 15"] < dev["as they are"] < dev["flip 0.5"]
    still, mirrored = m["images"][0], m["images"][names.index("flip 0.5")]
    assert not np.ptp(still, axis=0).any()
    same = [np.array_equal(image, still[0]) for image in mirrored]
    assert set(same) == {True, False}


@pytest.mark.proves("N1", "figure")
def test_activation_slopes_are_those_of_the_curves() -> None:
    for z, a, slope in measured("activations").values():
        smooth = np.abs(z) > 0.02
        assert np.abs(np.gradient(a, z) - slope)[smooth].max() < 1e-3


@pytest.mark.proves("N2", "figure")
@pytest.mark.slow
def test_good_initializers_start_at_once() -> None:
    for curves in measured("initialization").values():
        good = max(curves[name][-1] for name in ("lecun", "glorot", "he"))
        assert good < 0.1
        assert curves["zeros"][-1] == pytest.approx(np.log(10), abs=0.02)
        assert curves["small"][4] == pytest.approx(np.log(10), abs=0.02)
        assert not curves["large"][-1] < 10


@pytest.mark.proves("N3", "formula")
@pytest.mark.parametrize("layers", [2, 10, 50])
def test_scaled_identities_grow_and_shrink_by_powers(layers: int) -> None:
    """With 1.5 I in the L - 1 hidden linear layers the output is 1.5^(L - 1) of the input."""
    for factor in (1.5, 0.5):
        size = _signals_by_depth.scaled_identity(factor, layers - 1, 3)
        assert size == pytest.approx(factor ** (layers - 1), rel=1e-12)


@pytest.mark.proves("N3", "gradient")
def test_gradients_through_scaled_identities_grow_and_shrink_alike() -> None:
    """By numerical derivatives: the slope of an output at its input is the factor's power too."""
    for factor in (1.5, 0.5):
        network = _signals_by_depth.identity_network(factor, 9, 3)
        slope = numerical_gradient(
            lambda p, n=network: float(forward(*n, p["x"])[0, 1]), {"x": np.ones((1, 3))}
        )["x"]
        np.testing.assert_allclose(slope, [[0, factor**9, 0]], rtol=1e-7, atol=1e-9)


@pytest.mark.proves("N3", "figure", "independent")
def test_he_keeps_the_signal_of_relu_and_lecun_that_of_tanh_longer() -> None:
    """By NumPy: a ReLU layer halves the mean square, so LeCun's shrinks by about sqrt(1/2)."""
    random = np.random.default_rng(1)
    a = random.normal(size=(2_000, 200))
    for _ in range(5):
        a = np.maximum(a @ random.normal(0, np.sqrt(1 / 200), (200, 200)), 0)
    by_numpy = np.sqrt((a**2).mean())
    lecun = _signals_by_depth.sizes_by_depth("lecun", "relu")
    assert lecun[4] == pytest.approx(by_numpy, rel=0.35)
    assert lecun[-1] < 1e-3
    he = _signals_by_depth.sizes_by_depth("he", "relu")
    assert 0.1 < he[-1] < 10
    small, large = (_signals_by_depth.sizes_by_depth(s, "relu") for s in ("small", "large"))
    assert small[9] < 1e-8
    assert large[9] > 1e10


@pytest.mark.proves("N4", "N11", "figure")
@pytest.mark.slow
def test_softmax_regression_divides_the_plane_by_straight_lines() -> None:
    for panel in measured("softmax-boundaries"):
        assert panel["dev"] < 0.1
        said = panel["plane"]["said"]
        for c in np.unique(said):  # the region of a class is convex: each row of it is one piece
            for row in said == c:
                assert (np.diff(row.astype(int)) == 1).sum() <= 1


@pytest.mark.proves("N5", "figure")
def test_cross_entropy_pulls_where_squared_error_does_not() -> None:
    m = measured("losses")
    assert m["entropy slope"][0] == pytest.approx(-1, abs=0.01)
    assert abs(m["squared slope"][0]) < 0.01


@pytest.mark.proves("N7", "N8", "figure")
@pytest.mark.slow
def test_some_dropout_helps_and_too_much_hurts() -> None:
    m = measured("dropout")
    dev, classic = (np.median(m[name], axis=1) for name in ("dev", "dev, classic"))
    assert dev[1:8].min() < dev[0] < dev[-1]
    assert dev[0] == classic[0]  # without dropout both kinds are the same networks
    assert classic[1:8].min() < classic[0]


@pytest.mark.proves("N10", "figure")
@pytest.mark.slow
def test_deeper_is_not_always_better() -> None:
    m = measured("depth")
    dev = np.median(m["dev, plain"], axis=1)
    np.testing.assert_array_equal(m["dev, plain"][0], m["dev, residual"][0])  # no layer, no skip
    assert dev[1:3].min() < dev[0]
    assert dev[-1] > 1.5 * dev[1:3].min()


@pytest.mark.proves("R1", "figure")
@pytest.mark.slow
def test_weights_shrink_with_lambda() -> None:
    m = measured("l2")
    total = (m["sizes"] ** 2).sum(axis=1)
    assert (np.diff(total[2:]) < 0).all()
    assert m["train"][-1] > m["train"][0]


@pytest.mark.proves("R6", "formula", "independent", "figure")
@pytest.mark.slow
def test_a_tanh_network_turns_linear() -> None:
    """The share of variance that a straight line leaves falls to nothing, and |z| with it."""
    m = measured("nearly-linear")
    assert m["bent"][:5].min() > 0.3
    assert m["bent"][-3:].max() < 0.05
    assert (np.diff(m["largest"][-3:]) < 0).all()
    assert m["largest"][-1] < 0.5 < 5 < m["largest"][0]
    z = np.linspace(0, m["largest"][-1], 50)  # tanh z is z up to z^3 / 3
    assert np.all(z - np.tanh(z) <= z**3 / 3)


@pytest.mark.proves("G3", "figure")
@pytest.mark.proves("G4", "figure")
@pytest.mark.slow
def test_what_helps_a_small_network_does_not_help_one_that_overfits() -> None:
    small, large = measured("remedies").values()
    assert list(small) == list(large)
    assert small["much-bigger"].high < 0
    assert large["much-bigger"].high > 0


@pytest.mark.proves("R4", "figure")
@pytest.mark.slow
def test_early_stopping_keeps_the_best_epoch() -> None:
    m = measured("early-stopping")
    through = m["score"][: m["stop"]]
    assert m["stop"] == m["best"] + _early_stopping.PATIENCE
    assert through.min() == through[m["best"] - 1]
    assert m["train"][-1] < m["train"][m["best"] - 1]


@pytest.mark.proves("C5", "figure")
@pytest.mark.slow
def test_large_weights_saturate_and_probes_tell() -> None:
    usual, large = measured("probes").values()
    assert usual["activations"].shape == (61, 5, 7)
    assert usual["saturated"][0].max(initial=0, where=~np.isnan(usual["saturated"][0])) < 0.1
    assert large["saturated"][0, 1:4].min() > 0.5
    spread = large["activations"][0, 1:4, 5] - large["activations"][0, 1:4, 1]
    assert spread.min() > 1.9  # from -1 to 1
    assert usual["ratio"].min() > large["ratio"].min() / 10


@pytest.mark.slow
def test_four_regimes_of_the_rate() -> None:
    m = dict(zip(_learning_rates.RATES, measured("learning-rates").values(), strict=True))
    assert m["good"][-1] < 0.01 < 0.3 < m["too low"][-1]
    assert m["too high"][-5:].min() > 0.5
    assert not np.isfinite(m["far too high"][-1])


@pytest.mark.proves("O2", "figure")
def test_wider_windows_are_smoother() -> None:
    rough = [np.abs(np.diff(a)).mean() for a in measured("average-windows")["averages"].values()]
    assert rough[0] > 2 * rough[1] > 4 * rough[2]


@pytest.mark.proves("O3", "figure")
def test_the_raw_average_starts_too_low_and_catches_up() -> None:
    m = measured("bias-correction")
    assert m["corrected"][0] == pytest.approx(m["days"][0])
    assert m["raw"][0] == pytest.approx(0.02 * m["days"][0])
    gap = (m["corrected"] - m["raw"]) / m["corrected"]
    assert gap[0] > 0.9
    assert gap[-1] == pytest.approx(0.98**150, rel=1e-9)


@pytest.mark.proves("O4", "O5", "O6", "O7", "O8", "figure")
def test_optimizers_in_a_ravine() -> None:
    m = measured("ravine")
    flips = {
        name: int((np.diff(np.sign(run["path"][:20, 1])) != 0).sum()) for name, run in m.items()
    }
    assert flips["sgd"] > 10
    assert max(flips["adagrad"], flips["rmsprop"], flips["adam"]) < 6
    costs = {name: run["costs"][-1] for name, run in m.items()}
    assert costs["nesterov"] < costs["velocity"] < costs["sgd"]
    assert m["momentum"]["costs"][-1] < m["sgd"]["costs"][-1]
    assert all(np.array_equal(run["path"][0], _ravine.START) for run in m.values())


@pytest.mark.proves("N6", "figure")
@pytest.mark.slow
def test_batch_norm_forgives_a_poor_start_and_high_rates() -> None:
    plain_he, plain, normed_he, normed = measured("batch-norm").values()
    assert normed[3, -1] < 0.3 * plain[3, -1]
    for without, with_it in ((plain_he, normed_he), (plain, normed)):
        trains = [(costs[:, -1] < 0.3).sum() for costs in (without, with_it)]
        assert trains[1] > trains[0]
    assert plain_he[:, -1][np.isfinite(plain_he[:, -1])].min() < normed_he[:, -1].min()


@pytest.mark.proves("N6", "figure")
@pytest.mark.slow
def test_a_batchs_mean_is_as_noisy_as_statistics_says() -> None:
    m = measured("batch-norm-noise")
    sizes = np.array([4, 8, 16, 32, 64, 128, 256, 512])
    drawn_without_return = np.sqrt((1200 - sizes) / (1200 - 1) / sizes)
    np.testing.assert_allclose(m["noise"], drawn_without_return, rtol=0.15)
    plain, normed = (np.diff(shift, axis=0) for shift in m["shifts"].values())
    assert np.abs(normed[5:]).mean() < np.abs(plain[:5]).mean()


@pytest.mark.proves("N9", "figure")
@pytest.mark.slow
def test_thinned_networks_disagree_away_from_the_train_rows() -> None:
    m = measured("dropout-ensemble")
    inside = np.abs(m["x"]) < 2
    assert m["spread"][~inside].mean() > 1.5 * m["spread"][inside].mean()


@pytest.mark.proves("R2", "figure")
@pytest.mark.slow
def test_l1_is_sparse_and_l2_is_not() -> None:
    m = measured("l1")
    middle = len(m["l1"]["small"]) // 2
    assert m["l1"]["small"][middle:].max() > 3 * m["l2"]["small"][middle]
    assert (np.diff(m["l1"]["small"]) > 0).all()


@pytest.mark.proves("R3", "figure")
@pytest.mark.slow
def test_decoupled_decay_is_not_l2_under_adam() -> None:
    through, beside = measured("weight-decay").values()
    assert beside["size"][-1] < beside["size"][0]
    assert through["size"][6] < 0.5 * beside["size"][6]  # the same number is two strengths


@pytest.mark.proves("R5", "figure")
@pytest.mark.slow
def test_the_other_regularizers_change_the_networks() -> None:
    m = measured("other-regularizers")
    none = m.pop("none")
    assert all((errors != none).any() for errors in m.values())
    assert all(abs(np.median(errors) - np.median(none)) < 0.05 for errors in m.values())


@pytest.mark.proves("O10", "figure")
def test_schedules_end_below_where_they_were_highest() -> None:
    for rates in measured("decays").values():
        assert rates[-1] < 0.3 * rates.max() <= 0.3 * 0.2 + 1e-12


@pytest.mark.proves("O11", "figure")
def test_a_wall_throws_back_what_is_not_clipped() -> None:
    plain, clipped = measured("clipping")["paths"].values()
    assert np.abs(np.diff(clipped)).max() <= 0.5 * 0.4 + 1e-9
    assert np.abs(np.diff(plain)).max() > 1
    assert np.abs(clipped[40:]).max() < 0.3 < np.abs(plain[40:]).max()


@pytest.mark.proves("O12", "figure")
@pytest.mark.slow
def test_a_nudge_in_a_live_run_lowers_the_cost() -> None:
    alone, nudged = measured("change-by-hand").values()
    np.testing.assert_array_equal(alone[:20], nudged[:20])
    assert nudged[20:].mean() < 0.5 * alone[20:].mean()


@pytest.mark.proves("O13", "figure")
def test_both_parabolas_end_at_their_minimum() -> None:
    n = np.arange(251)
    for path, end in zip(measured("minimize"), (5.0, 10.0), strict=True):
        np.testing.assert_allclose(path, end * (1 - 0.98**n), rtol=1e-10)


@pytest.mark.proves("O14", "figure")
def test_the_saddle_is_told_from_the_minimum() -> None:
    m = measured("saddle")
    assert m["points"]["saddle"] == ("saddle", pytest.approx(-1), pytest.approx(1))
    assert m["points"]["minimum"] == ("minimum", pytest.approx(1), pytest.approx(2))
    assert m["least"][0] < 0 < m["least"][-1]
    flat = np.abs(np.diff(m["costs"]))[100:140]
    assert flat.max() < 0.02  # lingers, with cost still 0.25 above the minimum
    assert m["costs"][-1] < 1e-3


def test_random_search_sees_more_values_of_each_than_a_grid() -> None:
    from deepwell.lab.figures._grid_against_random import SPACE, TRIALS
    from deepwell.search.samplers._random import propose

    points = propose(SPACE, [], TRIALS, np.random.SeedSequence(1))
    assert len({p["learning_rate"] for p in points}) == TRIALS


@pytest.mark.proves("H6", "figure")
def test_each_trial_narrows_the_belief_and_the_best_rate_is_found() -> None:
    m = measured("bayesian-steps")
    widths = [np.log(belief.high / np.maximum(belief.low, 1e-3)).mean() for belief in m["steps"]]
    assert widths[-1] < widths[0] / 3
    assert m["scores"].min() < np.sort(m["errors"])[:10].max()  # as good as the best of 49 rates
    last, best = m["steps"][-1], m["rates"][m["errors"].argmin()]
    assert 0.1 < m["rates"][last.mean.argmin()] / best < 10


def test_listing_the_figures_loads_none_of_the_machinery() -> None:
    heavy = ("jax", "optax", "matplotlib", "sklearn")
    code = "import sys, deepwell.lab as lab; lab.FIGURES\n"
    code += f"print([module for module in {heavy} if module in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.proves("C4", "figure")
def test_only_too_large_initial_weights_start_above_the_limit() -> None:
    from deepwell.lab.figures._first_steps import SCALES

    for losses in measured("first-steps").values():
        mean, constant, limit = losses.T
        assert (mean[SCALES <= 1] <= limit[0]).all()
        assert (mean[SCALES >= 3] > limit[0]).all()
        assert mean[0] == pytest.approx(constant[0], abs=0.01)  # tiny weights know nothing: log C
        assert (np.diff(limit) == 0).all()  # the healthy twin's


@pytest.mark.proves("C1", "C2", "figure")
def test_two_sided_errors_fall_twice_as_fast_and_wrong_gradients_stay_wrong() -> None:
    from deepwell.lab.figures._numerical_derivative import STEPS

    told = measured("numerical-derivative")
    smooth = (STEPS > 1e-4) & (STEPS < 1e-1)  # where rounding plays no part
    for name, order in (("one-sided", 1), ("two-sided", 2)):
        errors = np.array(told["errors"][name])[smooth]
        slope = np.polyfit(np.log(STEPS[smooth]), np.log(errors), 1)[0]
        assert slope == pytest.approx(order, abs=0.05)
    assert min(told["errors"]["two-sided"]) < min(told["errors"]["one-sided"]) / 100
    best = {name: min(errors) for name, errors in told["relative"].items()}
    assert best["right"] < 1e-9
    assert best["without the penalty"] > 1e-3
    assert best["twice too large"] == pytest.approx(1 / 3, rel=1e-3)


@pytest.mark.proves("G5", "figure")
def test_half_of_the_rows_foretell_the_error_of_all() -> None:
    told = measured("learning-curve")
    points = [point.value for point in told["said"].points]
    assert points[0] > 2 * points[-1]
    assert told["said"].twice is not None
    assert told["said"].twice.low <= np.mean(told["then"]) <= told["said"].twice.high


@pytest.mark.proves("G6", "figure")
def test_the_shapes_are_what_they_are_called() -> None:
    shapes = measured("cost-curves")
    train = {name: curves["train"] for name, curves in shapes.items()}
    good, dev = train["good"], shapes["dev cost rises"]["dev"]
    assert good[-1] < 0.02
    assert not np.isfinite(train["far too high"][-1])
    assert train["too high"][-1] > 20 * good[-1]
    assert train["too low"][-1] > 2.0
    falling = train["still falling at the end"]
    assert falling[-1] < 0.97 * falling[-5]
    noisy = train["too noisy for the batch size"]
    assert np.abs(np.diff(noisy[20:])).mean() > 20 * np.abs(np.diff(good[20:])).mean()
    assert np.ptp(train["plateau"][10:]) < 0.1
    assert train["plateau"][-1] > 2.0
    assert dev[-1] > 1.1 * dev.min()
    assert train["dev cost rises"][-1] < 0.8 * train["dev cost rises"][40]


@pytest.mark.proves("G7", "figure")
def test_the_recommended_rate_is_among_the_best_of_a_long_training() -> None:
    from deepwell.lab.figures._rate_range import RATES

    told = measured("rate-range")
    best = told["said"].recommended
    assert best is not None
    near = np.abs(np.log(RATES / best.value)) <= np.log(3)
    assert told["scores"][near].min() <= told["scores"].min() + 0.005
    assert told["said"].edge is None or told["said"].edge > best.value


def test_the_rate_makes_most_of_the_difference() -> None:
    shares = measured("importance")["shares"]
    first, *others = shares.main
    assert first.names == ("learning_rate",)
    assert first.share.low > 0.5
    assert max(effect.share.value for effect in others) < 0.3
