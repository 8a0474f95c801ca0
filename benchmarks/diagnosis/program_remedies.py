"""The fixed menu of remedies for programs: each part as it should be, and what helps in general."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from .program import adam, as_it_is, he, relu_network
from .program_case import ProgramCase

Remedy = Callable[[ProgramCase, ProgramCase], ProgramCase]


def _parts(**parts: object) -> Remedy:
    def mended(case: ProgramCase, healthy: ProgramCase) -> ProgramCase:
        return replace(case, program=replace(case.program, **parts))  # type: ignore[arg-type]

    return mended


def _network(case: ProgramCase, healthy: ProgramCase) -> ProgramCase:
    return _parts(forward=relu_network, predict=relu_network)(case, healthy)


def _loss(case: ProgramCase, healthy: ProgramCase) -> ProgramCase:
    return _parts(loss=healthy.program.loss)(case, healthy)


def _update(case: ProgramCase, healthy: ProgramCase) -> ProgramCase:
    return _parts(update=healthy.program.update)(case, healthy)


def _normalize(case: ProgramCase, healthy: ProgramCase) -> ProgramCase:
    """Normalize all inputs by the train rows."""
    mean, spread = case.rows["x"].mean(axis=0), case.rows["x"].std(axis=0)
    spread = spread + (spread == 0)
    return case.with_rows(**{n: (v - mean) / spread for n, v in case.rows.items() if n[0] == "x"})


def _rate(factor: float) -> Remedy:
    def mended(case: ProgramCase, healthy: ProgramCase) -> ProgramCase:
        return replace(case, rate=case.rate * factor)

    return mended


def _adam(case: ProgramCase, healthy: ProgramCase) -> ProgramCase:
    return replace(_parts(update=adam)(case, healthy), rate=0.003)


def _longer(case: ProgramCase, healthy: ProgramCase) -> ProgramCase:
    return _parts(epochs=min(300, 4 * case.program.epochs))(case, healthy)


MENU: Mapping[str, Remedy] = {
    "init": _parts(init=he),
    "network": _network,
    "predict": _parts(predict=relu_network),
    "loss": _loss,
    "gradient": _network,
    "update": _update,
    "augment": _parts(augment=as_it_is),
    "keep best": _parts(keeps_best=True),
    "normalize": _normalize,
    "rate x 10": _rate(10.0),
    "rate / 10": _rate(0.1),
    "Adam": _adam,
    "longer": _longer,
}
"""Name -> (faulty case, healthy case) -> case with the remedy."""
