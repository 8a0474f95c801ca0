"""The commands that change a run while it trains: what they ask for, and what they say."""

from __future__ import annotations

from typing import Any

import pytest

from deepwell._base._errors import StudyError, UsageError
from deepwell.records import Event
from deepwell.report._act_lines import _OF_EVENT
from deepwell.study import _follow, _live, _replay
from deepwell.study._live import Answer
from deepwell.study._replay import Compared, Replay
from deepwell.study._sight import Sight

RUNNER = "process 7 on there"
DETAILS: dict[str, dict[str, Any]] = {
    "nudge": {"networks": {"3": {"epoch": 8, "changes": {"learning_rate": 0.005, "l2": 0}}}},
    "pause": {},
    "resume": {},
    "snapshot": {"networks": {"3": {"epoch": 8, "sha256": "abcdef0123456789"}}},
    "rollback": {"epoch": 8, "to": 5, "copy": 9, "changes": {"dropout": [0.1, 0.2]}},
    "fork": {"epoch": 8, "copies": [9, 10], "until": 12,
             "changes": [{"learning_rate": 0.005}, {"learning_rate": 0.02}]},
    "stop": {"networks": [3]},
    "extend": {"trials": 64, "epochs": 1, "budget": 300.0},
    "narrow": {"to_come": 0},
}  # fmt: skip


class FakeLive:
    """Takes down what it is asked, and has done it after epoch 8."""

    def __init__(self, name: str, store: str | None = None, **_: Any) -> None:
        self.name, self.store = name, store
        self.asked: list[Any] = []
        self.waits, self.runner, self.held = False, RUNNER, True

    def __getattr__(self, act: str) -> Any:
        if act not in DETAILS:
            raise AttributeError(act)

        def ask(*args: Any, **values: Any) -> Answer:
            self.asked.append((act, args, values))
            trial = args[0] if args and isinstance(args[0], int) else None
            if self.waits:
                return Answer(self.name, act, trial, False, None, {}, self.runner)
            details = {"request": 1, **DETAILS[act]}
            return Answer(self.name, act, trial, True, 8, details, self.runner)

        return ask

    def paused(self) -> bool:
        return self.held


@pytest.fixture
def live(monkeypatch: pytest.MonkeyPatch) -> FakeLive:
    fake = FakeLive("iris")
    monkeypatch.setattr(_live, "open_live", lambda name, store=None: fake)
    return fake


@pytest.mark.parametrize(
    ("line", "asked", "told"),
    [
        (
            "nudge iris 3 learning_rate=x0.5 l2=0",
            ("nudge", (3,), {"learning_rate": "x0.5", "l2": "0"}),
            "nudged    network 3 from epoch 9 on: learning_rate 0.005, l2 0\n",
        ),
        (
            "pause iris --store here",
            ("pause", (), {}),
            "paused    iris after epoch 8; deepwell resume iris --store here lets it go on\n",
        ),
        (
            "snapshot iris 3",
            ("snapshot", (3,), {}),
            "kept      network 3 as it is after epoch 8 (sha256 abcdef01...)\n",
        ),
        (
            "rollback iris 3 --to 5 dropout=[0.1,0.2]",
            ("rollback", (3, 5), {"dropout": "[0.1,0.2]"}),
            "back      network 3 was at epoch 8; network 9 goes on in its place from epoch 5\n"
            "          with dropout [0.1, 0.2]\n",
        ),
        (
            "fork iris 3 --epochs 4 learning_rate=x0.5,x2",
            ("fork", (3, None, 4), {"learning_rate": ["x0.5", "x2"]}),
            "forked    network 3 after epoch 8 into 9 (learning_rate 0.005), 10\n"
            "          (learning_rate 0.02): they race until epoch 12, and the best one goes\n"
            "          on\n",
        ),
        ("stop iris 3", ("stop", (3,), {}), "stopped   network 3 after epoch 8\n"),
        (
            "stop iris",
            ("stop", (None,), {}),
            "stopping  iris after epoch 8; its best network is kept\n",
        ),
        (
            "extend iris --trials 64 --epochs 1 --budget 5m",
            ("extend", (), {"trials": 64, "epochs": 1, "budget": "5m"}),
            "extended  iris: 64 further networks when the others are done, 1 epoch more for\n"
            "          those that train, 5 min from now on\n",
        ),
    ],
)
def test_an_act(deepwell: Any, live: FakeLive, line: str, asked: Any, told: str) -> None:
    done = deepwell(*line.split())
    assert (done.code, done.err) == (0, "")
    assert live.asked == [asked]
    assert done.out == told


