"""Convolutional networks on Fashion-MNIST: networks a second, ours and those of the peers.

    python -m benchmarks.convolutions [--rounds 5]

5,000 train and 1,000 dev images of 28 x 28; 4 networks of 8 and 16 channels (3 x 3, max pooling of
2 x 2), 64 dense units and 10 classes, with Adam, batches of 128 and 3 epochs. Start-up and
compiling do not count. Peers train one network after another in one pinned process a core. Rounds
take the tools in turn, so that a change of the machine's speed meets all of them.
"""

from __future__ import annotations

import argparse
import gzip
import json
import statistics
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from deepwell.records import TrialSpec

from .tables import FASHION, MissingDataError, idx
from .tools import PEERS, ROOT, module_command, read_outcome

WORK = ROOT / "build" / "benchmarks" / "convolutions"
TRAIN, DEV, IMAGE = 5_000, 1_000, (28, 28, 1)
CHANNELS, HIDDEN, BATCH, EPOCHS = (8, 16), (64,), 128, 3
RATES = (0.002, 0.001, 0.0015, 0.0007)
NAMES = {
    "ours": "Deepwell, JAX program",
    "convolutions_jax.py": "plain JAX, lax.conv",
    "convolutions_torch.py": "PyTorch",
}


def write_job(folder: Path) -> None:
    """Write rows and networks as every tool reads them.

    Raises:
        MissingDataError: when the package with the images is not installed.
    """
    images, labels = (FASHION / f"train-{n}-ubyte.gz" for n in ("images-idx3", "labels-idx1"))
    if not images.exists() or not labels.exists():
        raise MissingDataError(
            "this needs Fashion-MNIST; on Debian: apt-get install dataset-fashion-mnist"
        )
    x = idx(gzip.decompress(images.read_bytes()))[: TRAIN + DEV].reshape(TRAIN + DEV, -1)
    y = idx(gzip.decompress(labels.read_bytes()))[: TRAIN + DEV].astype(np.int64)
    scaled = ((x - x[:TRAIN].mean()) / x[:TRAIN].std()).astype(np.float32)
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(
        folder / "data.npz",
        x_train=scaled[:TRAIN],
        y_train=y[:TRAIN],
        x_dev=scaled[TRAIN:],
        y_dev=y[TRAIN:],
    )
    shape = {"image": IMAGE, "channels": CHANNELS, "hidden": HIDDEN}
    job = {
        "configurations": [{"learning_rate": rate, **shape} for rate in RATES],
        "specs": [_spec(rate, seed).to_json() for seed, rate in enumerate(RATES)],
        "epochs": EPOCHS,
        "batch_size": BATCH,
        "inputs": x.shape[1],
        "outputs": 10,
        "loss": "softmax",
        "image": IMAGE,
        "workers": 2,
        "seed": 0,
    }
    (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")


def _spec(rate: float, seed: int) -> TrialSpec:
    values = {
        "learning_rate": rate,
        "conv_channels": CHANNELS,
        "hidden_units": HIDDEN,
        "optimizer": "adam",
        "batch_size": BATCH,
        "epochs": EPOCHS,
        "patience": 0,
    }
    return TrialSpec(values, seed=seed)


def measure(tool: str, folder: Path) -> tuple[float, float]:
    """Return networks a second and the median dev error of a tool."""
    command = [str(PEERS), str(ROOT / "benchmarks" / "peers" / tool), str(folder)]
    if tool == "ours":
        command = module_command("benchmarks.ours.engine", folder, "jax")
    subprocess.run(command, check=True, cwd=ROOT)
    outcome = read_outcome(folder)
    return outcome["steady_rate"], statistics.median(outcome["scores"])


def table(rounds: int, folder: Path) -> dict[str, Sequence[tuple[float, float]]]:
    """Return tool -> rate and dev error of every round."""
    write_job(folder)
    found: dict[str, list[tuple[float, float]]] = {tool: [] for tool in NAMES}
    for _ in range(rounds):
        for tool, values in found.items():
            values.append(measure(tool, folder))
    return found


def main() -> int:
    """Print medians, and ours over each peer's of the same round."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.convolutions", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    found = table(parser.parse_args().rounds, WORK)
    print(f"{'':<24}  networks a second  dev error  ours over it")
    for tool, values in found.items():
        rates = [rate for rate, _ in values]
        times = statistics.median(
            ours / rate for (ours, _), rate in zip(found["ours"], rates, strict=True)
        )
        error = statistics.median(error for _, error in values)
        rate = statistics.median(rates)
        print(f"{NAMES[tool]:<24}  {rate:>17.3f}  {100 * error:>7.1f} %  {times:>12.2f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
