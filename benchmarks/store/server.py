"""A PostgreSQL server in a folder of its own, for tests and measurements; gone with its folder."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

USER = "postgres"
PASSWORD = "s3cret-of-tests"
_QUICK = {
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "60",
    "max_wal_size": "128MB",
    "min_wal_size": "32MB",
    "shared_buffers": "32MB",
}


@dataclass(frozen=True)
class PostgresqlServer:
    """A server that runs.

    Attributes:
        folder: with its socket and its data.
        port: of this machine.
        process: the server.
    """

    folder: Path
    port: int
    process: subprocess.Popen[bytes]

    def url(self, database: str, **options: str) -> str:
        """Return the address of a database by the server's socket."""
        words = {"host": str(self.folder), "port": str(self.port), **options}
        given = "&".join(f"{name}={value}" for name, value in words.items())
        return f"postgresql://{USER}@/{database}?{given}"

    def url_of_port(self, database: str, password: str = f":{PASSWORD}") -> str:
        """Return the address of a database by the server's port, which asks for the password."""
        return f"postgresql://{USER}{password}@127.0.0.1:{self.port}/{database}"

    def run(self, statement: str, database: str = "postgres") -> list[Any]:
        """Run a statement outside of a transaction and return its rows."""
        import psycopg

        given: dict[str, Any] = {"host": str(self.folder), "port": self.port, "user": USER}
        with psycopg.connect(**given, dbname=database, autocommit=True) as connection:
            done = connection.execute(statement)  # type: ignore[call-overload]
            return done.fetchall() if done.description else []

    def empty_database(self, name: str) -> str:
        """Return the address of a database of that name that holds nothing.

        Tables take a server long to make and little to empty: those of a store stay.
        """
        if not self.run(f"SELECT 1 FROM pg_database WHERE datname = '{name}'"):
            return self.make_database(name)
        if self.run("SELECT 1 FROM pg_tables WHERE tablename = 'deepwell_version'", name):
            self.run("TRUNCATE study, opening RESTART IDENTITY CASCADE", name)
            self.run("DELETE FROM ledger_head", name)
            self.run(f"INSERT INTO ledger_head VALUES (1, 0, '{'0' * 64}')", name)
        return self.url(name)

    def make_database(self, name: str, options: str = "") -> str:
        """Make an empty database and return its address."""
        self.run(f'CREATE DATABASE "{name}" {options}')
        return self.url(name)


def binaries() -> Path | None:
    """Return the folder of the server's programs, or None where none are installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=_version)
    if found:
        return found[-1].parent
    program = shutil.which("initdb")
    return None if program is None else Path(program).resolve().parent


@contextmanager
def running_server(quick: bool = True) -> Iterator[PostgresqlServer]:
    """Start a server in a folder of its own and stop it at the end.

    Args:
        quick: whether it may lose all in a power cut, which saves waiting for the disk.
    """
    programs = binaries()
    assert programs is not None, "no PostgreSQL server is installed"
    folder = Path(tempfile.mkdtemp(prefix="deepwell-pg-"))
    try:
        if os.geteuid() == 0:  # the server refuses to run as root
            shutil.chown(folder, USER, USER)
        _initialize(programs, folder)
        process, port = _start(programs, folder, _QUICK if quick else {})
        try:
            server = PostgresqlServer(folder, port, process)
            _wait_until_ready(server)
            server.run(f"ALTER USER {USER} PASSWORD '{PASSWORD}'")
            yield server
        finally:
            process.send_signal(signal.SIGQUIT)  # at once: nothing of it is needed any more
            process.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _initialize(programs: Path, folder: Path) -> None:
    data = folder / "data"
    words = [str(programs / "initdb"), "-D", str(data), "-U", USER, "-E", "UTF8"]
    words += ["--locale=C.UTF-8", "--no-sync", "-A", "trust"]
    subprocess.run([*_as_user(), *words], check=True, capture_output=True, cwd="/")
    hba = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
    (data / "pg_hba.conf").write_text(hba)


def _start(
    programs: Path, folder: Path, settings: dict[str, str]
) -> tuple[subprocess.Popen[bytes], int]:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    wanted = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": str(folder),
        **settings,
    }
    words = [str(programs / "postgres"), "-D", str(folder / "data")]
    words += [word for name, value in wanted.items() for word in ("-c", f"{name}={value}")]
    log = (folder / "log").open("wb")
    with log:
        process = subprocess.Popen([*_as_user(), *words], stdout=log, stderr=log, cwd="/")
    return process, port


def _as_user() -> list[str]:
    """Return what has a program run as the server's user, and end when the tests do."""
    if shutil.which("setpriv") is None:
        return ["runuser", "-u", USER, "--"] if os.geteuid() == 0 else []
    words = ["setpriv", "--pdeathsig=QUIT"]
    if os.geteuid() == 0:
        words += [f"--reuid={USER}", f"--regid={USER}", "--clear-groups"]
    return [*words, "--"]


def _wait_until_ready(server: PostgresqlServer) -> None:
    import psycopg

    give_up = time.monotonic() + 60
    while True:
        try:
            server.run("SELECT 1")
            return
        except psycopg.OperationalError:
            if server.process.poll() is not None or time.monotonic() > give_up:
                raise RuntimeError((server.folder / "log").read_text()) from None
            time.sleep(0.02)


def _version(program: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in program.parts[-3].split(".") if part.isdecimal())
