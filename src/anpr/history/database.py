"""Where the days of a store live: in files of SQLite or in partitions of PostgreSQL. A store does not know which."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import date
from typing import Any, Final, Protocol

from sqlalchemy import Connection, Select
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError

from anpr.runtime.errors import InputError, UnavailableError

# For a query of a whole day: the driver of PostgreSQL would otherwise fetch all its rows at once.
STREAMED: Final[dict[str, Any]] = {"yield_per": 1000}
# For a query of which the values say how to find the rows quickly: PostgreSQL plans it each time.
PLANNED_BY_VALUES: Final[dict[str, Any]] = {"planned_by_values": True}


class StoredDays(Protocol):
    """The days of one store. Every method raises HistoryUnavailableError when the store cannot be used now."""

    def rows(self, query: Select[Any], since: date, until: date) -> Iterator[Any]:
        """Yield the rows of a query over the days from `since` to `until`. It may be asked once for each day.

        A row has an attribute for each column. The newest day comes first then. Where a query counts, add the counts
        up.
        """
        ...

    def days(self) -> list[date]:
        """Return the days that have rows or offsets, the oldest first."""
        ...

    def close(self) -> None:
        """Disconnect."""
        ...


class Database(StoredDays, Protocol):
    """The days of a store that may be written."""

    def begin(self, day: date) -> AbstractContextManager[Connection]:
        """Return a transaction that may write rows of this day. It is committed when the context ends well.

        One transaction at a time writes a day: another one waits, in whichever process it is.
        """
        ...

    def drop(self, day: date) -> None:
        """Delete a day with all its rows and offsets. After a crash the day is there, or can be dropped again."""
        ...

    def erase_remains(self, day: date) -> None:
        """Take the bytes of rows that were deleted from the disk, as far as the database can."""
        ...


class HistoryUnavailableError(UnavailableError):
    """The store does not answer or refuses, such as a full disk. Nothing was committed; try again."""

    def __init__(self, message: str) -> None:
        super().__init__(
            "history-store",
            message,
            "check the disk, or the PostgreSQL that history.url names; history goes on by itself",
        )


class NoStoreError(InputError):
    """There is no store where one is to be read, or to be filled beside the service that keeps it."""

    def __init__(self, store: str) -> None:
        super().__init__(
            "history-no-store",
            f"{store} does not exist",
            "name the folder or the database that holds the history, or start the `anpr history` that makes it",
        )


@contextmanager
def unavailable(store: str) -> Iterator[None]:
    """Raise a database's errors as HistoryUnavailableError. `store` names the store to a person.

    The text of an error may quote rows, and so plates. Only that of an OperationalError (a full disk) is kept.
    """
    try:
        yield
    except OperationalError as error:
        lines = str(error.orig).strip().splitlines()
        raise HistoryUnavailableError(f"{store}: {lines[0] if lines else 'no answer'}") from None
    except DBAPIError as error:
        raise HistoryUnavailableError(f"{store}: {type(error.orig).__name__}") from None
    except SQLAlchemyError as error:
        raise HistoryUnavailableError(f"{store}: {type(error).__name__}") from None
