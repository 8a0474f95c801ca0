"""B1, digits: networks a second on a small table, by every tool."""

from __future__ import annotations

from . import tables
from .benchmark import Benchmark, Case, Series, Target

_SPACE = (
    "learning_rate=log(1e-4,1)",
    "beta1=one_minus_log(0.9,0.999)",
    "hidden_layers=integer(1,3)",
    "hidden_units=integer(32,128)",
    "l2=log(1e-6,1e-1)",
)

DIGITS = Case(
    name="digits",
    title="digits, 1 to 3 layers of 32 to 128 units, dropout 0 to 0.5, 30 epochs of batches of 64",
    table=tables.digits,
    target="label",
    space=(*_SPACE, "dropout=uniform(0,0.5)"),
    epochs=30,
    batch_size=64,
)
NO_DROPOUT = Case(
    name="digits-no-dropout",
    title="the same without dropout, for tools that have none",
    table=tables.digits,
    target="label",
    space=_SPACE,
    epochs=30,
    batch_size=64,
)

_USUAL = (
    Series("digits", "optuna", 64, 3),
    Series("digits", "fit-native", 64, 5),
    Series("digits", "fit-native", 256, 5),
    Series("digits", "optuna", 256, 5),
    Series("digits", "engine-native", 256, 5),
    Series("digits", "fit-jax", 256, 3),
    Series("digits", "fit-jax-warm", 256, 3),
    Series("digits", "engine-jax", 256, 5),
    Series("digits", "fit-native", 1024, 5),
    Series("digits", "engine-native", 1024, 3),
    Series("digits", "fit-jax", 1024, 3),
    Series("digits-no-dropout", "fit-native", 64, 5),
    Series("digits-no-dropout", "engine-native", 256, 5),
    Series("digits-no-dropout", "sklearn", 64, 5),
    Series("digits-no-dropout", "sklearn", 256, 1),
    Series("digits", "ray", 32, 3),
    Series("digits", "ray", 64, 1),
    Series("digits", "keras-tuner", 16, 2),
    Series("digits", "torch-vmap", 64, 3),
    Series("digits", "jax-single", 32, 3),
    Series("digits", "optuna", 1024, 5),
    Series("digits", "fit-native", 4096, 5),
    Series("digits", "fit-jax", 64, 1, last=True),
    Series("digits", "fit-jax", 4096, 1, last=True),
    Series("digits", "optuna", 4096, 1, minutes=20, last=True),
)

B1 = Benchmark(
    name="b1",
    title="B1, throughput on digits",
    cases=(DIGITS, NO_DROPOUT),
    series=_USUAL,
    targets=(
        Target("Optuna + PyTorch, cold", "digits", "fit-native", "optuna", 256, "cold", 8),
        Target("Optuna + PyTorch, cold", "digits", "fit-native", "optuna", 1024, "cold", 10),
        Target("Optuna + PyTorch, cold", "digits", "fit-native", "optuna", 4096, "cold", 10),
        Target("Optuna + PyTorch, steady", "digits", "engine-native", "optuna", 256, "steady", 10),
        Target(
            "scikit-learn, no dropout, cold",
            "digits-no-dropout",
            "fit-native",
            "sklearn",
            64,
            "cold",
            7,
        ),
        Target(
            "scikit-learn, no dropout, steady",
            "digits-no-dropout",
            "engine-native",
            "sklearn",
            256,
            "steady",
            7,
            peer_networks=64,
        ),
        Target("Ray Tune, steady", "digits", "engine-native", "ray", 256, "steady", 25, 32),
        Target(
            "KerasTuner, steady", "digits", "engine-native", "keras-tuner", 256, "steady", 100, 16
        ),
        Target(
            "plain JAX, steady", "digits", "engine-native", "jax-single", 256, "steady", 1.5, 32
        ),
        Target(
            "`torch.func`, steady", "digits", "engine-native", "torch-vmap", 256, "steady", 1, 64
        ),
        Target("JAX program: Optuna, steady", "digits", "engine-jax", "optuna", 256, "steady", 6),
        Target("JAX program: Optuna, cold", "digits", "fit-jax", "optuna", 1024, "cold", 3.5),
    ),
    checks=("programs", "divergence", "divergence-jax"),
    minutes=80,
)
