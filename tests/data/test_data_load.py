import datetime
import gc
import stat
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from deepwell.data import Data, load, read_table, write_sample
from deepwell.data._vault_reader import read_sealed
from deepwell.records import DataFacts, from_plain, to_plain

ROWS = 300
RANDOM = np.random.default_rng(0)
TABLE = pl.DataFrame(
    {
        "customer_id": [f"{i * 7919 % 10_007:05d}-X" for i in range(ROWS)],
        "age": RANDOM.integers(18, 90, ROWS),
        "total": [None if i % 25 == 0 else round(float(i) ** 1.1, 2) for i in range(ROWS)],
        "city": RANDOM.choice(["Paris", "Rome", "Oslo"], ROWS),
        "joined": [datetime.date(2020, 1, 1) + datetime.timedelta(days=i) for i in range(ROWS)],
        "region": ["EU"] * ROWS,
        "note": [f"customer {i} said {RANDOM.integers(999)} things" for i in range(ROWS)],
        "churned": RANDOM.choice(["yes", "no"], ROWS, p=[0.3, 0.7]),
    }
)


@pytest.fixture(autouse=True)
def in_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_mixed_table() -> None:
    TABLE.write_csv("Churn (1).csv")
    data = load("Churn (1).csv", "churned")
    facts = data.facts
    assert (data.name, data.target) == ("churn-1", "churned")
    assert (facts.source, facts.rows, facts.columns) == ("Churn (1).csv", ROWS, 8)
    assert (facts.task, facts.classes) == ("classification", ("no", "yes"))
    assert facts.sizes == (180, 60, 60)
    assert facts.split == "stratified"
    assert facts.notes[:2] == (
        "customer_id is unique per row: ignored (--keep customer_id)",
        "region is constant: ignored",
    )
    assert "total: 12 blanks in a number column: imputed, with a flag column" in facts.notes
    assert any(n.startswith("note is text: words and letters hashed into 64") for n in facts.notes)
    assert {c.name: c.kind for c in data.table_encoder.columns} == {
        "age": "number",
        "total": "number",
        "city": "category",
        "joined": "date",
        "note": "text",
    }
    assert data.train.x.shape == (180, facts.features)
    assert data.dev.x.shape == (60, facts.features)
    assert len(data.table_encoder.feature_names) == facts.features
    assert from_plain(DataFacts, to_plain(facts)) == facts


def test_rows_are_ready_to_train_on() -> None:
    data = load(TABLE, "churned")
    for rows in (data.train, data.dev):
        assert rows.x.dtype == np.float32
        assert rows.x.flags.c_contiguous
        assert np.isfinite(rows.x).all()
        assert rows.y.dtype == np.int32
        assert set(np.unique(rows.y)) == {0, 1}
        np.testing.assert_array_equal(rows.weight, np.ones(len(rows), np.float32))
    np.testing.assert_allclose(data.train.x.mean(axis=0), 0, atol=1e-5)
    both = np.concatenate([data.train.y, data.dev.y])
    np.testing.assert_allclose(data.facts.class_shares, np.bincount(both) / len(both))


def test_what_is_fitted_is_fitted_on_train() -> None:
    data = load(TABLE, "churned")
    sealed = read_sealed(data.vault)
    train_ages = data.table_encoder.mean[0]
    ages = TABLE["age"].to_numpy()
    outside = np.concatenate([sealed["age"].to_numpy(), _dev_frame(data)["age"].to_numpy()])
    expected = (ages.sum() - outside.sum()) / 180
    assert train_ages == pytest.approx(expected, rel=1e-12)


def _dev_frame(data: Data) -> pl.DataFrame:
    encoded = data.table_encoder.transform(TABLE)
    places = [int(np.flatnonzero((encoded == row).all(axis=1))[0]) for row in data.dev.x]
    return TABLE[places]


