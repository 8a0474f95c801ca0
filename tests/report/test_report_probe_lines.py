"""The inside of the best network in the text report."""

from dataclasses import replace

import numpy as np

from deepwell.records import Probe
from deepwell.report._probe_lines import probe_lines
from deepwell.report._text_report import text_report

ONES = np.ones((2, 7), np.float32)


def probe(epoch, update=(0.02, 0.0), gradient=(0.5, 0.25), dead=(0.125, 0.0)):
    def single(*values):
        return np.array(values, np.float32)

    return Probe(
        *(7, epoch, 10 * epoch, ("hidden 1", "output"), ONES, ONES, ONES),
        *(single(*dead), single(0.5, np.nan), single(0.1, np.nan)),
        *(single(2.0, 1.0), single(*gradient), single(*update)),
    )


def test_lines_tell_each_layer():
    lines = probe_lines([probe(0, gradient=(4.0, 3.0)), probe(1), probe(30)])
    assert lines[1] == "Inside the best network"
    assert lines[3].startswith("Probed 3 times, the last time after 30 epochs")
    head, first, second = lines[-3:]
    assert head.split("  ")[0] == "layer"
    assert first.split() == ["hidden", "1", "10^-2.0", "4", "to", "0.5", "12.5", "%", "50.0", "%"]
    assert second.split() == ["output", "no", "change", "3", "to", "0.25", "0.0", "%", "-"]
    assert max(map(len, lines)) <= 80


def test_what_is_no_number_is_unknown():
    broken = probe(2, update=(np.nan, np.inf), gradient=(np.nan, np.inf), dead=(np.nan, np.nan))
    none = replace(broken, weight_norm=np.array([0.0, 0.0], np.float32))
    for one in (broken, none):
        *_, first, second = probe_lines([one])
        assert first.split()[2] == second.split()[1] == "unknown"
        assert "unknown to unknown" in first
        assert "nan" not in first + second
    fresh = replace(probe(2), weight_norm=np.zeros(2, np.float32))
    assert "from 0" in probe_lines([fresh])[-2]
    assert probe_lines([fresh])[3].startswith("Probed once")


def test_the_report_has_them_where_there_are_some(result, make_trial):
    trials = [make_trial(0, 0.2)]
    assert "Inside the best network" not in text_report(result, trials)
    text = text_report(result, trials, [probe(0), probe(9)])
    assert text.index("The best network") < text.index("Inside the best network")
    assert text.index("Inside the best network") < text.index("best of 1 trial")
