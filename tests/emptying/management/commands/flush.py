"""`flush` as a test needs it: the same tables are left with the same rows, in a third of the time.

Django's own makes the content types, permissions and groups of staff anew after each test. They
stay here, as long as no test has touched them.
"""

from typing import Any, Final

from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management.color import no_style
from django.core.management.commands import flush
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from staff.models import HandedOut

_KEPT: Final = tuple(
    model._meta.db_table
    for model in (ContentType, Permission, Group, Group.permissions.through, HandedOut)
)
_made: dict[str, list[Any]] = {}  # database: the rows in _KEPT as `migrate` makes them


class Command(flush.Command):
    def handle(self, **options: Any) -> None:
        alias = options["database"]
        connection = connections[alias]
        if alias in _made and _rows(connection) == _made[alias]:
            connection.ops.execute_sql_flush(_statements(connection))
        else:
            super().handle(**options)
            _made[alias] = _rows(connection)


def _rows(connection: BaseDatabaseWrapper) -> list[Any]:
    with connection.cursor() as cursor:
        return [_all_of(cursor, table) for table in _KEPT]


def _all_of(cursor: Any, table: str) -> list[Any]:
    cursor.execute(f"SELECT * FROM {table} ORDER BY id")  # noqa: S608 -- names of Django's tables
    found: list[Any] = cursor.fetchall()
    return found


def _statements(connection: BaseDatabaseWrapper) -> list[str]:
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    others = [table for table in tables if table not in _KEPT]
    if connection.vendor != "postgresql":
        return connection.ops.sql_flush(no_style(), others)
    # Its TRUNCATE makes new files for each table and index, and tests leave few rows.
    return [f'DELETE FROM "{table}"' for table in others]  # noqa: S608 -- names of Django's tables