def test_the_sealed_rows_are_the_rest() -> None:
    data = load(TABLE, "churned")
    assert data.vault is not None
    sealed = read_sealed(data.vault)
    assert sealed.columns == TABLE.columns
    assert data.vault.rows == sealed.height == 60
    assert data.facts.sealed == data.vault.sha256
    assert stat.S_IMODE(Path(data.vault.path).stat().st_mode) == 0o600
    parts = [data.row_hashes[part] for part in ("train", "dev", "test")]
    assert [len(part) for part in parts] == [180, 60, 60]
    assert len(np.unique(np.concatenate(parts))) == ROWS
    both = pl.concat([_dev_frame(data), sealed])["customer_id"]
    assert both.n_unique() == 120
    again = data.table_encoder.transform(sealed)
    assert again.shape == (60, data.facts.features)
    assert data.target_encoder.encode(sealed["churned"]).shape == (60,)


def test_no_test_row_stays_in_memory() -> None:
    data = load(TABLE, "churned")
    sealed = set(read_sealed(data.vault)["customer_id"])
    assert len(sealed) == 60
    seen: set[int] = set()
    waiting: list[object] = [data]
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen or isinstance(thing, type) or callable(thing):
            continue
        seen.add(id(thing))
        assert not isinstance(thing, pl.Series | pd.DataFrame)
        if isinstance(thing, pl.DataFrame):  # raw train and dev rows for folds, and raw dev rows
            assert len(thing) in (240, 60)
            assert not sealed.intersection(thing["customer_id"])
        elif isinstance(thing, np.ndarray):
            base = thing if thing.base is None else thing.base
            held = getattr(base, "nbytes", 0)
            assert len(thing) in (180, 60, 240, data.facts.features) or thing.ndim == 0
            assert held <= data.train.x.nbytes
        else:
            waiting.extend(gc.get_referents(thing))
    assert len(seen) > 50


def test_the_same_data_is_split_alike_whatever_its_form() -> None:
    TABLE.write_csv("a.csv")
    TABLE.write_csv("a.tsv", separator="\t")
    TABLE.write_parquet("a.parquet")
    shuffled = TABLE.select(sorted(TABLE.columns))
    first = load("a.csv", "churned")
    for source in ("a.tsv", "a.parquet", TABLE, TABLE.to_pandas(), shuffled):
        other = load(source, "churned")
        assert other.fingerprint == first.fingerprint
        assert other.facts.split_seed == first.facts.split_seed
        assert other.vault.fingerprint == first.vault.fingerprint
        np.testing.assert_array_equal(other.train.y, first.train.y)
        for part in ("train", "dev", "test"):
            np.testing.assert_array_equal(other.row_hashes[part], first.row_hashes[part])


def test_the_seed_comes_from_the_data_unless_given() -> None:
    first = load(TABLE, "churned")
    changed = load(TABLE.with_columns(age=pl.col("age") + 1), "churned")
    assert changed.fingerprint != first.fingerprint
    assert changed.facts.split_seed != first.facts.split_seed
    given = load(TABLE, "churned", seed=7)
    assert given.facts.split_seed == 7
    assert given.fingerprint == first.fingerprint
    assert given.vault.fingerprint != first.vault.fingerprint
    again = load(TABLE, "churned", seed=7)
    np.testing.assert_array_equal(again.train.x, given.train.x)


def test_leaving_a_column_out_does_not_move_rows() -> None:
    first = load(TABLE, "churned")
    fewer = load(TABLE, "churned", ignore=["city", "note"], keep="customer_id")
    for part in ("train", "dev", "test"):
        np.testing.assert_array_equal(first.row_hashes[part], fewer.row_hashes[part])
    assert {c.name for c in fewer.table_encoder.columns} == {
        "customer_id", "age", "total", "joined",
    }  # fmt: skip


