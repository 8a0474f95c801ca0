from __future__ import annotations

import threading

import pytest

from deepwell.study._baselines import PendingBaselines


def test_baselines_are_told_once_and_by_who_asks():
    told = []
    pending = PendingBaselines(
        lambda: ("simple",), lambda f: told.append((f, threading.get_ident()))
    )
    assert pending.wait() == ("simple",)
    pending.tell_if_ready()
    assert pending.wait() == ("simple",)
    assert told == [(("simple",), threading.get_ident())]


def test_nothing_is_told_before_they_are_fitted():
    go, told = threading.Event(), []

    def fit():
        go.wait(10)
        return ()

    pending = PendingBaselines(fit, told.append)
    pending.tell_if_ready()
    pending.begin()
    pending.tell_if_ready()
    assert told == []
    go.set()
    pending.wait()
    assert told == [()]


def test_what_fitting_raises_reaches_who_asks():
    def fit():
        raise RuntimeError("no luck")

    pending = PendingBaselines(fit, lambda fitted: None)
    with pytest.raises(RuntimeError, match="no luck"):
        pending.wait()
