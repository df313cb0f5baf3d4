import sqlite3

import psycopg
import pytest
from django.db import OperationalError

from credentials.database import is_servers_trouble


def raised(error: Exception, *, by: Exception | None = None) -> OperationalError:
    """As Django wraps what the driver raises."""
    wrapped = OperationalError(*error.args)
    wrapped.__cause__ = by or error
    return wrapped


def of_sqlite(code: int) -> OperationalError:
    error = sqlite3.OperationalError("said by SQLite")
    error.sqlite_errorcode = code
    return raised(error)


@pytest.mark.parametrize(
    "code", [sqlite3.SQLITE_BUSY, sqlite3.SQLITE_BUSY_SNAPSHOT, sqlite3.SQLITE_FULL]
)
def test_sqlite_is_in_trouble(code: int) -> None:
    assert is_servers_trouble(of_sqlite(code))


def test_sqlite_did_not_like_the_statement() -> None:
    assert not is_servers_trouble(of_sqlite(sqlite3.SQLITE_ERROR))


@pytest.mark.parametrize(
    "error",
    [
        psycopg.errors.DeadlockDetected("said by PostgreSQL"),
        psycopg.errors.LockNotAvailable("said by PostgreSQL"),
        psycopg.errors.DiskFull("said by PostgreSQL"),
        psycopg.errors.AdminShutdown("said by PostgreSQL"),
        psycopg.errors.ReadOnlySqlTransaction("said by PostgreSQL"),
    ],
)
def test_postgresql_is_in_trouble(error: Exception) -> None:
    assert is_servers_trouble(raised(error))


@pytest.mark.parametrize(
    "error",
    [
        psycopg.errors.ProgramLimitExceeded("index row size exceeds the maximum"),
        psycopg.errors.QueryCanceled("statement timeout"),
    ],
)
def test_postgresql_did_not_like_the_data(error: Exception) -> None:
    assert not is_servers_trouble(raised(error))


@pytest.mark.parametrize(
    ("number", "expected"),
    [(1213, True), (1205, True), (1290, True), (1366, False), (2006, False), (2013, False)],
)
def test_mysql(number: int, expected: bool) -> None:
    driver = Exception(number, "said by MySQL")  # its driver has the number first
    assert is_servers_trouble(raised(driver)) is expected
