import pytest

from deepwell.data._names import count_of, data_name, flag, name_list, near_columns, quoted


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("churn", "churn"),
        ("Churn (May 2024)", "churn-may-2024"),
        ("../../etc/passwd", "etc-passwd"),
        ("___", "data"),
        ("日本", "data"),
        ("a" * 100, "a" * 40),
        ("a" * 39 + "--b", "a" * 39),
    ],
)
def test_data_name_is_fit_for_a_folder(given: str, expected: str) -> None:
    assert data_name(given) == expected


def test_hostile_names_become_harmless() -> None:
    assert quoted("\x1b[31m") == '"?[31m"'
    assert flag("keep", "a b") == "--keep 'a b'"
    assert flag("keep", "x; rm -rf /") == "--keep 'x; rm -rf /'"
    assert "\x1b" not in near_columns("red", ["\x1bred"])


def test_lists_are_bounded() -> None:
    names = [f"column{i}" for i in range(10_000)]
    assert name_list(names).endswith("column11 and 9,988 more")
    assert len(near_columns("columm3", names)) < 400


def test_counts_agree_with_their_noun() -> None:
    assert count_of(1, "row") == "1 row"
    assert count_of(1200, "row") == "1,200 rows"
    assert count_of(2, "class", "classes") == "2 classes"
