from dataclasses import replace

from deepwell.records import Finding
from deepwell.report._finding_lines import check_table, finding_lines

PROBLEM = Finding(
    "DW405",
    "problem",
    "learning rate too high",
    "dev error 84 % at 0.3",
    {"measured": 0.8, "threshold": 0.01, "threshold_source": "what matters"},
    "deepwell fit digits.csv --learning-rate 0.03",
)
PASSED = Finding("DW401", "ok", "no vanishing gradients", "", {"measured": None, "threshold": 0.1})
SHORT = Finding("DW412", "unsure", "curve too short to tell", "5 epochs", {"measured": 5.0})
FOLLOWS = Finding("DW409", "ok", "constant output", "", {"consequence_of": "DW405"})
DOUBTFUL = Finding("DW403", "unsure", "dead units", "hidden 1", {"measured": 0.9})


def test_problems_are_told_with_their_command_and_the_rest_shares_a_line() -> None:
    lines = finding_lines([PASSED, PROBLEM, SHORT, FOLLOWS])
    assert lines == [
        "DW405     learning rate too high: dev error 84 % at 0.3",
        "          deepwell fit digits.csv --learning-rate 0.03",
        "trained   1 check of the training passed, 1 could not tell, 1 told as a",
        "          consequence (--json lists them)",
    ]


def test_a_long_command_is_told_in_full() -> None:
    command = "deepwell fit " + "--ignore column " * 100 + "--target y"
    [line] = finding_lines([replace(PROBLEM, command=command)])[1:]
    assert line.strip() == command


def test_a_command_is_told_once() -> None:
    lines = finding_lines([replace(PROBLEM, code="DW403", claim="dead units"), PROBLEM])
    assert lines[1] == "          deepwell fit digits.csv --learning-rate 0.03"
    assert lines[3] == "          the command of DW403 does this as well"


def test_what_was_not_looked_for_is_counted() -> None:
    unseen = Finding("DW402", "unsure", "not looked for", "no program", {"measured": None})
    assert finding_lines([PASSED, unseen]) == [
        "trained   1 check of the training passed, 1 could not tell (--json lists them)"
    ]


def test_a_suspicion_that_was_not_settled_is_told() -> None:
    assert finding_lines([DOUBTFUL]) == ["DW403 ?   dead units: hidden 1"]


def test_without_checks_there_is_no_line_about_them() -> None:
    other = Finding("DW100", "ok", "neither", "train 1 %")
    assert finding_lines([other]) == ["DW100 ok  neither: train 1 %"]
    assert check_table([other]) == []


def test_the_report_lists_every_check() -> None:
    table = check_table([PASSED, PROBLEM])
    assert [line.split()[0] for line in table] == ["check", "DW401", "DW405"]
    assert table[2].split()[1:3] == ["0.8", "0.01"]
    assert "(threshold: what matters)" in table[2]


def test_hostile_words_are_made_harmless() -> None:
    evil = Finding("DW4\x1b[2J", "problem", "\x1b[31m", "", {"threshold_source": "\x1b[0m"})
    assert "\x1b" not in "".join([*finding_lines([evil]), *check_table([evil])])


def test_what_is_told_of_rows_names_its_remedy_once() -> None:
    change = "put inputs and targets together by a key, not by their order"
    shifted = Finding("DW207", "problem", "labels shifted", "p 1e-9", {"change": change})
    assert finding_lines([shifted]) == [
        "DW207     labels shifted: p 1e-9",
        "          remedy: put inputs and targets together by a key, not by their order",
    ]
    with_command = replace(shifted, command="deepwell fit t.csv --target y")
    assert "remedy" not in "".join(finding_lines([with_command]))
    assert "remedy" not in "".join(finding_lines([replace(shifted, level="ok")]))
    assert "remedy" not in "".join(finding_lines([replace(shifted, code="DW408")]))
