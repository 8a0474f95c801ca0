"""Addresses of PostgreSQL databases."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text

SCHEMES = ("postgresql", "postgres", "postgresql+psycopg")
DEFAULT_PORT = 5432
_PORTS = 65536
_EXAMPLE = "postgresql://user@host/database"
_LONGEST = 60
_PLACE = re.compile(r"(\[[^\]]*\]|[^:]*)(?::(\d*))?")
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True)
class Address:
    """A database on a PostgreSQL server.

    Attributes:
        database: its name.
        user: who connects; None for the driver's choice (`PGUSER`, or the user of the system).
        password: None for the driver's choice (`PGPASSWORD`, `~/.pgpass`); never shown.
        host: name or number of the machine, or a folder with the server's socket; None for the
            driver's choice (`PGHOST`, or a socket of this machine).
        port: None for the driver's choice (`PGPORT`, or 5432).
        options: other settings of the connection by name, such as `sslmode`.
    """

    database: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    host: str | None = None
    port: int | None = None
    options: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @property
    def shown(self) -> str:
        """The address for a message, quoted, without the password and the options."""
        return f'"{safe_text(self.url, limit=200)}"'

    @property
    def url(self) -> str:
        """The address without the password and the options."""
        user = "" if self.user is None else f"{self.user}@"
        port = "" if self.port is None else f":{self.port}"
        return f"postgresql://{user}{self.host or ''}{port}/{self.database}"

    @property
    def folder(self) -> str:
        """Name of the folder for the files of its studies, which no study can have."""
        host, port = self.host or "local", self.port or DEFAULT_PORT
        place = "local" if host.startswith(("/", "@")) else host  # a socket's folder or name
        place += "" if port == DEFAULT_PORT else f"-{port}"
        name = "@".join(_NOT_IN_NAMES.sub("_", part)[:_LONGEST] for part in (self.database, place))
        options = dict(self.options).get("options", "")  # which may choose one of many schemas
        if name == f"{self.database}@{host}" and not options:
            return name
        plain = "\0".join((self.database, host, str(port), options))
        return f"{name}-{hashlib.sha256(plain.encode()).hexdigest()[:8]}"


def read_address(url: str) -> Address:
    """Return what a URL says.

    Raises:
        UsageError: when it names no database or is no URL.
    """
    try:
        parts = urlsplit(url)
        options = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError:
        raise _wrong("it cannot be read") from None  # an error whose text may hold the password
    given = dict(options)
    who, _, where = parts.netloc.rpartition("@")
    user, _, password = who.partition(":")
    place = _PLACE.fullmatch(where)
    if "://" not in url or "\0" in unquote(url) or parts.fragment or place is None:
        raise _wrong("it cannot be read")
    port = place.group(2) or given.pop("port", "")
    if port and not (port.isascii() and port.isdecimal() and 0 < int(port) < _PORTS):
        raise _wrong("its port is no number from 1 to 65535")
    if "@" in parts.path:
        raise _wrong("a / in its password must be written as %2F")
    named = given.pop("dbname", "")
    database = unquote(parts.path.removeprefix("/")) or named
    if not database:
        raise _wrong("its database is missing")
    return Address(
        database=database,
        user=unquote(user) or given.pop("user", None),
        password=unquote(password) or given.pop("password", None),
        host=unquote(place.group(1)).strip("[]") or given.pop("host", None),
        port=int(port) if port else None,
        options=tuple(sorted(given.items())),
    )


def _wrong(why: str) -> UsageError:
    # The address itself may hold a password, so it is not repeated.
    return UsageError(f"a store on PostgreSQL must be given as {_EXAMPLE}, and {why}")
