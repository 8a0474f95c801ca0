"""How often the checks of rows are wrong on clean splits, and what they find of planted faults.

The figures of docs/findings.md are those of `rates()`; the tests hold them with room for luck.
"""

from collections import Counter

import numpy as np
import polars as pl
import pytest

import deepwell as dw
from deepwell.data._samples import SAMPLES
from deepwell.diagnosis._intervals import wilson
from deepwell.study._data_checks import check_data, data_findings

SETS = ("breast-cancer", "wine", "iris", "diabetes", "digits", "made classes", "made numbers")
REAL = SETS[:5]


def table(name, seed=0):
    """Return a real table, or one whose columns are numbers, categories, blanks and copies."""
    if name in REAL:
        return SAMPLES[name]()
    draws = np.random.default_rng(seed)
    n = 400
    number = draws.normal(size=n)
    frame = pl.DataFrame(
        {
            "number": number,
            "skewed": np.exp(2 * draws.normal(size=n)),
            "blank": pl.Series(draws.normal(size=n)).set(pl.Series(draws.random(n) < 0.2), None),
            "city": draws.choice(["a", "b", "c", "rare"], n, p=[0.5, 0.3, 0.18, 0.02]),
            "count": draws.poisson(2, n),
            "store_id": draws.integers(0, 30, n),
        }
    )
    signal = number + draws.normal(size=n)
    target = np.where(signal > 0, "yes", "no") if name == "made classes" else signal
    frame = frame.with_columns(target=pl.Series(target))
    copied = draws.integers(0, n, 40)  # copies, which the split keeps in one part
    return pl.concat([frame, frame[copied]])


def loaded(frame, seed=None, **options):
    name = "target" if "target" in frame.columns else "label"
    return dw.load(frame, target=name, seed=seed, vault=None, **options)


def told(data, code):
    """Return level and evidence of a finding, `none` where it is not told."""
    for one in data_findings(check_data(data), None):
        if one.code == code:
            return one.level, one.evidence
    return "none", {}


def inputs_by_spread(frame):
    """Return the number columns, those of the most different values first."""
    names = [
        n for n in frame.columns if n not in ("label", "target") and frame[n].dtype.is_numeric()
    ]
    return sorted(names, key=lambda n: -frame[n].n_unique())


def clean(splits):
    """Return (code, level) -> how often on splits of tables in which nothing is planted."""
    found = Counter()
    for name in SETS:
        for seed in range(splits):
            data = loaded(table(name, seed), seed)
            found.update({(f.code, f.level) for f in data_findings(check_data(data), None)})
            found["splits"] += 1
    return found


def with_shift(name, size, seed):
    """Return data whose dev rows have three columns moved by `size` standard deviations."""
    frame = table(name)
    order = np.random.default_rng(seed).permutation(frame.height)
    cut = int(0.75 * frame.height)
    train, dev = frame[order[:cut]], frame[order[cut:]]
    moved = inputs_by_spread(frame)[:3]
    dev = dev.with_columns([pl.col(n) + size * frame[n].std() for n in moved])
    return loaded(train, seed, dev=dev, test=0), moved


def shifts(size, seeds):
    """Return how often DW203 told a problem, and how often what it named had been moved."""
    problems = named = right = 0
    for name in ("breast-cancer", "wine", "diabetes", "digits"):
        for seed in range(seeds):
            data, moved = with_shift(name, size, seed)
            level, evidence = told(data, "DW203")
            problems += level == "problem"
            columns = [c["name"] for c in evidence.get("columns", ())]
            named += len(columns)
            right += sum(c in moved for c in columns)
    return problems, 4 * seeds, right, named


