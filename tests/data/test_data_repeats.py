"""Copies stay together; rows of columns with few values are dealt out one by one."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from deepwell.data import load
from deepwell.data._repeats import split_units
from deepwell.data._row_hashes import column_words, row_sums


@pytest.fixture(autouse=True)
def in_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def by_chance(frame: pl.DataFrame) -> bool:
    inputs = [name for name in frame.columns if name != "y"]

    def words(places: range) -> Iterator[np.ndarray]:
        return (column_words(frame[inputs[i]]) for i in places)

    sums = row_sums(frame, [frame.columns])[0]
    units, chance = split_units(sums, column_words(frame["y"]), len(inputs), words)
    assert len(np.unique(units)) == (frame.height if chance else frame.unique().height)
    return chance


def few_values(seed: int, rows: int, columns: int, values: int, skew: float = 0.0) -> pl.DataFrame:
    """Return columns of few values and labels that depend on them, one in ten wrong."""
    draws = np.random.default_rng(seed)
    shares = np.arange(1, values + 1.0) ** -skew
    x = draws.choice(values, (rows, columns), p=shares / shares.sum())
    y = (x.sum(axis=1) % 2) ^ (draws.random(rows) < 0.1)
    return pl.DataFrame({f"x{j}": x[:, j] for j in range(columns)} | {"y": y})


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("skew", [0.0, 1.5])
@pytest.mark.parametrize(("columns", "values"), [(1, 27), (3, 3), (6, 2), (2, 12)])
def test_rows_of_few_values_repeat_by_chance(
    columns: int, values: int, skew: float, seed: int
) -> None:
    assert by_chance(few_values(seed, 600, columns, values, skew))


def test_columns_that_depend_on_each_other_repeat_by_chance_too() -> None:
    frame = few_values(0, 800, 4, 3)
    noise = np.random.default_rng(1).random(800) < 0.1
    same = pl.Series("x4", np.where(noise, 0, frame["x0"].to_numpy()))
    assert by_chance(frame.with_columns(same))


@pytest.mark.parametrize("copied", [20, 150, 300])
@pytest.mark.parametrize("categories", [0, 3])
def test_copies_of_rows_with_many_values_are_copies(copied: int, categories: int) -> None:
    draws = np.random.default_rng(copied)
    numbers = {f"x{j}": draws.normal(size=300) for j in range(4)}
    words = {f"c{j}": draws.integers(0, 3, 300) for j in range(categories)}
    frame = pl.DataFrame(numbers | words | {"y": draws.integers(0, 2, 300)})
    assert not by_chance(pl.concat([frame, frame.head(copied)]))


def test_items_that_several_people_labeled_are_copies() -> None:
    draws = np.random.default_rng(5)
    frame = pl.DataFrame({f"x{j}": draws.normal(size=200) for j in range(3)})
    thrice = pl.concat([frame] * 3)
    labels = pl.Series("y", draws.integers(0, 2, 600))
    assert not by_chance(thrice.with_columns(labels))


def test_oversampled_rows_are_copies_though_some_columns_have_few_values() -> None:
    draws = np.random.default_rng(6)
    frame = pl.DataFrame({"age": draws.normal(size=400).round(3), "sex": draws.integers(0, 2, 400)})
    frame = frame.with_columns(z=pl.Series(draws.normal(size=400)), y=draws.random(400) < 0.1)
    rare = frame.filter(pl.col("y"))
    assert not by_chance(pl.concat([frame, *[rare] * 8]))


@pytest.mark.parametrize("flag", ["constant", "once", "edited"])
def test_a_column_that_hardly_varies_makes_no_copies_chance(flag: str) -> None:
    draws = np.random.default_rng(8)
    frame = pl.DataFrame({f"x{j}": draws.normal(size=1000) for j in range(4)})
    frame = frame.with_columns(y=draws.random(1000) < 0.5)
    frame = pl.concat([frame, frame.head(300)])
    rare = np.zeros(1300, np.int64)
    rare[:5] = flag != "constant"
    rare[1000 : 1000 + {"constant": 0, "once": 1, "edited": 30}[flag]] = 1
    assert not by_chance(frame.with_columns(flag=rare))


def test_labels_of_an_input_are_not_parted_by_the_split() -> None:
    frame = few_values(1, 900, 3, 3)
    data = load(frame, "y", train_dev=0.2, vault=None)
    assert data.facts.alike_by_chance
    assert any("as often as columns with few values" in note for note in data.facts.notes)
    rates = []
    for part in (data.train, data.dev, data.train_dev):
        assert part is not None
        keys = [row.tobytes() for row in part.x]
        ones = {key: [] for key in keys}
        for key, y in zip(keys, part.y.tolist(), strict=True):
            ones[key].append(y)
        rates.append({key: np.mean(labels) for key, labels in ones.items() if len(labels) >= 4})
    shared = set(rates[0]) & set(rates[1])
    assert len(shared) >= 20
    wrong = [abs(rates[0][key] - rates[1][key]) for key in shared]
    assert np.mean(wrong) < 0.2  # all but one label in ten agree in every part


def test_given_dev_rows_take_no_equal_row_out_of_train() -> None:
    frame, dev = few_values(2, 500, 3, 3), few_values(3, 200, 3, 3)
    data = load(frame, "y", dev=dev, test=0, vault=None)
    assert len(data.train) == 500


def test_a_table_on_disk_is_judged_as_one_in_memory() -> None:
    few_values(4, 40_000, 12, 2).write_csv("few.csv")
    in_memory = load("few.csv", "y", seed=1, vault=None)
    streamed = load("few.csv", "y", seed=1, vault=None, memory="40MB")
    assert in_memory.facts.alike_by_chance
    assert streamed.facts.alike_by_chance
    assert in_memory.facts.sizes == streamed.facts.sizes
