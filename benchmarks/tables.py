"""The data of the benchmarks, written as a user would have them."""

from __future__ import annotations

import functools
import gzip
from pathlib import Path

import numpy as np

FASHION = Path("/usr/share/datasets/fashion-mnist")
FASHION_ROWS = 25_000  # 20,000 to train on and 5,000 for dev
ROWS, FEATURES = 50_000, 16
_DRAWS = 4_000_000


class MissingDataError(Exception):
    """A data set that this machine does not have."""


def digits(folder: Path) -> Path:
    """Write scikit-learn's digits as CSV: 1,797 rows, 64 pixels, 10 classes."""
    return _sample("digits", folder)


def breast_cancer(folder: Path) -> Path:
    """Write scikit-learn's breast cancer data as CSV: 569 rows, 30 features, 2 classes."""
    return _sample("breast-cancer", folder)


def fashion(folder: Path) -> Path:
    """Write the first 25,000 train images of Fashion-MNIST as NPZ, `X` (n, 784) and `y`.

    Raises:
        MissingDataError: when the package with the images is not installed.
    """
    images, labels = (FASHION / f"train-{n}-ubyte.gz" for n in ("images-idx3", "labels-idx1"))
    if not images.exists() or not labels.exists():
        raise MissingDataError(
            "B2 needs Fashion-MNIST; on Debian: apt-get install dataset-fashion-mnist"
        )
    file = folder / "fashion.npz"
    x = idx(gzip.decompress(images.read_bytes()))[:FASHION_ROWS].reshape(FASHION_ROWS, -1)
    np.savez(file, X=x, y=idx(gzip.decompress(labels.read_bytes()))[:FASHION_ROWS])
    return file


def waves(folder: Path) -> Path:
    """Write the generated table as Parquet: 50,000 rows, 16 features, 2 classes.

    x ~ N(0, I_16) and P(y = 1 | x) = 1 / (1 + e^-f(x)), see `log_odds`.
    """
    import polars as pl

    generator = np.random.default_rng(20)
    x = generator.standard_normal((ROWS, FEATURES)).astype(np.float32)
    y = generator.random(ROWS) < _probability(x)
    columns = {f"x{i}": x[:, i] for i in range(FEATURES)}
    file = folder / "waves.parquet"
    pl.DataFrame({**columns, "label": y.astype(np.int64)}).write_parquet(file)
    return file


def log_odds(x: np.ndarray) -> np.ndarray:
    """Return f(x) = 4 sin(2 x0) + 3 x1 x2 + 2 |x3| - 1.6 + x4, (n,); 11 features say nothing."""
    return 4 * np.sin(2 * x[:, 0]) + 3 * x[:, 1] * x[:, 2] + 2 * np.abs(x[:, 3]) - 1.6 + x[:, 4]


@functools.cache
def waves_best_error() -> float:
    """Return the error of the best possible rule, E[min(p, 1 - p)], by 4 million draws of x."""
    x = np.random.default_rng(21).standard_normal((_DRAWS, 5))
    p = _probability(x)
    return float(np.minimum(p, 1 - p).mean())


def idx(content: bytes) -> np.ndarray:
    """Return the array in an IDX file of bytes: two zeros, type 8, dimensions, their sizes.

    Raises:
        ValueError: when it is not such a file.
    """
    dimensions = content[3] if len(content) > 3 else 0
    start = 4 + 4 * dimensions
    if content[:3] != b"\0\0\x08" or len(content) < start:
        raise ValueError("an IDX file of unsigned bytes was expected")
    shape = np.frombuffer(content[4:start], ">u4").astype(int)
    return np.frombuffer(content[start:], np.uint8).reshape(shape)


def _probability(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-log_odds(x)))


def _sample(name: str, folder: Path) -> Path:
    from deepwell.data._samples import write_sample

    file = folder / f"{name}.csv"
    write_sample(name, file)
    return file