def test_what_a_nudge_takes_the_place_of_is_told(
    deepwell: Any, live: FakeLive, monkeypatch
) -> None:
    told = {"epoch": 8, "changes": {"learning_rate": 0.005, "l2": 0}, "instead_of": {"l2": 0.01}}
    monkeypatch.setitem(DETAILS, "nudge", {"networks": {"3": told}})
    assert deepwell("nudge", "iris", "3", "l2=0").out == (
        "nudged    network 3 from epoch 9 on: learning_rate 0.005, l2 0 instead of 0.01\n"
    )
    others = {str(number): {"epoch": 8, "changes": {"l2": 0}} for number in range(4, 7)}
    monkeypatch.setitem(DETAILS, "nudge", {"epoch": 8, "networks": {"3": told, **others}})
    assert deepwell("nudge", "iris", "l2=0").out == (
        "nudged    4 networks from epoch 9 on: learning_rate, l2; in 1 of them instead of\n"
        "          what was to come then\n"
    )
    raced = {**DETAILS["fork"], "instead_of": [{"learning_rate": 0.02}, {}]}
    monkeypatch.setitem(DETAILS, "fork", raced)
    said = deepwell("fork", "iris", "3", "learning_rate=x0.5,x2").out
    assert "9 (learning_rate 0.005 instead of 0.02), 10 (learning_rate" in " ".join(said.split())


def test_a_space_is_narrowed(deepwell: Any, live: FakeLive) -> None:
    done = deepwell("narrow", "iris", "--space", "l2=log(1e-4,1)", "--search", "tpe")
    ((_, (space,), values),) = live.asked
    assert {name: d.describe() for name, d in space.items()} == {"l2": "log(0.0001, 1)"}
    assert values == {"constraints": (), "search": "tpe"}
    assert "all its networks are proposed already; deepwell extend iris" in done.out


def test_as_json(deepwell: Any, live: FakeLive) -> None:
    assert deepwell("stop", "iris", "3", "--json").json == {
        "name": "iris", "act": "stop", "trial": 3, "done": True, "epoch": 8, "runner": RUNNER,
        "details": {"networks": [3]},
    }  # fmt: skip


def test_what_waits_says_for_what(deepwell: Any, live: FakeLive) -> None:
    live.waits = True
    told = deepwell("nudge", "iris", "l2=0").out
    assert told.startswith("asked     the run of iris (process 7 on there) has the nudge before it")
    assert "deepwell show iris --follow tells when" in told.replace("\n          ", " ")
    live.runner = None  # type: ignore[assignment]
    assert deepwell("nudge", "iris", "l2=0", "--store", "here").out == (
        "waits     no run of iris is live: the nudge is done when it goes on\n"
        "next      deepwell resume iris --store here\n"
    )


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("nudge iris three l2=0", 'a whole number such as 3, got "three"'),
        ("nudge iris 3 l2", 'written as name=value, got "l2"'),
        ("nudge iris 3 l2=", 'written as name=value, got "l2="'),
        ("nudge iris 3 l2=0 l2=1", "`l2` is given twice"),
        ("rollback iris x", 'a whole number such as 3, got "x"'),
        ("rollback iris 3 --to 0", "`--to` must be"),
        ("fork iris 3 --into 1 l2=0", "`--into` must be"),
        ("stop iris 3 4", "give one network or none, got 3 4"),
        ("extend iris --trials 0", "`--trials` must be"),
    ],
)
def test_wrong_usage(deepwell: Any, live: FakeLive, line: str, words: str) -> None:
    refused = deepwell(*line.split())
    assert refused.code == 2
    assert words in refused.err
    assert live.asked == []


def test_what_the_library_refuses_is_wrong_usage(
    deepwell: Any, live: FakeLive, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> Answer:
        raise UsageError("network 3 is over")

    monkeypatch.setattr(live, "nudge", refuse, raising=False)
    refused = deepwell("nudge", "iris", "3", "l2=0")
    assert (refused.code, refused.err) == (2, "error: network 3 is over\n")


def test_resume_lets_a_paused_run_go_on(
    deepwell: Any, live: FakeLive, monkeypatch: pytest.MonkeyPatch
) -> None:
    def held(*_: Any, **__: Any) -> None:
        raise StudyError("study iris is being run by process 7 on there")

    monkeypatch.setattr("deepwell.study._resume.resume", held)
    assert deepwell("resume", "iris").out == "resumed   iris goes on after epoch 8\n"
    live.held = False
    refused = deepwell("resume", "iris")
    assert (refused.code, refused.err) == (
        1, "error: study iris is being run by process 7 on there\n"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("--trials 64 --budget 5m", "--trials, --budget; ask with deepwell extend iris"),
        ("--search grid --space l2=log(1e-4,1)", "--space, --search; ask with deepwell narrow"),
        ("--constraint l2<1", "without --constraint; ask with deepwell narrow iris --store here"),
        ("--epochs 9 --try l2=1", "extend iris --store here and give --try when it has ended"),
    ],
)
def test_resume_of_a_paused_run_drops_nothing_that_was_asked(
    options: str, says: str, deepwell: Any, live: FakeLive, monkeypatch: pytest.MonkeyPatch
) -> None:
    def held(*_: Any, **__: Any) -> None:
        raise StudyError("study iris is being run by process 7 on there")

    monkeypatch.setattr("deepwell.study._resume.resume", held)
    refused = deepwell("resume", "iris", "--store", "here", *options.split())
    assert refused.code == 2
    assert says in refused.err
    assert live.asked == []  # it stays paused


