"""Checks of ourselves that a benchmark makes once: our programs agree, divergence costs nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from typing import Any

import numpy as np

from deepwell.records import TrialSpec

from .agreement import agreement
from .measure import engine
from .workload import Workload

_NETWORKS, _SEEDS = 200, 4
_HEALTHY, _DIVERGING, _REPEATS = 256, 64, 5
_HOPELESS = 1e30  # learning rate of a member that diverges in its first epoch
SLOWER = 1.05  # healthy members may take this much longer beside diverging ones
_NOISE = 3.0


def programs(workload: Workload, networks: int = _NETWORKS) -> dict[str, Any]:
    """Return whether the native and the JAX program train the same networks.

    Both get the same configurations, seeds and order, so their draws are the same and only
    rounding differs; other seeds of the native program give the seed noise to hold that against.
    """
    specs = workload.specs(networks)
    scores = engine(workload, workload.repeated(networks, 1 + _SEEDS), "native")["scores"]
    native, *ours = np.array(scores).reshape(1 + _SEEDS, networks)
    jax = np.array(engine(workload, specs, "jax")["scores"])
    noise = np.std(ours, axis=0, ddof=1)
    told = agreement(np.array(ours), jax[None])
    apart = np.abs(jax - native)
    beyond = float(np.mean(apart > _NOISE * noise + 0.01))
    return {
        "networks": networks,
        "mean_native": float(native.mean()),
        "mean_jax": float(jax.mean()),
        "median_apart": float(np.median(apart)),
        "mean_apart": float(apart.mean()),
        "mean_seed_noise": float(noise.mean()),
        "beyond_noise": beyond,
        "agreement": asdict(told),
        "passes": bool(told.passes and beyond <= 0.05),
    }


def divergence(
    workload: Workload,
    healthy: int = _HEALTHY,
    diverging: int = _DIVERGING,
    repeats: int = _REPEATS,
    program: str = "native",
) -> dict[str, Any]:
    """Return how much longer healthy members take when others diverge beside them at once."""
    alone = {n: _calm(spec) for n, spec in workload.specs(healthy).items()}
    mixed = {**alone, **{healthy + n: _hopeless(alone[n]) for n in range(diverging)}}
    seconds: dict[str, list[float]] = {"alone": [], "beside": []}
    for _ in range(repeats):
        for name, specs in (("alone", alone), ("beside", mixed)):
            told = engine(workload, specs, program)
            seconds[name].append(told["facts"]["core_seconds"])
            scores = told["scores"]
    diverged = sum(score == 1.0 for score in scores[healthy:])
    ratio = float(np.median(seconds["beside"]) / np.median(seconds["alone"]))
    return {
        "healthy": healthy,
        "diverging": diverging,
        "diverged": diverged,
        "core_seconds": seconds,
        "ratio": ratio,
        "passes": diverged == diverging and ratio <= SLOWER,
    }


def _calm(spec: TrialSpec) -> TrialSpec:
    """Return the configuration with a learning rate that surely does not diverge."""
    return replace(spec, hyperparameters={**spec.hyperparameters, "learning_rate": 1e-3})


def _hopeless(spec: TrialSpec) -> TrialSpec:
    return replace(spec, hyperparameters={**spec.hyperparameters, "learning_rate": _HOPELESS})


CHECKS: dict[str, Callable[[Workload], dict[str, Any]]] = {
    "programs": programs,
    "divergence": divergence,
    "divergence-jax": partial(divergence, repeats=3, program="jax"),
}
