"""The page about babysitting: its example runs, and it names all that there is."""

import re
from pathlib import Path

from deepwell.study._history import ENDED
from deepwell.study._live import LiveStudy
from deepwell.study.acts._race import WON
from deepwell.study.acts._registry import ACTS

PAGE = (Path(__file__).parents[2] / "docs" / "babysitting.md").read_text("utf-8")


def test_the_example_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    names: dict = {}
    exec(compile(example, "babysitting", "exec"), names)
    assert names["race"].details["copies"] == [3, 4, 5]


def test_every_act_and_event_is_told():
    acts = {*ACTS, *(act.event for act in ACTS.values())}
    for word in acts | {WON, ENDED, "branch", "refuse", "machine"}:
        assert re.search(rf"`{word}\b", PAGE), word
    for name in vars(LiveStudy):
        assert name.startswith("_") or re.search(rf"`{name}`|\.{name}\(", PAGE), name
