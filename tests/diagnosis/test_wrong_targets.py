"""Targets that are not their rows': told where they are planted, and where nothing is wrong not."""

import numpy as np
import pytest

import deepwell as dw
from deepwell.diagnosis._prediction_sections import Predicted, labels_section
from deepwell.diagnosis._wrong_rows import listed
from deepwell.diagnosis._wrong_targets import find_wrong_targets
from deepwell.report._section_lines import section_lines


def signal(generator: np.random.Generator, n: int) -> np.ndarray:
    return 1.1 * np.tanh(1.5 * generator.normal(size=n)) + 0.6 * np.prod(
        generator.normal(size=(2, n)), axis=0
    )


def planted(seed: int, share: float, n: int = 300):
    """Targets with noise of 0.15, a share of them replaced by those of other rows."""
    generator = np.random.default_rng(seed)
    truth = signal(generator, n)
    y = truth + 0.15 * generator.normal(size=n)
    wrong = generator.random(n) < share
    y = np.where(wrong, generator.permutation(y), y)
    return y, truth + 0.1 * generator.normal(size=n), wrong


def linear(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    inputs = np.column_stack([np.ones(len(y)), x])
    return inputs @ np.linalg.lstsq(inputs, y, rcond=None)[0]


def a_line_through_a_wave(g: np.random.Generator, n: int):
    x = g.normal(size=n)
    y = np.sin(2 * x) + 0.1 * g.normal(size=n)
    return y, linear(x, y)


def a_plane_through_products(g: np.random.Generator, n: int):
    x = g.normal(size=(n, 8))
    y = 1.1 * np.tanh(1.5 * x[:, 0]) + 0.6 * x[:, 1] * x[:, 2] + 0.15 * g.normal(size=n)
    return y, linear(x, y)


def a_plane_through_a_step(g: np.random.Generator, n: int):
    x = g.normal(size=(n, 4))
    y = np.tanh(8 * (x[:, 0] + 0.5 * x[:, 1])) + 0.1 * g.normal(size=n)
    return y, linear(x, y)


def noise_that_grows(g: np.random.Generator, n: int):
    f = signal(g, n)
    return f + (0.05 + 0.3 * np.abs(f)) * g.normal(size=n), f


def heavy_tails(g: np.random.Generator, n: int):
    f = signal(g, n)
    return f + 0.2 * g.standard_t(3, n), f


def some_far_off(g: np.random.Generator, n: int):
    f = signal(g, n)
    return f + np.where(g.random(n) < 0.1, 1.5, 0.1) * g.normal(size=n), f


def skewed(g: np.random.Generator, n: int):
    f = signal(g, n)
    return f + 0.4 * (g.exponential(size=n) - 1), f


def rounded(g: np.random.Generator, n: int):
    f = signal(g, n)
    return np.round(2 * (f + 0.2 * g.normal(size=n))) / 2, f


def no_signal(g: np.random.Generator, n: int):
    return g.normal(size=n), 0.1 * g.normal(size=n)


def two_values(g: np.random.Generator, n: int):
    p = 1 / (1 + np.exp(-3 * g.normal(size=n)))
    return (g.random(n) < p) + 0.05 * g.normal(size=n), p


def zeros(g: np.random.Generator, n: int):
    f = np.exp(1 + 0.5 * signal(g, n))
    return np.where(g.random(n) < 0.15, 0, f * np.exp(0.1 * g.normal(size=n))), 0.85 * f


def a_region_unknown(g: np.random.Generator, n: int):
    f = signal(g, n)
    y = f + 0.1 * g.normal(size=n)
    return y, np.where(g.random(n) < 0.08, y.mean() + 0.1 * g.normal(size=n), f)


RIGHT = (
    a_line_through_a_wave,
    a_plane_through_products,
    a_plane_through_a_step,
    noise_that_grows,
    heavy_tails,
    some_far_off,
    skewed,
    rounded,
    no_signal,
    two_values,
    zeros,
    a_region_unknown,
)


def alarms(kind, n: int, runs: int) -> float:
    certain = [
        find_wrong_targets(*kind(np.random.default_rng([seed, n]), n)).certain
        for seed in range(runs)
    ]
    return float(np.mean(certain))


@pytest.mark.parametrize("kind", RIGHT)
def test_targets_that_are_right_are_not_called_wrong(kind):
    """At a rate of 0.02, two of 15 tables would be told in one test of 30."""
    assert alarms(kind, 300, 15) <= 1 / 15


@pytest.mark.slow
@pytest.mark.parametrize("n", [300, 1_000])
@pytest.mark.parametrize("kind", RIGHT)
def test_at_most_two_of_a_hundred_right_tables_are_told(kind, n):
    """Above 0.045 in one test of 100 at a rate of 0.02."""
    assert alarms(kind, n, 200) <= 0.045


@pytest.mark.parametrize("share", [0.1, 0.2, 0.4])
def test_wrong_targets_are_told_and_their_share_is(share):
    covered, certain = [], []
    for seed in range(15):
        y, said, _ = planted(seed, share)
        found = find_wrong_targets(y, said)
        covered.append(found.flipped.low <= share <= found.flipped.high)
        certain.append(found.certain and found.flipped.low >= 0.02)
    assert np.mean(covered) >= 0.8
    assert np.mean(certain) >= 0.8


@pytest.mark.parametrize("share", [0.05, 0.15, 0.4])
def test_at_most_the_stated_share_is_listed_wrongly(share):
    false, told, found_of = [], [], []
    for seed in range(10):
        y, said, wrong = planted(seed, share, 1_000)
        rows = [one.row for one in find_wrong_targets(y, said).suspects]
        false.append(len(rows) - int(wrong[rows].sum()))
        told.append(len(rows))
        found_of.append(wrong[rows].sum() / wrong.sum())
    assert sum(false) <= 0.1 * sum(told)
    assert np.mean(np.array(false) > 0.1 * np.array(told)) <= 0.2
    assert np.mean(found_of) > 0.3


def test_predictions_pulled_to_the_middle_tell_as_much():
    """As of a network that learned from the wrong targets too."""
    y, said, wrong = planted(1, 0.2)
    found = find_wrong_targets(y, 0.7 * said + 2.0)
    assert found.certain
    assert wrong[[one.row for one in found.suspects]].mean() >= 0.9


def test_units_make_no_difference():
    y, said, _ = planted(2, 0.15)
    plain, other = find_wrong_targets(y, said), find_wrong_targets(1e6 * y - 7, 1e6 * said - 7)
    assert [one.row for one in plain.suspects] == [one.row for one in other.suspects]
    assert other.flipped.value == pytest.approx(plain.flipped.value, abs=1e-3)
    assert other.noise == pytest.approx(plain.noise, rel=1e-3)


def test_a_part_of_many_rows_is_looked_at_and_all_are_listed():
    y, said, wrong = planted(3, 0.05, 20_000)
    rows = np.array([one.row for one in find_wrong_targets(y, said).suspects])
    assert rows.max() > 15_000
    assert wrong[rows].mean() >= 0.9
    assert len(rows) > 0.3 * wrong.sum()


def test_rows_of_a_group_that_are_wrong_together_are_little_evidence():
    """Each row five times, as the same patient: no five times the evidence, nor two lists."""
    y, said, _ = planted(4, 0.1, 200)
    who = np.repeat(np.arange(200), 5)
    alone, together = (find_wrong_targets(y[who], said[who], group=g) for g in (None, who))
    assert together.independent < 0.4 * alone.independent
    assert together.p_value >= alone.p_value
    widths = [one.flipped.high - one.flipped.low for one in (alone, together)]
    assert widths[1] > 1.6 * widths[0]
    doubt = np.full(200, 0.05)
    assert len(listed(doubt, 0.1, np.zeros(200, int))) < len(listed(doubt, 0.1, None))


def test_patients_whose_level_is_missed_are_not_told():
    """A tenth of 40 patients is far off as a whole: as rows of their own, and as groups."""
    told = 0
    for seed in range(10):
        generator = np.random.default_rng(seed)
        who = np.repeat(np.arange(40), 10)
        said = signal(generator, 400)
        level = np.where(generator.random(40) < 0.1, 2 * generator.normal(size=40), 0)
        y = said + level[who] + 0.15 * generator.normal(size=400)
        told += find_wrong_targets(y, said, group=who).certain
    assert told <= 1


def test_wrong_targets_are_found_among_rows_that_belong_together():
    """Patients of five rows that share part of their noise; a tenth of the targets is replaced."""
    found, told = 0, 0
    for seed in range(20):
        y, said, _ = planted(100 + seed, 0.1, 500)
        clean, _, _ = planted(100 + seed, 0.0, 500)
        who = np.repeat(np.arange(100), 5)
        shared = 0.1 * np.random.default_rng(seed).normal(size=100)[who]
        found += find_wrong_targets(y + shared, said, group=who).certain
        told += find_wrong_targets(clean + shared, said, group=who).certain
    assert found >= 16
    assert told <= 1


def test_few_wrong_targets_are_no_sign_of_none():
    """Of 150 rows 4 are clearly of other rows, fewer than the five that are told."""
    generator = np.random.default_rng(0)
    said = np.linspace(-2, 2, 150)
    y = said + 0.05 * generator.normal(size=150)
    y[[10, 140]], y[[50, 100]] = y[[140, 10]], y[[100, 50]]
    found = find_wrong_targets(y, said)
    assert found.p_value <= 0.01
    assert not found.certain
    finding = labels_section(Predicted(y, said)).findings[0]
    assert finding.level == "unsure"
    assert "too few to be told for sure" in finding.detail


@pytest.mark.parametrize(
    ("y", "said", "told"),
    [
        (np.arange(60.0), np.arange(60.0), "are too few"),
        (np.random.default_rng(0).normal(size=300), np.ones(300), "all predictions are the same"),
        (np.ones(300), np.random.default_rng(0).normal(size=300), "most of them are the same"),
        (np.arange(300.0), np.arange(300.0), "many predictions are exact"),
        (np.arange(300.0) // 60, np.arange(300.0) / 60, "they repeat, as ratings and counts do"),
    ],
    ids=["few rows", "constant predictions", "constant targets", "perfect predictions", "ratings"],
)
def test_nothing_is_told_of_nothing(y, said, told):
    found = find_wrong_targets(y, said)
    assert not found.certain
    assert found.suspects == ()
    finding = labels_section(Predicted(y, said)).findings[0]
    assert (finding.level, told in finding.detail) == ("unsure", True)


def test_an_outlier_alone_is_no_alarm_but_is_listed_among_wrong_ones():
    y, said, _ = planted(5, 0.0)
    y[7] = 1e4
    assert not find_wrong_targets(y, said).certain
    y, said, _ = planted(5, 0.15)
    y[7] = 1e4
    assert 7 in [one.row for one in find_wrong_targets(y, said).suspects]


def test_the_section_tells_rows_targets_and_predictions():
    y, said, _ = planted(6, 0.15)
    section = labels_section(
        Predicted(y, said, numbers=np.arange(300) + 11, metric="rmse"), "dev rows"
    )
    (finding,) = section.findings
    assert (finding.code, finding.level) == ("DW211", "problem")
    assert finding.claim == "rows with wrong targets"
    assert "targets are probably wrong" in finding.detail
    first = section.facts["suspects"][0]
    assert y[first["row"] - 11] == first["label"]
    assert said[first["row"] - 11] == first["likely"]
    lines = section_lines(section)
    assert any("chance that the target is right" in line for line in lines)
    assert max(len(line) for line in lines) <= 80


def test_rows_that_cluster_are_unsure():
    y, said = zeros(np.random.default_rng(0), 1_000)
    (finding,) = labels_section(Predicted(y, said)).findings
    assert (finding.level, finding.claim) == ("unsure", "wrong targets, or something else")
    assert "cluster" in finding.detail


def test_many_wrong_targets_are_a_problem_without_a_list():
    """A model that learned from them is too unsure to tell which."""
    generator = np.random.default_rng(7)
    truth = signal(generator, 400)
    y = np.where(generator.random(400) < 0.3, generator.permutation(truth), truth)
    y += 0.15 * generator.normal(size=400)
    section = labels_section(Predicted(y, 0.6 * truth + 0.25 * generator.normal(size=400)))
    assert section.facts["suspects"] == []
    assert section.findings[0].level == "problem"
    assert section.findings[0].claim == "wrong targets that cannot be told"


FIXED = {"hidden_layers": 1, "hidden_units": 16, "batch_size": 32, "learning_rate": 0.01}


@pytest.mark.parametrize("share", [0.0, 0.15])
def test_a_fit_tells_wrong_targets(tmp_path, share):
    generator = np.random.default_rng(8)
    x = generator.normal(size=(1_000, 3))
    y = x[:, 0] + 0.8 * np.tanh(2 * x[:, 1]) + 0.1 * generator.normal(size=1_000)
    wrong = generator.random(1_000) < share
    y = np.where(wrong, generator.permutation(y), y)
    columns = {f"x{j}": x[:, j] for j in range(3)}
    data = dw.load({**columns, "y": y}, target="y", vault=tmp_path / "in", name="targets")
    study = dw.Study(data, fixed=FIXED, store=tmp_path, program="native")
    result = study.run(trials=2, epochs=30)
    levels = [f.level for f in result.findings if f.code == "DW211"]
    assert levels == (["problem"] if share else [])
    (section,) = [s for s in study.diagnose().sections if s.name == "labels"]
    rows = study.mislabeled()["row"].to_numpy()
    assert len(rows) == len(section.facts["suspects"])
    if share:
        assert section.findings[0].level == "problem"
        assert len(rows) > 20
        assert wrong[rows - 1].mean() >= 0.9
    else:
        assert section.findings[0].level == "ok"
        assert len(rows) == 0


@pytest.mark.parametrize("rounded", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_ratings_that_are_right_are_not_doubted(seed: int, rounded: bool) -> None:
    random = np.random.default_rng(seed)
    said = np.clip(3 + random.normal(size=800), 1, 5)
    y = np.clip(np.round(said + 0.4 * random.normal(size=800)), 1, 5)
    found = find_wrong_targets(y, np.round(said) if rounded else said)
    assert not found.certain
    assert not found.suspects


def test_a_model_that_is_exact_on_many_rows_is_not_doubted() -> None:
    random = np.random.default_rng(1)
    y = random.normal(size=600)
    off = np.where(random.random(600) < 0.3, 0.1 * random.normal(size=600), 0.0)
    assert not find_wrong_targets(y, y + off).suspects
