"""`deepwell doctor`: whether this machine and installation can do the work."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from deepwell._base._errors import DeepwellError
from deepwell._base._safe_text import safe_text

from ._exit_codes import DONE, FAILED
from ._options import Place
from ._output import print_json, print_lines

EXAMPLES = "deepwell doctor"
_LIMIT = 300


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: what it is.
        ok: False when Deepwell cannot work like this.
        told: what was found, for people.
        facts: the same for machines.
    """

    name: str
    ok: bool
    told: str
    facts: dict[str, object]


def doctor(place: Place) -> int:
    """Check this machine and installation.

    Looks at Python, JAX and its arithmetic, cores, memory, the cache, the store and its ledger of
    test openings.
    """
    checks = [_python(), _native(), _jax(), _numerics(), _machine(), _cache(), _store(place.store)]
    checks += _ledger(place.store) if checks[-1].facts.get("there") else []
    healthy = all(check.ok for check in checks)
    if place.json:
        told = {c.name: {"ok": c.ok, "told": c.told, **c.facts} for c in checks}
        print_json({"ok": healthy, **told})
    else:
        from deepwell.report._layout import entry

        lines = [line for c in checks for line in entry(c.name, _marked(c))]
        verdict = "ready" if healthy else "not ready: see the lines that begin with PROBLEM"
        print_lines([*lines, *entry("verdict", verdict)])
    return DONE if healthy else FAILED


def _marked(check: Check) -> str:
    told = safe_text(check.told, 2 * _LIMIT)
    return told if check.ok else f"PROBLEM: {told}"


def _python() -> Check:
    python = platform.python_version()
    here = version("deepwell")
    told = f"deepwell {here}, Python {python} ({sys.executable}), {platform.platform()}"
    return Check("version", True, told, {"deepwell": here, "python": python})


def _native() -> Check:
    from deepwell._native._core_module import available, simd, why_not

    if not available():
        told = f"none, {why_not()}; dense networks train in JAX, several times slower"
        return Check("native", True, told, {"available": False, "why_not": why_not()})
    try:
        level = simd()
    except DeepwellError as error:
        return Check("native", False, str(error), {"available": True})
    return Check("native", True, f"compiled core, {level}", {"available": True, "simd": level})


def _jax() -> Check:
    from deepwell._jax._start import start

    try:
        runtime = start()
    except Exception as error:  # a broken installation may raise anything
        return Check("jax", False, f"cannot start: {type(error).__name__}: {error}", {})
    devices = "device" if runtime.devices == 1 else "devices"
    at_work = f"{runtime.devices} {runtime.platform} {devices}"
    told = f"jax {runtime.jax}, jaxlib {runtime.jaxlib}, {at_work}"
    facts: dict[str, object] = {
        "jax": runtime.jax,
        "jaxlib": runtime.jaxlib,
        "platform": runtime.platform,
        "devices": runtime.devices,
        "too_late": list(runtime.too_late),
    }
    return Check("jax", True, "; ".join([told, *runtime.too_late]), facts)


def _numerics() -> Check:
    from deepwell._jax._numerics import check_numerics

    flags = os.environ.get("XLA_FLAGS", "")
    try:
        check_numerics()
    except DeepwellError as error:
        return Check("numerics", False, str(error), {"xla_flags": flags})
    except Exception as error:  # a broken installation may raise anything
        return Check("numerics", False, f"cannot be checked: {type(error).__name__}: {error}", {})
    told = "compiled reductions are right" + (f", with XLA_FLAGS={flags}" if flags else "")
    return Check("numerics", True, told, {"xla_flags": flags})


def _machine() -> Check:
    from deepwell._jax._start import usable_cores
    from deepwell.data._memory import available_memory, gigabytes
    from deepwell.data._memory_budget import default_memory

    cores, free = usable_cores(), available_memory()
    budget = default_memory()
    memory = f"{gigabytes(free)} of memory free" if free is not None else "free memory unknown"
    told = (
        f"{cores} of {os.cpu_count() or cores} cores usable, {memory}, of which a fit uses up to "
        f"{gigabytes(budget)} (--memory)"
    )
    facts: dict[str, object] = {"cores": cores, "memory_free": free, "memory_budget": budget}
    return Check("machine", True, told, facts)


def _cache() -> Check:
    from deepwell._jax._start import cache_folder

    folder = cache_folder()
    size = sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()) if folder.exists() else 0
    writable = _writable(folder)
    what = f"{size / 1e6:.1f} MB" if writable else "not writable, so programs compile every time"
    facts: dict[str, object] = {"folder": str(folder), "bytes": size, "writable": writable}
    return Check("cache", True, f"{folder}: {what}", facts)


def _store(store: str | None) -> Check:
    from deepwell.storage._open import locate

    location = locate(store)
    folder, database = location.folder, location.database
    writable = _writable(folder)
    facts: dict[str, object] = {"folder": str(folder), "writable": writable}
    if not writable:
        told = f"{folder}: no permission to write; choose another with --store"
        return Check("store", False, told, facts)
    if not isinstance(database, Path):
        return _server(store, facts)
    there = database.exists()
    state = "there" if there else "not there yet, the first fit makes it"
    return Check("store", True, f"{folder}: {state}", {**facts, "there": there})


def _server(store: str | None, facts: dict[str, object]) -> Check:
    """Whether a store on a server can be opened; one that is not there yet is not made."""
    from deepwell.storage._open import locate, open_store

    try:
        open_store(store, create=False).close()
    except DeepwellError as error:
        return Check("store", False, str(error), facts)
    return Check("store", True, f"{locate(store).shown}: there", {**facts, "there": True})


def _ledger(store: str | None) -> list[Check]:
    from deepwell.storage._open import open_store

    try:
        with open_store(store, create=False) as opened:
            problem, entries = opened.ledger.problem(), opened.ledger.head()[0]
    except DeepwellError as error:
        return [Check("ledger", False, str(error), {})]
    told = problem or f"{entries:,} openings of test sets, each as it was written"
    return [Check("ledger", not problem, told, {"openings": entries})]


def _writable(folder: Path) -> bool:
    """Whether files can be made in a folder, or the folder itself where it is not there yet."""
    there = next(p for p in (folder, *folder.parents) if p.exists())
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)