@pytest.mark.parametrize(
    "options",
    [
        *({"ignore": ["customer_id"]}, {"ignore": ["serial", "customer_id"]}),
        *({"keep": ["customer_id"]}, {"weights": "serial"}),
    ],
)
def test_an_id_does_not_tell_rows_apart_whatever_is_said_of_it(options: dict[str, object]) -> None:
    """Else a test set that was opened would look unseen once its id is ignored by hand."""
    table = TABLE.with_columns(serial=pl.int_range(1, ROWS + 1))
    first, again = load(table, "churned"), load(table, "churned", **options)
    assert again.vault.fingerprint == first.vault.fingerprint
    for part in ("train", "dev", "test"):
        np.testing.assert_array_equal(again.row_hashes[part], first.row_hashes[part])
    in_time = load(table, "churned", time="serial")
    known, same = (np.sort(np.concatenate([*d.row_hashes.values()])) for d in (first, in_time))
    np.testing.assert_array_equal(known, same)


def test_rows_are_known_again_in_another_file() -> None:
    first = load(TABLE, "churned")
    later = load(TABLE[100:].select(TABLE.columns[::-1]), "churned")
    known = np.concatenate(list(first.row_hashes.values()))
    for part in ("train", "dev", "test"):
        assert np.isin(later.row_hashes[part], known).all()


def test_copies_never_cross_the_split() -> None:
    many = pl.concat([TABLE, TABLE[:80], TABLE[:40]])
    many = many.with_columns(customer_id=pl.Series([f"K{i}" for i in range(420)]))
    data = load(many, "churned")
    sets = [set(data.row_hashes[part].tolist()) for part in ("train", "dev", "test")]
    assert sum(map(len, sets)) == len(set.union(*sets)) == ROWS
    assert "120 rows with the same content as another: kept in the same part" in data.facts.notes
    assert sum(data.facts.sizes) == 420


def test_no_vault_for_a_look_at_the_plan(in_own_folder: Path) -> None:
    data = load(TABLE, "churned", vault=None)
    assert data.vault is None
    assert data.facts.sealed == ""
    assert data.facts.sizes == (180, 60, 60)
    assert list(in_own_folder.iterdir()) == []


def test_no_test_set() -> None:
    data = load(TABLE, "churned", test=0)
    assert data.facts.sizes == (210, 90, 0)
    assert data.vault is None
    assert any(note.startswith("no test set was asked for") for note in data.facts.notes)


def test_explicit_sizes() -> None:
    assert load(TABLE, "churned", dev=0.1, test=50).facts.sizes == (220, 30, 50)
    assert load(TABLE, "churned", dev="10", test="0.5").facts.sizes == (140, 10, 150)


def test_a_time_split() -> None:
    data = load(TABLE, "churned", time="joined")
    assert data.facts.split == "time"
    assert read_sealed(data.vault)["joined"].min() == datetime.date(2020, 8, 28)
    assert "joined splits the rows: not an input (--keep joined)" in data.facts.notes
    assert "joined" not in {c.name for c in data.table_encoder.columns}
    kept = load(TABLE, "churned", time="joined", keep=["joined"])
    assert "joined" in {c.name for c in kept.table_encoder.columns}
    text = TABLE.with_columns(pl.col("joined").cast(pl.String))
    np.testing.assert_array_equal(
        load(text, "churned", time="joined").row_hashes["test"], data.row_hashes["test"]
    )
    assert load(TABLE, "churned", time="age").facts.split == "time"


def test_a_time_split_by_the_timestamps_of_databases() -> None:
    texts = TABLE.with_columns(pl.col("joined").cast(pl.String) + " 10:00:00+00")
    data = load(texts, "churned", time="joined")
    assert read_sealed(data.vault)["joined"].min() == "2020-08-28 10:00:00+00"


