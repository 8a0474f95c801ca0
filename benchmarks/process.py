"""Run one tool as its own process: wall time, memory of all its processes, and how it ended."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_SAMPLE_SECONDS = 0.2
_TAIL = 2_000


@dataclass(frozen=True)
class Ran:
    """How a process went.

    Attributes:
        seconds: wall time from start to exit.
        peak_bytes: largest sum of the resident sizes of the process and its children, sampled 5
            times a second (pages that processes share count in each); None where the system does
            not tell or nobody watched.
        status: `ok`, `crashed`, `timeout`, or `ended` when what was waited for had come.
        tail: the last 2,000 characters that it wrote.
    """

    seconds: float
    peak_bytes: int | None
    status: str
    tail: str


def run(
    command: Sequence[str],
    folder: Path,
    timeout: float,
    environment: Mapping[str, str],
    until: Callable[[], bool] | None = None,
    watch: bool = True,
) -> Ran:
    """Run a command in a folder, its output in `output.txt` there.

    Args:
        command: program and arguments.
        folder: where it runs.
        timeout: seconds after which it is ended.
        environment: variables beside those of this process.
        until: asked several times a second; the process is ended when it says yes.
        watch: whether its memory is sampled, which is work beside it.
    """
    output = folder / "output.txt"
    with output.open("wb") as sink:
        began = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        watching = _Watch(process.pid) if watch else None
        try:
            code = _wait(process, timeout, until)
            seconds = time.perf_counter() - began
            status = "ended" if code is None else "ok" if code == 0 else "crashed"
        except subprocess.TimeoutExpired:
            seconds, status = time.perf_counter() - began, "timeout"
        finally:
            peak = watching.stop() if watching else None
            _end(process)
    tail = output.read_bytes()[-_TAIL:].decode("utf-8", errors="replace")
    return Ran(seconds, peak, status, tail)


def family(pid: int) -> list[int]:
    """Return a process and all that descend from it, as far as the system tells."""
    found, waiting = [], [pid]
    while waiting:
        one = waiting.pop()
        found.append(one)
        try:
            children = Path(f"/proc/{one}/task/{one}/children").read_text(encoding="ascii")
        except OSError:
            continue
        waiting += [int(child) for child in children.split()]
    return found


def resident_bytes(pids: Sequence[int]) -> int:
    """Return the sum of the resident sizes of processes; those that are gone count 0."""
    total = 0
    for pid in pids:
        try:
            pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
        except (OSError, IndexError):
            continue
        total += int(pages)
    return total * os.sysconf("SC_PAGE_SIZE")


def _wait(
    process: subprocess.Popen[bytes], timeout: float, until: Callable[[], bool] | None
) -> int | None:
    """Return the exit code, or None when what was waited for came first."""
    if until is None:
        return process.wait(timeout)
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(_SAMPLE_SECONDS)
        if until():
            return None
    raise subprocess.TimeoutExpired(process.args, timeout)


class _Watch:
    """Samples the memory of a process and its children until it is stopped."""

    def __init__(self, pid: int) -> None:
        self._pid, self._peak = pid, 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def stop(self) -> int | None:
        self._over.set()
        self._thread.join()
        return self._peak or None

    def _look(self) -> None:
        while not self._over.is_set():
            self._peak = max(self._peak, resident_bytes(family(self._pid)))
            self._over.wait(_SAMPLE_SECONDS)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End what is left of a process and its children."""
    if process.poll() is None:
        for pid in family(process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)  # of its session, such as workers left behind
    process.wait()
