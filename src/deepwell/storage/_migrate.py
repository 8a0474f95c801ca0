"""Bring a store to the schema of this code, whoever else opens it at the same time."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from deepwell._base._errors import StudyError, UsageError
from deepwell._base._safe_text import safe_text

from ._database import Database
from ._ledger import FIRST_HASH
from ._schema import LEDGER_HEAD, METADATA, REVISION, VERSION
from ._views import drop_views, make_views

MIGRATIONS = Path(__file__).parent / "migrations"


def bring_up_to_date(database: Database, *, create: bool) -> None:
    """Make the tables of an empty database, or run the migrations that an older store lacks.

    All happens in one writer's transaction, so that of several processes one does the work and
    the others wait and find it done, and a kill in the middle leaves the store as it was.

    Args:
        database: any.
        create: whether an empty one is to become a store.

    Raises:
        UsageError: when the database belongs to another program, or is empty and stays so.
        StudyError: when a newer Deepwell wrote it, or it is damaged.
    """
    with database.reading() as connection:
        database.check(connection)
        current = _revision(connection, database.shown)
    if current is None and not create:
        raise UsageError(f"no store at {database.shown}, which is empty; choose another --store")
    # Only now, so that a database of another program stays untouched.
    database.prepare()
    if current == REVISION:
        return
    if current is not None:
        database.back_up()
    with database.writing(durable=True) as connection:
        current = _revision(connection, database.shown)
        if current is None:
            make_tables(connection)
        elif current != REVISION:
            upgrade(connection)


def make_tables(connection: sa.Connection) -> None:
    """Make all tables of the newest schema at once, which spares loading the migration tool."""
    METADATA.create_all(connection)
    VERSION.create(connection)
    connection.execute(sa.insert(VERSION).values(version_num=REVISION))
    connection.execute(sa.insert(LEDGER_HEAD).values(id=1, length=0, hash=FIRST_HASH))
    make_views(connection)


def upgrade(connection: sa.Connection) -> None:
    """Run the migrations that are missing inside the connection's transaction."""
    drop_views(connection)
    run_migrations(connection, "head")
    make_views(connection)


def run_migrations(connection: sa.Connection, revision: str) -> None:
    """Run the migrations up to a revision, the views apart."""
    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext, RevisionStep
    from alembic.script import ScriptDirectory

    script = ScriptDirectory(str(MIGRATIONS), version_locations=[str(MIGRATIONS)])

    def steps(current: tuple[str, ...], _: MigrationContext) -> list[RevisionStep]:
        return script._upgrade_revs(revision, current)  # type: ignore[arg-type]

    options = {"version_table": VERSION.name, "fn": steps, "transactional_ddl": True}
    context = MigrationContext.configure(connection, opts=options)
    with Operations.context(context):
        context.run_migrations()


def _revision(connection: sa.Connection, shown: str) -> str | None:
    """Return the store's schema, None for an empty database; refuse what is not ours to change."""
    tables = sa.inspect(connection).get_table_names()
    if not tables:
        return None
    if VERSION.name not in tables:
        raise UsageError(f"{shown} is a database of another program; choose another --store")
    rows = [str(name) for name in connection.execute(sa.select(VERSION.c.version_num)).scalars()]
    revision = rows[0] if len(rows) == 1 else ""
    if not revision.isdecimal():
        raise StudyError(f"the store {shown} is damaged: it does not name its schema")
    if int(revision) > int(REVISION):
        raise StudyError(
            f"the store {shown} was written by a newer Deepwell (schema "
            f'{safe_text(revision)}, this one knows {REVISION}); run "pip install --upgrade '
            'deepwell" or choose another --store'
        )
    return revision
