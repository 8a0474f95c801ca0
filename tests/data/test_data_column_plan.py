import numpy as np
import polars as pl

from deepwell.data._column_plan import encoding_notes, plan_columns
from deepwell.data._load_options import LoadOptions, checked_options
from deepwell.data._table_encoder import TableEncoder

NAMES = (
    "target task split group time split_column dev test train_dev weights class_weight human_labels"
)
NOTHING = dict.fromkeys((*NAMES.split(), "seed", "name", "vault"))
RANDOM = np.random.default_rng(0)


def options(**given: object) -> LoadOptions:
    return checked_options({**NOTHING, "keep": (), "ignore": (), **given})


def test_what_is_left_out_is_said_with_the_way_back() -> None:
    frame = pl.DataFrame(
        {
            "my id": [f"k{i}" for i in range(40)],
            "same": [1] * 40,
            "void": [None] * 40,
            "x": RANDOM.normal(size=40),
            "house": ["a", "b"] * 20,
            "y": ["p", "q"] * 20,
        }
    )
    plan = plan_columns(frame, "y", options(group="house"))
    assert [column.name for column in plan.inputs] == ["x"]
    assert plan.identifiers == ("my id",)
    assert plan.notes == (
        "house splits the rows: not an input (--keep house)",
        "my id is unique per row: ignored (--keep 'my id')",
        "same is constant: ignored",
        "void is all missing: ignored",
    )
    ignored = plan_columns(frame, "y", options(group="house", ignore=["my id", "void"]))
    assert ignored.inputs == plan.inputs
    assert ignored.identifiers == ("my id",)
    assert ignored.notes == plan.notes[:1] + plan.notes[2:3]
    kept = plan_columns(frame, "y", options(group="house", keep=["my id", "house", "same"]))
    assert {c.name: c.kind for c in kept.inputs} == {
        "my id": "text",
        "same": "number",
        "x": "number",
        "house": "category",
    }
    assert kept.identifiers == ("my id",)


def test_the_target_s_values_are_not_looked_at() -> None:
    frame = pl.DataFrame({"x": RANDOM.normal(size=40), "y": range(40)})
    assert plan_columns(frame, "y", options()).notes == ()


def test_notes_on_the_encoding() -> None:
    frame = pl.DataFrame(
        {
            "city": [f"c{i}" for i in range(60)] * 4 + ["rare"] + ["c0"] * 19,
            "flag": ([True, None, False, True] * 65),
            "text": [f"word{i} and {i * 7} others" for i in range(260)],
        }
    )
    inputs = plan_columns(frame, "none", options()).inputs
    encoder = TableEncoder.fit(frame[:250], inputs)
    assert encoding_notes(frame, encoder) == (
        "flag: 65 blanks in a boolean column: imputed, with a flag column",
        "city has 61 categories: 60 have a column each, the rarer ones share one",
        "text is text: words and letters hashed into 64 columns (--ignore text)",
    )
