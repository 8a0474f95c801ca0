"""What every test gets: caches and settings of its own, JAX started as users get it, no network."""

from __future__ import annotations

import gc
import ipaddress
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

if TYPE_CHECKING:
    from benchmarks.store.server import PostgresqlServer

# Before any test imports JAX or Deepwell, and inherited by the processes that tests start.
# Compiled programs stay in the folder, so that each is compiled once for all tests.
BUILD = Path(__file__).parents[1] / "build" / "test"
for _name in [name for name in os.environ if name.startswith("DEEPWELL_")]:
    del os.environ[_name]
os.environ["DEEPWELL_CACHE"] = str(BUILD / "cache")
for _kind in ("CACHE", "CONFIG", "DATA", "STATE"):
    os.environ[f"XDG_{_kind}_HOME"] = str(BUILD / _kind.lower())

# Seeds are fixed, and a busy machine is no failure.
hypothesis.settings.register_profile("deepwell", derandomize=True, database=None, deadline=None)
hypothesis.settings.load_profile("deepwell")


@pytest.fixture(scope="session", autouse=True)
def jax_started_as_for_users() -> None:
    """Start JAX through the product where a test module has imported JAX by itself.

    A process starts JAX once, so whoever computes first decides on the numerics guard and the
    devices for all later tests.
    """
    if "jax" in sys.modules:
        from deepwell._jax._start import start

        assert not start().too_late, "a test module computes with JAX while it is imported"


@pytest.fixture(scope="module", autouse=True)
def compiled_code_is_let_go() -> Iterator[None]:
    """Give up what JAX compiled for other modules before the system's limit on maps is reached."""
    yield
    maps = Path("/proc/self/maps")
    if "jax" in sys.modules and maps.exists() and len(maps.read_bytes().splitlines()) > 20_000:
        import jax

        jax.clear_caches()
        gc.collect()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresqlServer]:
    """A PostgreSQL server, started when the first test asks for it."""
    from benchmarks.store.server import binaries, running_server

    if binaries() is None:
        pytest.skip("no PostgreSQL server is installed; on Debian: apt-get install postgresql")
    with running_server() as server:
        yield server


@pytest.fixture(scope="session", autouse=True)
def no_network() -> Iterator[None]:
    """Refuse connections to other machines."""
    connect = socket.socket.connect

    def connect_at_home(self: socket.socket, address: object) -> None:
        if isinstance(address, tuple) and not _is_loopback(str(address[0])):
            self.close()
            raise AssertionError(f"a test connects to {address[0]}: tests need no network")
        connect(self, address)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect_at_home)
        yield


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