def sight(**parts: Any) -> Sight:
    whole: dict[str, Any] = {
        "study": "iris", "status": "running", "runner": RUNNER, "paused": False, "networks": 10,
        "training": 4, "epoch": 12, "epochs": 50, "last": 0.142, "cost": 0.3,
        "best": 0.123, "best_trial": 3,
        "metric": "error", "percent": True, "seconds": 2.0, "acts": (),
    }  # fmt: skip
    return Sight(**{**whole, **parts})


def test_a_run_is_watched(deepwell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    acts = (
        Event(1.0, "nudge", 3, DETAILS["nudge"]),
        Event(2.0, "race_won", 3, {"copies": [9, 10], "best": 10, "epoch": 12}),
        Event(3.0, "refuse", 3, {"kind": "fork", "why": "network 3 is over"}),
        Event(4.0, "narrow", None, {"request": 2, "after": 10, "epoch": 13, "to_come": 6}),
        Event(5.0, "narrow", None, {"after": 10}),  # as `resume` with another space records it
        Event(6.0, "pause_by_hand", None, {"request": 3, "epoch": 13}),
    )
    seen = [
        sight(best=None, last=None),
        sight(acts=acts, epoch=13),
        sight(paused=True),
        sight(status="finished", runner=None),
    ]
    monkeypatch.setattr(_follow, "follow", lambda name, store: iter(seen))
    assert deepwell("show", "iris", "--follow").out.splitlines() == [
        "training  epoch 12/50, 4 of 10 train, no score yet",
        "nudged    network 3 from epoch 9 on: learning_rate 0.005, l2 0",
        "race      of 9, 10 decided after epoch 12: network 10 goes on",
        "refused   fork: network 3 is over",
        "narrowed  iris: 6 networks still to be proposed by it",
        "narrowed  iris: it holds for the networks to come",
        "paused    iris after epoch 13; deepwell resume iris lets it go on",
        "training  epoch 13/50, 4 of 10 train, dev 14.2 %, best 12.3 % (network 3)",
        "paused    epoch 12/50, 4 of 10 train, dev 14.2 %, best 12.3 % (network 3)",
        "ended     iris is finished: best dev 12.3 % (network 3)",
        "next      deepwell show iris",
    ]
    assert {*_OF_EVENT, "race_won", "refuse"} == {*_follow._BY_HAND}
    lines = deepwell("show", "iris", "--follow", "--json").out.splitlines()
    assert len(lines) == 4
    assert '"kind": "race_won"' in lines[1]


def test_ctrl_c_leaves_the_run_alone(deepwell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def watched(name: str, store: str | None) -> Any:
        yield sight()
        raise KeyboardInterrupt

    monkeypatch.setattr(_follow, "follow", watched)
    told = deepwell("show", "iris", "--follow")
    assert told.code == 0
    assert told.out.endswith("left      it trains on (process 7 on there)\n")


def test_a_replay(deepwell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    told = Replay("iris", 3, 12, (Compared("curves of 12 epochs", 3, ()),), ())
    asked: list[Any] = []

    def replay(name: str, trial: int | None, store: str | None) -> Replay:
        asked.append((name, trial, store))
        return told

    monkeypatch.setattr(_replay, "replay", replay)
    done = deepwell("replay", "iris", "3")
    assert asked == [("iris", 3, None)]
    assert done.code == 0
    assert done.out.endswith(
        "          curves of 12 epochs: the same\nresult    the same, bit for bit\n"
    )
    told = Replay("iris", 3, 12, (Compared("saved model", 4, ("bias/0",)),), ())
    other = deepwell("replay", "iris")
    assert other.code == 1
    assert "saved model: 1 of 4 differ: bias/0" in other.out
    told = Replay("iris", 3, 12, told.compared, ("numpy 2.1 then, 2.2 now",))
    elsewhere = deepwell("replay", "iris", "--json")
    assert elsewhere.code == 0
    assert elsewhere.json["machine"] == ["numpy 2.1 then, 2.2 now"]
    assert not elsewhere.json["same"]
