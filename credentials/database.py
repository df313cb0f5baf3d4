"""What bulk statements need from the database underneath."""

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model

# Parameters one statement may carry where the database states no limit of its own. Longer lists
# are cut, so that a batch costs a number of statements that grows only with this limit.
_PARAMETERS = 60_000

T = TypeVar("T")


def is_new(row: Model) -> bool:
    """Is it not in the database yet?"""
    return row._state.adding  # noqa: SLF001 -- documented: Django's Model instance reference


def mark_stored(row: Model) -> None:
    """It was inserted by other means than `save`."""
    row._state.adding = False  # noqa: SLF001 -- documented: Django's Model instance reference
    row._state.db = connection.alias  # noqa: SLF001


def lift_sqlite_parameter_limit(connection: BaseDatabaseWrapper, **_kwargs: Any) -> None:
    """Let bulk statements use what this SQLite was built with, not Django's assumption of 999."""
    if connection.vendor == "sqlite":
        limit = connection.connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER)
        connection.features.max_query_params = min(limit, _PARAMETERS)


def in_chunks(values: Sequence[T], *, reserve: int = 0) -> Iterator[Sequence[T]]:
    """Cut `values` so that each piece fits into one `IN (...)` beside `reserve` parameters."""
    size = max((connection.features.max_query_params or _PARAMETERS) - reserve - 10, 100)
    for start in range(0, len(values), size):
        yield values[start : start + size]
