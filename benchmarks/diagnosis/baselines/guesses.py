"""Guesses that look at nothing."""

from __future__ import annotations

from benchmarks.diagnosis.diagnosed import Measured


def always(run: Measured) -> tuple[bool, tuple[str, ...]]:
    """Alarm, and claim nothing."""
    return True, ()


def never(run: Measured) -> tuple[bool, tuple[str, ...]]:
    """Be silent."""
    return False, ()


def constant(run: Measured) -> tuple[bool, tuple[str, ...]]:
    """Say activation and learning rate of every run: the best constant answer of DeepFD's set."""
    return True, ("rate too high", "gradients vanish")