def test_a_group_split() -> None:
    table = TABLE.with_columns(household=pl.Series([f"h{i % 60}" for i in range(ROWS)]))
    data = load(table, "churned", group="household")
    assert data.facts.split == "group"
    inside = set(read_sealed(data.vault)["household"])
    assert 8 <= len(inside) <= 16
    for household in inside:
        members = read_sealed(data.vault).filter(pl.col("household") == household)
        assert members.height == 5
    assert "household" not in {c.name for c in data.table_encoder.columns}
    single = table.with_columns(household=pl.when(pl.col("age") > 30).then(pl.col("household")))
    assert load(single, "churned", group="household").facts.split == "group"


def test_given_dev_and_test_rows() -> None:
    TABLE[:50].select(TABLE.columns[::-1]).write_csv("dev.csv")
    TABLE[50:90].write_parquet("test.parquet")
    data = load(TABLE[90:], "churned", dev="dev.csv", test="test.parquet")
    assert data.facts.split == "files"
    assert data.facts.sizes == (210, 50, 40)
    assert read_sealed(data.vault)["customer_id"].to_list() == TABLE["customer_id"][50:90].to_list()
    assert {"dev: 50 rows of dev.csv", "test: 40 rows of test.parquet"} <= set(data.facts.notes)
    one = load(TABLE[50:], "churned", dev=TABLE[:50])
    assert one.facts.sizes == (200, 50, 50)
    assert one.facts.split == "stratified"
    other = load(TABLE[50:], "churned", test=TABLE[:50])
    assert other.facts.sizes == (200, 50, 50)
    assert load(TABLE[50:], "churned", dev=TABLE[:50], test=0).facts.sizes == (250, 50, 0)


def test_given_rows_and_rows_to_predict_may_hold_long_quoted_texts() -> None:
    TABLE[:3].with_columns(note=pl.lit("so, " * 50_000)).write_csv("long.csv")
    data = load(TABLE, "churned", dev="long.csv")
    assert "dev: 3 rows of long.csv" in data.facts.notes
    np.testing.assert_array_equal(data.table_encoder.transform(read_table("long.csv")), data.dev.x)


def test_dots_in_the_numbers_of_given_rows_are_noted() -> None:
    total = pl.when(pl.int_range(30) > 20).then(pl.lit("1.234")).otherwise(pl.lit("987"))
    TABLE[:30].with_columns(total.alias("total")).write_csv("dev.csv", separator=";")
    notes = load(TABLE, "churned", dev="dev.csv").facts.notes
    assert any(note.startswith("dev.csv: total: 1.234 is read with a decimal") for note in notes)


def test_rows_that_are_also_given_leave_train() -> None:
    data = load(TABLE, "churned", dev=TABLE[:50], test=TABLE[40:90])
    assert data.facts.sizes == (210, 40, 50)
    assert "100 rows also among the given dev or test rows: left out elsewhere" in data.facts.notes


def test_given_rows_may_bring_new_labels_and_types() -> None:
    extra = pl.DataFrame(
        {
            "customer_id": [1, 2, 3],
            "age": [20.5, 30.5, None],
            "total": [1, 2, 3],
            "city": ["Rome", "Mars", None],
            "joined": ["2020-01-01", "2020-01-02", "2020-01-03"],
            "region": ["EU", "US", "EU"],
            "note": ["a", "b", "c"],
            "churned": ["maybe", "no", "yes"],
        }
    )
    data = load(TABLE, "churned", dev=extra)
    assert data.facts.classes == ("maybe", "no", "yes")
    assert any(n == "no train row of class maybe: it cannot be learned" for n in data.facts.notes)
    assert data.dev.x.shape[0] == 3


def test_rare_classes() -> None:
    one = TABLE.with_columns(
        churned=pl.when(pl.col("customer_id") == TABLE["customer_id"][5])
        .then(pl.lit("perhaps"))
        .otherwise(pl.col("churned"))
    )
    data = load(one, "churned")
    assert data.facts.classes == ("no", "perhaps", "yes")
    assert (data.train.y == 1).sum() == 1
    assert "dev has no row of class perhaps" in data.facts.notes


