"""The streams of the coordinate hash under dieharder, R. G. Brown's collection of random tests.

The rule, for the fixed parts of the streams that are read here:

- no p-value is FAILED (below 1e-6 or above 1 - 1e-6);
- what is WEAK (1 % of sound p-values are) is not WEAK again on other words with three times the
  samples, ten at least;
- no stream has more WEAK p-values than sound words have in all but one of 10,000 streams.

Left out are the tests that dieharder itself calls suspect or not to be used (opso, oqso, dna,
sums). All streams together get 30 minutes, each its share, the fastest tests first; what a slow or
busy machine does not reach by then is skipped and said.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hash_streams import STREAMS
from scipy import stats

pytestmark = pytest.mark.slow

DIEHARDER = shutil.which("dieharder")
SECONDS = 30 * 60.0
STREAM = Path(__file__).with_name("hash_streams.py")
SUSPECT = 0.01  # share of sound p-values that dieharder calls WEAK

# Number of a test -> its sizes of tuples; None where it has none or runs them all. The fastest come
# first.
SIZES: dict[int, tuple[int | None, ...]] = {
    **dict.fromkeys((100, 15, 11, 8, 206, 204, 10), (None,)),
    202: (3, 5),
    **dict.fromkeys((0, 4, 12, 208, 209, 205), (None,)),
    200: (1, 4, 6),
    **dict.fromkeys((9, 207, 3), (None,)),
    201: (2, 5),
    **dict.fromkeys((101, 13, 16, 102, 1), (None,)),
    203: (1, 5),
    **dict.fromkeys((2, 17), (None,)),
}
# The slowest tests run with fewer than their 100 samples.
SAMPLES = {2: 25, 17: 10}
ONE_SAMPLE = (205, 206, 207, 208, 209)


COUNTING = """
import sys
import numpy as np
for first in range(0, 1 << 32, 1 << 20):
    sys.stdout.buffer.write(np.arange(first, first + (1 << 20), dtype=np.uint32).data)
"""


@dataclass(frozen=True)
class Verdict:
    """One p-value of dieharder: of which test, and PASSED, WEAK or FAILED."""

    number: int
    size: int | None
    name: str
    p: float
    assessment: str


class OutOfTimeError(Exception):
    """The 30 minutes are over."""


def judged(
    stream: str, start: int, test: tuple[int, int | None], samples: int | None, deadline: float
) -> list[Verdict]:
    """Return what one test of dieharder says of a stream."""
    number, size = test
    options = ["-g", "200", "-d", str(number)]
    options += [] if size is None else ["-n", str(size)]
    options += [] if samples is None else ["-p", str(samples)]
    for column in ("test_name", "ntuple", "tsamples", "psamples", "pvalues", "assessment"):
        options += ["-D", column]
    source = subprocess.Popen(
        [sys.executable, str(STREAM), stream, str(start)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert source.stdout is not None
    reader = subprocess.Popen(
        [str(DIEHARDER), *options],
        stdin=source.stdout, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    source.stdout.close()  # so that the source ends when the reader does
    try:
        told, _ = reader.communicate(timeout=max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise OutOfTimeError from None
    finally:
        reader.kill()
        reader.communicate()
        source.kill()
        source.communicate()
    rows = [[cell.strip() for cell in line.split("|")] for line in told.splitlines()]
    verdicts = [Verdict(number, size, f"{r[0]} {r[1]}", float(r[4]), r[5]) for r in rows]
    assert verdicts, f"dieharder said nothing of test {number}"
    return verdicts


def battery(stream: str, deadline: float) -> Iterator[Verdict]:
    """Yield all first verdicts about a stream; every test reads another part of it."""
    for number, sizes in SIZES.items():
        for size in sizes:
            start = number * 40 + (size or 0) + 1
            yield from judged(stream, start, (number, size), SAMPLES.get(number), deadline)


def again(stream: str, weak: Verdict, deadline: float) -> list[Verdict]:
    """Return the verdicts of the same test on other words, with three times the samples."""
    usual = 1 if weak.number in ONE_SAMPLE else SAMPLES.get(weak.number, 100)
    start = 100_000 + weak.number * 40 + (weak.size or 0)
    more = judged(stream, start, (weak.number, weak.size), max(10, 3 * usual), deadline)
    return [v for v in more if v.name == weak.name]


@pytest.fixture(scope="module")
def end() -> float:
    return time.monotonic() + SECONDS


@pytest.mark.skipif(DIEHARDER is None, reason="dieharder is not installed: apt install dieharder")
@pytest.mark.parametrize("stream", STREAMS)
def test_dieharder_finds_nothing(stream: str, end: float) -> None:
    now, streams_left = time.monotonic(), len(STREAMS) - list(STREAMS).index(stream)
    deadline = now + (end - now) / streams_left  # each gets its share of the time that is left
    verdicts: list[Verdict] = []
    retested: list[Verdict] = []
    out_of_time = False
    try:
        for verdict in battery(stream, deadline):
            verdicts.append(verdict)
            assert verdict.assessment in ("PASSED", "WEAK"), verdict
        weak = [v for v in verdicts if v.assessment == "WEAK"]
        for verdict in weak:
            retested += again(stream, verdict, deadline)
    except OutOfTimeError:
        out_of_time = True
    weak = [v for v in verdicts if v.assessment == "WEAK"]
    assert stats.binom.sf(len(weak) - 1, len(verdicts), SUSPECT) > 1e-4, weak
    assert all(v.assessment == "PASSED" for v in retested), retested
    if out_of_time:
        pytest.skip(
            f"its share of 30 minutes was over after {len(verdicts)} p-values, all in order"
        )


@pytest.mark.skipif(DIEHARDER is None, reason="dieharder is not installed: apt install dieharder")
def test_dieharder_refuses_words_that_are_no_hash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pipe carries what is judged: the numbers from 0 on fail at once."""
    counting = tmp_path / "counting.py"
    counting.write_text(COUNTING)
    monkeypatch.setattr(sys.modules[__name__], "STREAM", counting)
    (verdict,) = judged("counting", 1, (100, None), None, time.monotonic() + 60)
    assert verdict.assessment == "FAILED"
