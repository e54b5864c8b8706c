"""The schema of a store: made in an empty one, upgraded in an older one, refused in every other.

An upgrade keeps the sightings and the offsets, and derives the rest again of the stored reads. It is one transaction,
so a crash leaves the older store as it was.
"""

from collections.abc import Callable, Sequence

from sqlalchemy import Connection, Table, insert, inspect, select, update

from anpr.history.derived_rows import derive_again
from anpr.history.sql_tables import DERIVED_TABLES, SCHEMA_VERSION, VERSION, create_tables
from anpr.runtime.errors import InputError
from anpr.runtime.logs import get_logger

log = get_logger(__name__)

_OLDEST_VERSION = 1


class OtherSchemaError(InputError):
    """A store of a schema version that this program does not read and write; an older one may be upgraded soon."""

    def __init__(self, message: str, next_step: str) -> None:
        super().__init__("history-schema", message, next_step)


def prepare(  # noqa: PLR0913  both kinds of store, with and without partitions, are prepared alike
    connection: Connection,
    store: str,
    day_tables: Sequence[Table],
    make_partitions: Callable[[Connection], None],
    *,
    schema: str | None = None,
    may_upgrade: bool,
) -> None:
    """Create the tables in an empty store, or check its version. `store` names it to a person.

    An older store is upgraded where that is allowed; `make_partitions` makes the partitions of its days in the tables
    that are made for it. Raises InputError for every other version.
    """
    existing = inspect(connection).get_table_names(schema)
    if not existing:
        create_tables(connection, day_tables)
        connection.execute(insert(VERSION).values(version=SCHEMA_VERSION))
        return
    version = check_readable(connection, store, schema)
    if version == SCHEMA_VERSION:
        return
    if not may_upgrade:
        raise _refusal(store, version, "start the `anpr history` that keeps it: it upgrades an older store")
    log.info("upgrading a store", store=store, from_version=version, to_version=SCHEMA_VERSION)
    derived = [table for table in day_tables if table in DERIVED_TABLES]
    for table in derived:
        table.drop(connection, checkfirst=True)
    create_tables(connection, day_tables)
    make_partitions(connection)
    if derived:
        derive_again(connection)
    connection.execute(update(VERSION).values(version=SCHEMA_VERSION))


def check_readable(connection: Connection, store: str, schema: str | None = None) -> int:
    """Return the version of a store. Raises InputError when this program cannot even read the sightings in it."""
    is_there = VERSION.name in inspect(connection).get_table_names(schema)
    version: int | None = connection.execute(select(VERSION.c.version)).scalar() if is_there else None
    if version is None or not _OLDEST_VERSION <= version <= SCHEMA_VERSION:
        raise _refusal(
            store,
            version,
            "run the version of the program that wrote it, or keep it elsewhere and let history begin a new store",
        )
    return version


def _refusal(store: str, version: int | None, next_step: str) -> OtherSchemaError:
    found = "has no schema version" if version is None else f"has schema version {version}"
    return OtherSchemaError(f"{store} {found}; this program reads and writes version {SCHEMA_VERSION}", next_step)
