"""A benchmark is measured, resumed, judged and told; the docs hold the committed results."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from benchmarks import machine, process
from benchmarks.__main__ import BENCHMARKS, PAGE, RESULTS, header, main, trouble
from benchmarks.benchmark import Benchmark, Series, Target
from benchmarks.checks import divergence
from benchmarks.page import page, read_results, section
from benchmarks.process import run
from benchmarks.results import OtherRunError, OutOfTimeError, Results
from benchmarks.schedule import run_benchmark
from benchmarks.tools import TOOLS
from benchmarks.workload import Workload


def _benchmark(tiny: Workload) -> Benchmark:
    name = tiny.case.name
    return Benchmark(
        "b0",
        "B0, tiny",
        (tiny.case,),
        (Series(name, "engine-native", 8, 2), Series(name, "fit-native", 8, 1)),
        (Target("itself", name, "engine-native", "engine-native", 8, "steady", 1),),
        (),
        1,
    )


def test_the_page_is_the_one_of_the_committed_results() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(read_results(RESULTS), BENCHMARKS), (
        "docs/benchmarks.md is not up to date: run `make bench-page`"
    )


def test_every_series_names_a_case_and_a_tool() -> None:
    for benchmark in BENCHMARKS:
        sizes = {(s.case, s.tool, s.networks) for s in benchmark.series}
        assert len(sizes) == len(benchmark.series)
        for series in benchmark.series:
            benchmark.case(series.case)
            assert series.tool in TOOLS
        for t in benchmark.targets:
            assert (t.case, t.tool, t.networks) in sizes, t
            assert (t.case, t.peer, t.peer_networks or t.networks) in sizes, t


def test_a_run_is_kept_resumed_and_told(tiny: Workload, tmp_path: Path) -> None:
    benchmark, file = _benchmark(tiny), tmp_path / "b0.json"
    told = header(benchmark)
    with pytest.raises(OutOfTimeError):
        run_benchmark(benchmark, Results(file, told, False), tmp_path, time.monotonic() - 1)
    results = Results(file, told, False)
    run_benchmark(benchmark, results, tmp_path, time.monotonic() + 600)
    kept = json.loads(file.read_text())
    assert len(kept["cells"]) == 3
    assert all(cell["status"] == "ok" for cell in kept["cells"].values())
    assert all(gate["passes"] for gate in kept["gates"].values())
    assert not trouble(results)
    # A second call measures nothing: all of it would be out of time.
    again = Results(file, told, False)
    run_benchmark(benchmark, again, tmp_path, time.monotonic() - 1)
    assert again.plain() == kept
    text = section(kept, benchmark)
    assert "| itself | 8 | 1x | 1x | yes |" in text
    assert "fails" not in text


def test_a_run_of_another_commit_is_not_mixed_with_this_one(tmp_path: Path) -> None:
    told: dict[str, Any] = {
        "benchmark": "b0",
        "versions": {"deepwell": {"commit": "a"}},
        "machine": {"cpu": "c", "cores": 2},
        "series": [],
    }
    file = tmp_path / "b0.json"
    Results(file, told, False).put("cells", "a/b/1/0", {"status": "ok"})
    assert "a/b/1/0" in Results(file, told, False).cells
    other = {**told, "versions": {"deepwell": {"commit": "b"}}}
    with pytest.raises(OtherRunError, match="--fresh"):
        Results(file, other, False)
    assert not Results(file, other, True).cells


@pytest.mark.parametrize("across", [False, True])
@pytest.mark.parametrize(
    "other",
    [{"thresholds": [0.9, 0.99]}, {"versions": {"deepwell": {"commit": "a"}, "peers": {"p": "2"}}}],
    ids=["thresholds", "peers"],
)
def test_a_run_by_other_rules_or_peers_is_not_mixed_with_this_one(
    other: dict[str, Any], across: bool, tmp_path: Path
) -> None:
    told: dict[str, Any] = {
        "benchmark": "b0",
        "versions": {"deepwell": {"commit": "a"}, "peers": {"p": "1"}},
        "machine": {"cpu": "c", "cores": 2},
        "series": [],
        "thresholds": [0.9],
        "resumes_across_commits": across,
    }
    file = tmp_path / "b0.json"
    Results(file, told, False).put("cells", "a", {"status": "ok"})
    assert Results(file, told, False).cells
    with pytest.raises(OtherRunError, match="versions of peers; start anew with --fresh"):
        Results(file, {**told, **other}, False)


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_a_commit_says_that_code_of_benchmarks_differs_and_results_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "ROOT", tmp_path)
    files = [tmp_path / name for name in ("src/a.py", "benchmarks/b.py", "benchmarks/results/c")]
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("as committed", encoding="utf-8")
    by = ("-c", "user.name=a", "-c", "user.email=a@b.example", "-c", "commit.gpgsign=false")
    for act in (("init", "-q"), ("add", "."), (*by, "commit", "-q", "-m", "all")):
        subprocess.run(["git", *act], cwd=tmp_path, check=True)
    clean = machine.commit()
    assert re.fullmatch("[0-9a-f]{12}", clean)
    for file in files:
        file.write_text("another text now", encoding="utf-8")
        assert machine.commit() == (clean if file.name == "c" else f"{clean}+")
        file.write_text("as committed", encoding="utf-8")
    (tmp_path / "benchmarks" / "new.py").touch()
    assert machine.commit() == f"{clean}+"


def test_a_run_of_another_opening_is_not_mixed_with_this_one(tmp_path: Path) -> None:
    told: dict[str, Any] = {
        "benchmark": "b7",
        "versions": {"deepwell": {"commit": "a+"}},
        "machine": {"cpu": "c", "cores": 2},
        "series": [],
        "opening": {"number": 1, "rules": "one"},
    }
    file = tmp_path / "b7-sealed.json"
    Results(file, told, False).put("cells", "a", {"said": []})
    assert Results(file, told, False).cells
    with pytest.raises(OtherRunError, match="--fresh"):
        Results(file, {**told, "opening": {"number": 2, "rules": "two"}}, False)


def test_a_tool_that_fails_the_gate_is_not_measured_further(
    tiny: Workload, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import benchmarks.schedule as schedule

    measured: list[str] = []

    def wrong(workload: Workload, series: Series, repeat: int, caches: Path) -> dict[str, Any]:
        measured.append(series.tool)
        good = {"status": "ok", "message": "", "seconds": 1.0, "peak_bytes": 1, "facts": {}}
        return {**good, "steady_rate": 9.0, "scores": [0.5] * 8}

    limits = {"blas": "none", "square": 1.0, "at_shapes": 1.0, "bandwidth": 1.0}
    monkeypatch.setattr(schedule, "measure", wrong)
    monkeypatch.setattr(schedule, "in_process", lambda *_: limits)
    benchmark = _benchmark(tiny)
    results = Results(tmp_path / "b0.json", header(benchmark), False)
    run_benchmark(benchmark, results, tmp_path, time.monotonic() + 600)
    assert measured == ["engine-native", "fit-native"]
    skipped = results.cells[f"{tiny.case.name}/engine-native/8/1"]
    assert skipped["status"] == "skipped"
    assert trouble(results)
    text = section(results.plain(), benchmark)
    assert "fails the agreement gate | 1x | - |" in text


def test_a_process_that_crashes_or_hangs_is_told(tmp_path: Path) -> None:
    crash = [sys.executable, "-c", "raise SystemExit('no such thing')"]
    told = run(crash, tmp_path, 60, {})
    assert told.status == "crashed"
    assert "no such thing" in told.tail
    sleep = "import time; time.sleep(60)"
    hang = f"import subprocess, sys; subprocess.run([sys.executable, '-c', '{sleep}'])"
    told = run([sys.executable, "-c", hang], tmp_path, 1.0, {})
    assert told.status == "timeout"
    assert told.seconds < 30


def test_memory_that_nobody_asks_for_is_not_sampled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "resident_bytes", lambda _: pytest.fail("it was sampled"))
    told = run([sys.executable, "-c", "pass"], tmp_path, 60, {}, watch=False)
    assert (told.status, told.peak_bytes) == ("ok", None)
    monkeypatch.setattr(process, "resident_bytes", lambda _: 7)
    assert run([sys.executable, "-c", "pass"], tmp_path, 60, {}).peak_bytes == 7


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell")
def test_memory_counts_children(tmp_path: Path) -> None:
    hold = "import time; held = bytearray(range(200)) * 500_000; time.sleep(1.5)"
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', '{hold}'])"
    told = run([sys.executable, "-c", child], tmp_path, 60, {})
    assert told.status == "ok"
    assert told.peak_bytes is not None
    assert told.peak_bytes > 100_000_000


def test_members_that_diverge_are_found(tiny: Workload) -> None:
    told = divergence(tiny, healthy=4, diverging=2, repeats=1)
    assert told["diverged"] == 2
    assert len(told["core_seconds"]["beside"]) == 1


def test_without_a_gpu_the_gpu_benchmark_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import benchmarks.__main__ as command

    monkeypatch.setattr(command, "device", lambda: "")
    assert main(["gpu"]) == 2
    assert capsys.readouterr().err.strip().count(".") <= 1
