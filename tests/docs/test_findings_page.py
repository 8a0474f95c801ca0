from pathlib import Path

from deepwell.diagnosis._codes import CODES

PAGE = Path(__file__).parents[2] / "docs" / "findings.md"


def test_every_code_is_on_the_page() -> None:
    text = PAGE.read_text()
    assert [code for code in CODES if code not in text] == []
