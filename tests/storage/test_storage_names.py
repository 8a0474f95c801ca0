import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepwell._base._errors import UsageError
from deepwell.storage._names import MAX_LENGTH, clean_name, folded, free_name, valid_name


@pytest.mark.parametrize(
    "name",
    [
        "churn",
        "churn-2",
        "a.b_c",
        "_x",
        "7",
        "wal",
        "a-wal-2",
        "com",
        "cone.x",
        "com10",
        "données",
        "数据",
        "a..b",
    ],
)
def test_good_names_stay(name: str):
    assert valid_name(name) == name
    assert clean_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", "..", "../x", "/etc/passwd", "a/b", "a\\b", "-rf", ".hidden", "end.", "a b"),
        *("a\0b", "a\nb", "\x1b[31m", "a'b", 'a"b', "a;drop table study", "<script>", "%s", "~"),
        *("\u202eabc", "\udc80", "vault", "VAULT", "store.db", "Store.DB-wal", "C:x"),
        *("team.db-wal", "x-SHM", "a-journal", "-wal", "con", "NUL", "Aux.csv", "com1", "lpt¹.x"),
        *("con.a-wal", "prn." + "x" * (MAX_LENGTH - 4), "x" * (MAX_LENGTH - 4) + "-wal"),
        "x" * (MAX_LENGTH + 1),
    ],
)
def test_bad_names_are_refused_with_a_way_out(name: str):
    with pytest.raises(UsageError) as caught:
        valid_name(name)
    message = str(caught.value)
    assert message.isprintable()
    proposed = message.rsplit('try "', 1)[1].rstrip('"')
    assert valid_name(proposed) == proposed


def test_same_letters_in_another_encoding_are_the_same_name():
    assert valid_name("e\u0301te\u0301") == "\u00e9t\u00e9"


@given(st.text(max_size=100))
def test_any_text_becomes_a_valid_name(text: str):
    name = clean_name(text)
    assert valid_name(name) == name
    assert clean_name(name) == name


@given(st.text(max_size=70))
def test_a_valid_name_stays_inside_its_folder(text: str):
    try:
        name = valid_name(text)
    except UsageError:
        return
    assert not set(name) & set('/\\\0:*?"<>| \n')
    assert name.strip(".") != ""
    assert len(name.encode()) < 250


def test_next_free_name():
    taken = {"churn", "churn-2", "x"}
    assert free_name("new", taken, lambda _: False) == "new"
    assert free_name("churn", taken, lambda _: False) == "churn-3"
    assert free_name("CHURN", taken, lambda _: False) == "CHURN-3"
    assert free_name("churn", taken, lambda name: name == "churn-3") == "churn-4"
    assert folded("CHURN-3") == "churn-3"


@pytest.mark.parametrize("length", [MAX_LENGTH - 2, MAX_LENGTH - 1, MAX_LENGTH])
def test_the_next_free_name_of_a_long_one_is_valid(length: int):
    names: list[str] = []
    for _ in range(12):
        names.append(free_name("x" * length, names, lambda _: False))
        assert valid_name(names[-1]) == names[-1]
    assert len(set(names)) == 12
    assert names[-1].endswith("x-12")
