"""What Deepwell is compared with: guesses, rules on loss curves, and published rule sets restated.

Each baseline is a function from what was measured of a run to whether it alarms and the causes that
it claims, first claim first. The published rules are restated from their numbers, on Deepwell's own
measurements (quantiles and norms of layers a few times a run, curves by epoch); what these do not
hold is left out and said where it is. Their causes are put into the benchmark's labels here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from benchmarks.diagnosis.diagnosed import Measured

from .autotrainer import autotrainer
from .checker import deep_checker
from .curves import curve_rules
from .guesses import always, constant, never
from .localize import deep_diagnosis, deep_localize
from .umlaut import umlaut

Verdict = tuple[bool, tuple[str, ...]]

RULES: Mapping[str, Callable[[Measured], Verdict]] = {
    "always alarm": always,
    "never alarm": never,
    "constant {activation, learning rate}": constant,
    "loss curves only": curve_rules,
    "AUTOTRAINER's rules": autotrainer,
    "UMLAUT's rules": umlaut,
    "DeepLocalize's rules": deep_localize,
    "DeepDiagnosis' rules": deep_diagnosis,
    "TheDeepChecker's rules": deep_checker,
}
"""Name -> rule. The most frequent label and random claims need the whole set: see `run.py`."""
