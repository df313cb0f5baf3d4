"""What bulk statements need from the database underneath, and whose fault its errors are."""

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, TypeVar

import orjson
import structlog
from django.db import (
    DatabaseError,
    Error,
    InterfaceError,
    InternalError,
    OperationalError,
    connection,
)
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model, QuerySet

# Parameters one statement may carry where the database states no limit of its own. Longer lists
# are cut, so that a batch costs a number of statements that grows only with this limit.
_PARAMETERS = 60_000
_TRIES: Final = 3
_PAUSE: Final = 0.2  # seconds, times the number of tries

# Errors of a server (or a file) in trouble: locks, deadlocks, no room, no connection, no writes (as
# in a failover). Other operational errors may come from the data of a statement.
_SQLITE_TROUBLE: Final = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
    }
)
# How SQLSTATEs start: connection, read-only, rollback, resources, object not in the needed state,
# shutdown, system error. Source: PostgreSQL, "Error Codes".
_SQLSTATE_TROUBLE: Final = ("08", "25006", "40", "53", "55", "57P", "58")
# Disk full, too many connections, table full, lock time-out, deadlock, NOWAIT, three ways of being
# read-only. Not 2006 and 2013, connection lost: that is also how a server answers a statement above
# its max_allowed_packet. Whether it is gone, `with_retries` finds out by asking.
_MYSQL_TROUBLE: Final = frozenset({1021, 1040, 1114, 1205, 1213, 3572, 1290, 1792, 1836})

T = TypeVar("T")
log = structlog.get_logger(__name__)


class DatabaseGoneError(Exception):
    """The database does not answer, or has no room or no lock for us. Nothing of the work is done;
    do it again once it does.
    """


M = TypeVar("M", bound=Model)


def is_new(row: Model) -> bool:
    """Is it not in the database yet?"""
    return row._state.adding  # noqa: SLF001 -- documented: Django's Model instance reference


def is_servers_trouble(error: Error) -> bool:
    """Does `error` say that the database cannot work now, whatever it was asked?"""
    cause = error.__cause__
    sqlite_code = getattr(cause, "sqlite_errorcode", None)
    if sqlite_code is not None:
        return sqlite_code & 0xFF in _SQLITE_TROUBLE  # the low byte is the primary code
    sqlstate = getattr(cause, "sqlstate", None)
    if sqlstate is not None:
        return str(sqlstate).startswith(_SQLSTATE_TROUBLE)
    return bool(error.args) and error.args[0] in _MYSQL_TROUBLE


def locked(rows: QuerySet[M]) -> QuerySet[M]:
    """Lock these rows, not those that they are joined with. MariaDB knows no FOR UPDATE OF: it
    locks those too.
    """
    alone = connection.features.has_select_for_update_of
    return rows.select_for_update(of=("self",) if alone else ())


def prepare(connection: BaseDatabaseWrapper, **_kwargs: Any) -> None:
    """What a new connection needs for bulk statements.

    SQLite: they may use what it was built with, not Django's assumption of 999 parameters.
    PostgreSQL: `COPY` takes JSON columns as plain data. And its default says that a page by way of
    an index costs four times one of a scan, as on turning disks; so it read the whole table of
    learners for the five hundred of a batch.
    """
    if connection.vendor == "postgresql":
        from psycopg.types.json import set_json_dumps

        set_json_dumps(orjson.dumps, connection.connection)
        with connection.cursor() as cursor:
            cursor.execute("SET random_page_cost = 1.1")
    if connection.vendor == "sqlite":
        limit = connection.connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER)
        connection.features.max_query_params = min(limit, _PARAMETERS)


def in_chunks(values: Sequence[T], *, reserve: int = 0) -> Iterator[Sequence[T]]:
    """Cut `values` so that each piece fits into one `IN (...)` beside `reserve` parameters."""
    size = max((connection.features.max_query_params or _PARAMETERS) - reserve - 10, 100)
    for start in range(0, len(values), size):
        yield values[start : start + size]


def with_retries(work: Callable[[], T]) -> T:
    """The result of `work`, a whole transaction. Deadlocks and lock time-outs pass: it is tried
    again. Raises DatabaseGoneError when they last or the database does not answer any more, and
    what `work` raises otherwise.
    """
    for attempt in range(1, _TRIES + 1):
        try:
            return work()
        except (OperationalError, InterfaceError, InternalError) as error:
            if not _database_answers():
                raise DatabaseGoneError(str(error)) from error
            if attempt == _TRIES:
                if is_servers_trouble(error):
                    raise DatabaseGoneError(str(error)) from error
                raise
            log.warning("transaction tried again", attempt=attempt, error=str(error))
            time.sleep(_PAUSE * attempt)
    raise AssertionError("unreachable")


def _database_answers() -> bool:
    if connection.in_atomic_block:
        return True  # a caller's transaction, as in tests: the caller judges
    try:
        connection.close()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def storable(text: str, *, length: int | None = None) -> str:
    """Without what JSON can hold and no database takes: NUL, and halves of surrogate pairs."""
    if text.isascii() and "\x00" not in text:
        return text[:length]
    return text.encode(errors="replace").decode().replace("\x00", "")[:length]
