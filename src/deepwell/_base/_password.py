"""Addresses of databases, made fit to be shown."""

from __future__ import annotations

import re

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_PASSWORD_OPTION = re.compile(r"(?<=[?&])[A-Za-z_]*(?:password|passwd)[A-Za-z_]*=[^&]*&?")


def without_password(where: object) -> str:
    """Return an address without its password; whatever is no address comes back as it is.

    >>> without_password("postgresql://ann:s3cret@db.example.com/team?sslpassword=x&sslmode=require")
    'postgresql://ann@db.example.com/team?sslmode=require'
    >>> without_password("runs/ann:old@home")
    'runs/ann:old@home'
    """
    text = str(where)
    scheme = _SCHEME.match(text)
    if scheme is None:
        return text
    rest, mark, options = text[scheme.end() :].partition("?")
    if "@" in options and "@" not in rest:  # a password may hold a question mark
        rest, mark, options = text[scheme.end() :], "", ""
    # After a third slash comes a path, of a file or of a database on this machine.
    user, at, place = ("", "", rest) if rest.startswith("/") else rest.rpartition("@")
    kept = _PASSWORD_OPTION.sub("", mark + options).rstrip("?&")
    return f"{scheme.group()}{user.partition(':')[0]}{at}{place}{kept}"
