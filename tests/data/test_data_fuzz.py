"""Any table at all: either one clear sentence, or rows that can be trained on."""

import datetime
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepwell._base._errors import UsageError
from deepwell.data import Data, TableEncoder, load, read_table

WORDS = ["yes", "no", "NA", "", " ", "1", "01", "2.5", "-", "x\x1b", "2024-05-31", "<b>", "a b c d"]
NAMES = ["*", "^.*", "^a$", "rows", "literal", "len", "a\x1b[2J", "x" * 200, "{}", "%s"]
CELLS = [
    st.integers(-3, 3),
    st.integers(-(2**62), 2**62),
    st.floats(allow_nan=True, allow_infinity=False),
    st.floats(-5, 5).map(lambda v: round(v, 1)),
    st.booleans(),
    st.sampled_from(WORDS),
    st.text(max_size=12),
    st.dates(datetime.date(1600, 1, 1), datetime.date(2400, 1, 1)),
    st.datetimes(datetime.datetime(1600, 1, 1), datetime.datetime(2400, 1, 1)),
    st.none(),
]


@st.composite
def tables(draw: st.DrawFn) -> dict[str, list[Any]]:
    rows = draw(st.integers(8, 40))
    name = st.one_of(st.text(max_size=6), st.sampled_from(NAMES))
    names = draw(st.lists(name, min_size=1, max_size=4, unique=True))
    table: dict[str, list[Any]] = {}
    for name in names:
        cell = draw(st.sampled_from(CELLS))
        some = draw(st.sampled_from([cell, st.one_of(cell, st.none())]))
        table[name] = draw(st.lists(some, min_size=rows, max_size=rows))
    return table


def loaded_or_sentence(source: object, target: str) -> tuple[Data | None, str]:
    try:
        return load(source, target, vault=None), ""
    except UsageError as error:
        return None, str(error)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(tables(), st.data())
def test_any_table(table: dict[str, list[Any]], data: st.DataObject) -> None:
    target = data.draw(st.sampled_from(sorted(table)))
    loaded, sentence = loaded_or_sentence(table, target)
    if loaded is None:
        assert sentence
        assert not {"\n", "\x1b"} & set(sentence)
        return
    for rows in (loaded.train, loaded.dev):
        assert len(rows) > 0
        assert rows.x.shape == (len(rows), loaded.facts.features)
        assert np.isfinite(rows.x).all()
        assert np.isfinite(rows.y).all()
    assert sum(loaded.facts.sizes) <= len(table[target])
    assert not any("\x1b" in note for note in loaded.facts.notes)
    plain = json.loads(json.dumps(loaded.table_encoder.to_plain(), allow_nan=False))
    frame = read_table({name: [None, None] for name in table})
    again = TableEncoder.from_plain(plain).transform(frame)
    np.testing.assert_array_equal(again, loaded.table_encoder.transform(frame))
    assert np.isfinite(again).all()


BYTES = [
    b"a,b,y\n",
    b"1,2,x\n",
    b'"',
    b",",
    b"\n",
    b"\r\n",
    b";",
    b"\t",
    b"\xff",
    b"\0",
    b"PAR1",
    b"PK\x03\x04",
]


@settings(max_examples=150)
@given(st.lists(st.one_of(st.sampled_from(BYTES), st.binary(max_size=8)), max_size=30))
def test_any_file(pieces: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.csv"
        path.write_bytes(b"".join(pieces))
        try:
            frame = read_table(path)
        except UsageError as error:
            sentence = str(error)
        else:
            sentence = "read"
            assert frame.height > 0
            assert len(set(frame.columns)) == frame.width > 0
    assert sentence
    assert not {"\n", "\x1b"} & set(sentence)
