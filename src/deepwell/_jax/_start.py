"""Start JAX with what Deepwell needs: right arithmetic, every core, a compilation cache.

All of it must be set before JAX starts its backend; what came too late is reported, not hidden.
"""

from __future__ import annotations

import functools
import importlib.metadata
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

# jaxlib 0.10.2 fuses some reductions wrongly on CPU; this keeps the fast matrix products and
# drops the faulty fusions. Other releases may not know the flag, and XLA aborts on unknown ones.
_GUARDED_VERSIONS = ("0.10.2",)
_GUARD = "--xla_cpu_experimental_ynn_fusion_type=individual_dot"
_CACHE_BYTES = 2 * 1024**3


@dataclass(frozen=True)
class Runtime:
    """How JAX was started.

    Attributes:
        jax, jaxlib: versions.
        platform: `cpu`, `gpu` or `tpu`.
        devices: devices in use; on a CPU one for each usable core.
        cache: folder of compiled programs, or an empty string when there is none.
        too_late: what could not be set because JAX was already running, one sentence each.
        joined: whether JAX was already running, so that its settings are not known.
    """

    jax: str
    jaxlib: str
    platform: str
    devices: int
    cache: str
    too_late: tuple[str, ...]
    joined: bool = False


def usable_cores() -> int:
    """Return the cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


def cache_folder() -> Path:
    """Return the folder for what can be made again: `$DEEPWELL_CACHE` or the user's cache."""
    if named := os.environ.get("DEEPWELL_CACHE"):
        return Path(named)
    if base := os.environ.get("XDG_CACHE_HOME"):
        return Path(base) / "deepwell"
    try:
        return Path.home() / ".cache" / "deepwell"
    except RuntimeError:  # a user without a home, as in some containers
        return Path(tempfile.gettempdir()) / f"deepwell-{_user()}"


@functools.cache
def start() -> Runtime:
    """Start JAX once for this process and return how.

    Sets the numerics guard, one CPU device a core, and the persistent compilation cache. The
    cache's folder carries jaxlib's version (stale entries of another release have crashed) and
    belongs to the user alone, since a compiled program is code.
    """
    version = importlib.metadata.version("jaxlib")
    running = _already_running()
    too_late: list[str] = []
    if version in _GUARDED_VERSIONS and _GUARD not in os.environ.get("XLA_FLAGS", ""):
        if running:
            too_late.append(f"JAX was started before Deepwell, without XLA_FLAGS={_GUARD}")
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {_GUARD}".strip()
    # Memory of an accelerator as it is needed, not three quarters of it at once.
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")

    import jax

    cores = usable_cores()
    if not running:
        jax.config.update("jax_num_cpu_devices", cores)
    elif jax.default_backend() == "cpu" and len(jax.devices()) < cores:
        too_late.append(
            f"JAX was started before Deepwell with {len(jax.devices())} CPU device(s) "
            f"for {cores} cores; import deepwell first to use them all"
        )
    cache = _open_cache(version)
    return Runtime(
        jax=jax.__version__,
        jaxlib=version,
        platform=jax.default_backend(),
        devices=len(jax.devices()),
        cache=cache,
        too_late=tuple(too_late),
        joined=running,
    )


def _already_running() -> bool:
    if "jax" not in sys.modules:
        return False
    from jax._src import xla_bridge

    return xla_bridge.backends_are_initialized()


def _open_cache(version: str) -> str:
    """Point JAX at the persistent cache; without a folder of our own there is simply none."""
    import jax

    folder = cache_folder() / f"jax-{version}"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        usable = _only_ours(folder) and os.access(folder, os.W_OK | os.X_OK)
    except OSError:
        return ""
    if not usable:
        return ""
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    jax.config.update("jax_compilation_cache_max_size", _CACHE_BYTES)
    return str(folder)


def _only_ours(folder: Path) -> bool:
    """Whether nobody but the user can put a program there: what lies there is run."""
    facts = folder.stat()
    return os.name != "posix" or (facts.st_uid == _user() and not facts.st_mode & 0o022)


def _user() -> int:
    return os.getuid() if os.name == "posix" else 0
