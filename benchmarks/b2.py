"""B2, fashion: networks a second on images, wide layers and larger batches."""

from __future__ import annotations

from . import tables
from .benchmark import Benchmark, Case, Series, Target

_SPACE = ("learning_rate=log(1e-4,1e-1)", "hidden_layers=2", "hidden_units=128")
_OPTIONS = {"dev": "5000", "test": "0"}

FASHION = Case(
    name="fashion",
    title="Fashion-MNIST, 20,000 rows, 784-128-128-10, dropout 0 to 0.5, 5 epochs, batches of 128",
    table=tables.fashion,
    target="y",
    space=(*_SPACE, "dropout=uniform(0,0.5)"),
    epochs=5,
    batch_size=128,
    options=_OPTIONS,
)
NO_DROPOUT = Case(
    name="fashion-no-dropout",
    title="the same without dropout, for tools that have none",
    table=tables.fashion,
    target="y",
    space=_SPACE,
    epochs=5,
    batch_size=128,
    options=_OPTIONS,
)

B2 = Benchmark(
    name="b2",
    title="B2, throughput on Fashion-MNIST",
    cases=(FASHION, NO_DROPOUT),
    series=(
        Series("fashion", "fit-native", 16, 5),
        Series("fashion", "optuna", 16, 3),
        Series("fashion", "fit-native", 64, 5),
        Series("fashion", "engine-native", 64, 5),
        Series("fashion", "optuna", 64, 5),
        Series("fashion", "fit-jax", 64, 2),
        Series("fashion", "engine-jax", 64, 3),
        Series("fashion", "torch-vmap", 16, 2),
        Series("fashion", "jax-single", 16, 2),
        Series("fashion", "ray", 16, 2),
        Series("fashion", "keras-tuner", 16, 1),
        Series("fashion-no-dropout", "engine-native", 64, 3),
        Series("fashion-no-dropout", "sklearn", 16, 2),
    ),
    targets=(
        Target("Optuna + PyTorch, cold", "fashion", "fit-native", "optuna", 16, "cold", 4),
        Target("Optuna + PyTorch, cold", "fashion", "fit-native", "optuna", 64, "cold", 4),
        Target("Optuna + PyTorch, steady", "fashion", "engine-native", "optuna", 64, "steady", 4),
        Target("plain JAX, steady", "fashion", "engine-native", "jax-single", 64, "steady", 1, 16),
        Target(
            "`torch.func`, steady", "fashion", "engine-native", "torch-vmap", 64, "steady", 1, 16
        ),
        Target("Ray Tune, steady", "fashion", "engine-native", "ray", 64, "steady", 4, 16),
        Target(
            "KerasTuner, steady", "fashion", "engine-native", "keras-tuner", 64, "steady", 4, 16
        ),
        Target(
            "scikit-learn, no dropout, steady",
            "fashion-no-dropout",
            "engine-native",
            "sklearn",
            64,
            "steady",
            4,
            16,
        ),
        Target("JAX program: Optuna, steady", "fashion", "engine-jax", "optuna", 64, "steady", 1),
    ),
    checks=(),
    minutes=15,
)
