"""B3, small tables: breast cancer, and a generated one whose best possible error is known."""

from __future__ import annotations

from . import tables
from .benchmark import Benchmark, Case, Series, Target

_SPACE = (
    "learning_rate=log(1e-4,1)",
    "hidden_layers=integer(1,2)",
    "hidden_units=integer(8,64)",
    "l2=log(1e-6,1e-1)",
)
_BATCHES = (64, 256)


def _cancer(batch: int) -> Case:
    return Case(
        name=f"cancer-{batch}",
        title=f"breast cancer, 569 x 30, 30 epochs of batches of {batch}",
        table=tables.breast_cancer,
        target="label",
        space=_SPACE,
        epochs=30,
        batch_size=batch,
    )


def _waves(batch: int) -> Case:
    return Case(
        name=f"waves-{batch}",
        title=f"generated table, 50,000 x 16, 10 epochs of batches of {batch}",
        table=tables.waves,
        target="label",
        space=_SPACE,
        epochs=10,
        batch_size=batch,
        facts=lambda: {"best_error": tables.waves_best_error()},
    )


def _series(case: str, networks: int, slow: int) -> tuple[Series, ...]:
    return (
        Series(case, "fit-native", networks, 5),
        Series(case, "optuna", networks, 3),
        Series(case, "engine-native", networks, 5),
        Series(case, "sklearn", slow, 2),
    )


_CANCER = tuple(s for batch in _BATCHES for s in _series(f"cancer-{batch}", 256, 64))
_GENERATED = tuple(s for batch in _BATCHES for s in _series(f"waves-{batch}", 32, 16))
_OTHERS = (
    Series("cancer-64", "engine-jax", 256, 3),
    Series("cancer-64", "fit-jax", 256, 2),
    Series("cancer-64", "torch-vmap", 64, 2),
    Series("cancer-64", "jax-single", 32, 1),
    Series("cancer-64", "ray", 32, 1),
    Series("cancer-64", "keras-tuner", 16, 1),
    Series("waves-256", "fit-native", 256, 3),
)


def _targets(case: str, networks: int, slow: int) -> tuple[Target, ...]:
    return (
        Target("Optuna + PyTorch, cold", case, "fit-native", "optuna", networks, "cold", 20),
        Target("Optuna + PyTorch, steady", case, "engine-native", "optuna", networks, "steady", 20),
        Target(
            "scikit-learn, steady", case, "engine-native", "sklearn", networks, "steady", 7, slow
        ),
    )


B3 = Benchmark(
    name="b3",
    title="B3, throughput on small tables",
    cases=(*map(_cancer, _BATCHES), *map(_waves, _BATCHES)),
    series=(*_CANCER, *_GENERATED, *_OTHERS),
    targets=(
        *(t for batch in _BATCHES for t in _targets(f"cancer-{batch}", 256, 64)),
        *(t for batch in _BATCHES for t in _targets(f"waves-{batch}", 32, 16)),
    ),
    checks=(),
    minutes=12,
)