def with_leak(name, slip, seed):
    """Return data with a column that is the target but for a slip.

    Of numbers normal errors of `slip` deviations; of classes a number with such errors, the
    share `slip` of them of another class.
    """
    frame = table(name)
    draws = np.random.default_rng(seed)
    goal = "target" if "target" in frame.columns else "label"
    y = frame[goal]
    if name == "diabetes":
        leak = y.to_numpy() + slip * y.std() * draws.normal(size=len(y))
        return loaded(frame.with_columns(leak=pl.Series(leak)), seed)
    codes = y.cast(pl.String).rank("dense").to_numpy().astype(float)
    wrong = draws.random(len(y)) < slip
    codes[wrong] = draws.permutation(codes)[wrong]
    return loaded(
        frame.with_columns(leak=pl.Series(codes + 0.01 * draws.normal(size=len(y)))), seed
    )


def leaks(slip, seeds):
    """Return how often DW202 named the leak, as a problem and as something to check."""
    found = Counter()
    for name in ("breast-cancer", "diabetes", "digits"):
        for seed in range(seeds):
            level, evidence = told(with_leak(name, slip, seed), "DW202")
            found[level if evidence.get("column") == "leak" else "none"] += 1
    return found


def with_copies(name, share, jitter, seed):
    """Return data in which a share of rows comes again, numbers moved by `jitter` deviations."""
    frame = table(name)
    draws = np.random.default_rng(seed)
    again = frame[draws.choice(frame.height, int(share * frame.height), replace=False)]
    numbers = [n for n in inputs_by_spread(frame) if frame[n].n_unique() > 1]
    moved = [pl.col(n) + jitter * frame[n].std() * draws.normal(size=again.height) for n in numbers]
    return loaded(pl.concat([frame.with_columns(pl.col(numbers).cast(pl.Float64)),
                             again.with_columns(moved)], how="vertical_relaxed"), seed)  # fmt: skip


def copies(share, jitter, seeds):
    found = Counter()
    for name in ("breast-cancer", "wine", "diabetes", "digits"):
        for seed in range(seeds):
            level, evidence = told(with_copies(name, share, jitter, seed), "DW201")
            found["cannot tell" if evidence["near"] is None else level] += 1
    return found


def with_groups(between, seed):
    """Return data of 60 patients with 8 rows each; `between` of the noise is the patient's own."""
    draws = np.random.default_rng(seed)
    who = np.repeat(np.arange(60), 8)
    x = draws.normal(size=(480, 4))
    noise = np.sqrt(between) * draws.normal(size=60)[who]
    noise += np.sqrt(1 - between) * draws.normal(size=480)
    columns = {f"x{j}": x[:, j] for j in range(4)}
    return loaded(pl.DataFrame({"patient": who, **columns, "target": x[:, 0] + noise}), seed)


def groups(between, seeds):
    return Counter(told(with_groups(between, seed), "DW204")[0] for seed in range(seeds))


def rates():
    """Print the figures of docs/findings.md."""
    print("clean", clean(40))
    for size in (0.25, 0.5, 1.0):
        print("shift", size, shifts(size, 20))
    for slip in (0.0, 0.01, 0.1, 0.3):
        print("leak", slip, leaks(slip, 20))
    for share in (0.05, 0.2):
        for jitter in (0.01, 0.03, 0.1):
            print("copies", share, jitter, copies(share, jitter, 10))
    for between in (0.0, 0.1, 0.3, 0.6):
        print("groups", between, groups(between, 40))


@pytest.mark.slow
def test_clean_splits_raise_a_problem_at_most_as_often_as_stated():
    found = clean(30)
    problems = sum(n for key, n in found.items() if key[1:] == ("problem",))
    assert found["splits"] == 210
    assert wilson(problems, 210)[1] < 0.05  # the whole interval


def test_a_medium_shift_is_a_problem_and_the_columns_are_named():
    problems, cases, right, named = shifts(1.0, 3)
    assert problems == cases == 12
    assert right == named == 36


def test_a_column_that_is_the_target_is_named():
    assert leaks(0.0, 2) == Counter(problem=6)


def test_copies_that_were_touched_up_are_found():
    found = copies(0.2, 0.01, 1)
    assert found["problem"] == 4


def test_groups_that_are_alike_are_told():
    assert groups(0.6, 3) == Counter(problem=3)
    assert groups(0.0, 6)["problem"] == 0