def test_rows_without_a_target_are_left_out() -> None:
    some = TABLE.with_columns(churned=pl.when(pl.col("age") > 25).then(pl.col("churned")))
    data = load(some, "churned")
    left = int((TABLE["age"] > 25).sum())
    assert sum(data.facts.sizes) == left
    assert data.facts.rows == ROWS
    assert f"{ROWS - left} rows of the table without a target: left out" in data.facts.notes


def test_regression() -> None:
    data = load(TABLE.drop("churned"), "age")
    assert data.facts.task == "regression"
    assert data.facts.split == "random"
    assert data.train.y.dtype == np.float32
    assert data.train.y.mean() == pytest.approx(0, abs=1e-6)
    assert data.train.y.std() == pytest.approx(1, abs=1e-5)
    assert data.facts.class_shares == ()
    assert data.target_encoder.original(data.dev.y).max() < 90.01


@pytest.mark.parametrize(
    ("sample", "target", "sizes", "outputs"),
    [
        ("digits", "label", (1079, 359, 359), 10),
        ("breast-cancer", "label", (341, 114, 114), 1),
        ("wine", "label", (106, 36, 36), 3),
        ("iris", "label", (90, 30, 30), 3),
        ("diabetes", "target", (266, 88, 88), 1),
    ],
)
def test_real_tables(sample: str, target: str, sizes: tuple[int, int, int], outputs: int) -> None:
    write_sample(sample, f"{sample}.csv")
    data = load(f"{sample}.csv", target)
    assert data.facts.sizes == sizes
    assert data.task.outputs == outputs
    assert data.name == sample


def test_arrays_need_no_target_name() -> None:
    x, y = RANDOM.normal(size=(60, 3)), RANDOM.integers(0, 3, 60)
    data = load((x, y))
    assert data.target == "target"
    assert data.facts.source == "arrays"
    assert data.name == "data"
    assert load((x, y), name="My Data").name == "my-data"
    np.savez("a.npz", X=x, y=y)
    assert load("a.npz").target == "y"
    assert load("a.npz", "y").row_hashes["train"].shape == (36,)
    encoded = load((x, y)).table_encoder.transform(read_table(x))
    assert encoded.shape == (60, 3)


def test_no_number_at_all() -> None:
    table = TABLE.select("city", "note", "churned")
    assert load(table, "churned").facts.features == 3 + 64


def test_hostile_names_are_harmless_in_notes() -> None:
    table = {
        "<script>alert(1)</script>": RANDOM.normal(size=40),
        "\x1b[31mred": [1] * 40,
        "a'; DROP TABLE x; --": list(range(40)),
        "y": ["a", "b"] * 20,
    }
    data = load(table, "y")
    assert data.table_encoder.feature_names == ("<script>alert(1)</script>",)
    assert not any("\x1b" in note for note in data.facts.notes)


def test_many_columns_share_their_notes() -> None:
    table = {f"c{j}": [1] * 40 for j in range(500)}
    table["x"] = RANDOM.normal(size=40)
    table["y"] = ["a", "b"] * 20
    assert load(table, "y").facts.notes == (
        "500 columns are constant: ignored: c0, c1, c2, c3, c4 and 495 more",
    )


def test_ten_thousand_columns() -> None:
    values = RANDOM.normal(size=(40, 10_000)).round(3)
    frame = pl.DataFrame(values, schema=[f"x{j}" for j in range(10_000)])
    frame.with_columns(y=pl.Series(["a", "b"] * 20)).write_csv("wide.csv")
    data = load("wide.csv", "y")
    assert data.train.x.shape == (24, 10_000)
    assert data.facts.features == 10_000


def test_an_encoded_table_that_does_not_fit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from deepwell._base._errors import UsageError

    monkeypatch.setattr("deepwell.data._memory.available_memory", lambda: 100_000)
    with pytest.raises(UsageError, match=r"^the encoded table \(\d+ columns\) needs about"):
        load(TABLE, "churned")
