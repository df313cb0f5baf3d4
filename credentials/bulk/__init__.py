"""Many rows in one statement, as fast as each database takes them.

Django's `bulk_create` prepares every value of every row by itself and writes a placeholder for
each: that was two thirds of the time of a batch (docs/benchmarks.md). Here values are prepared
column by column, and each database gets what suits it: PostgreSQL `COPY` and documents of JSON,
SQLite prepared statements run over the rows by the hundred, MySQL and MariaDB statements of many
rows.

Every function requires a transaction and costs one statement, on SQLite two for more than a
hundred rows; only MySQL and MariaDB cut long lists. Rows are tuples along `names`, the attribute
names of concrete fields (`learner_id`). No statement returns keys: where one is needed it is read
back, which works on every database.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar

from django.db import connection
from django.db.models import DateTimeField, Model

from credentials.bulk.statements import way
from credentials.bulk.tables import Column, Columns, Row, Same, Table, key_of, table_of

__all__ = [
    "Row",
    "Same",
    "insert",
    "insert_columns",
    "insert_missing",
    "insert_objects",
    "select",
    "select_objects",
    "update",
    "update_objects",
]

M = TypeVar("M", bound=Model)


def insert(model: type[Model], names: Sequence[str], rows: Sequence[Row]) -> None:
    """Raises django.db.IntegrityError when a row is there already: none is inserted then."""
    if rows:
        table = table_of(model, names)
        way().insert(table, _prepared(table, rows))


def insert_missing(model: type[Model], names: Sequence[str], rows: Sequence[Row]) -> None:
    """Rows that collide with an existing one in any unique column are left out."""
    if rows:
        table = table_of(model, names)
        way().insert_missing(table, _prepared(table, rows))


def insert_columns(
    model: type[Model],
    columns: Mapping[str, Column | Same],
    *,
    number: int,
    but_known: bool = False,
) -> None:
    """`insert`, or `insert_missing` for `but_known`, of so many rows that are at hand as columns,
    by name.
    """
    if number:
        table = table_of(model, list(columns))
        insert = way().insert_missing if but_known else way().insert
        insert(table, table.prepared(columns.values(), number=number))


def update(model: type[Model], names: Sequence[str], rows: Sequence[Row]) -> None:
    """Each row starts with the primary key; `names` are those of the values behind it."""
    if rows:
        table = table_of(model, (key_of(model), *names))
        way().update(table, _prepared(table, rows))


def _prepared(table: Table, rows: Sequence[Row]) -> Columns:
    return table.prepared(zip(*rows, strict=True), number=len(rows))


def insert_objects(objects: Sequence[Model], *, identity: Sequence[str] = ()) -> None:
    """Insert new model instances, all of one class. With `identity`, the columns of a unique
    constraint, they learn their keys: one statement more.
    """
    if not objects:
        return
    model = type(objects[0])
    names = _all_but_key(model)
    _take_time(objects, names, adding=True)
    insert(model, names, list(map(attrgetter(*names), objects)))
    if identity:
        _learn_keys(objects, identity)


def _learn_keys(objects: Sequence[Model], identity: Sequence[str]) -> None:
    model = type(objects[0])
    wanted = [tuple(getattr(each, name) for name in identity) for each in objects]
    rows = select(model, (key_of(model), *identity), where=identity, among=wanted)
    keys = {tuple(row[1:]): row[0] for row in rows}
    for each, values in zip(objects, wanted, strict=True):
        each.pk = keys[values]
        # Documented: Django's Model instance reference.
        each._state.adding, each._state.db = False, connection.alias


def update_objects(objects: Sequence[Model], names: Sequence[str]) -> None:
    """Write these attributes of stored model instances, all of one class."""
    if objects:
        model = type(objects[0])
        _take_time(objects, names, adding=False)
        update(model, names, list(map(attrgetter(key_of(model), *names), objects)))


def select(
    model: type[Model],
    names: Sequence[str],
    *,
    where: Sequence[str],
    among: Iterable[Row],
    replaced_by: str | None = None,
    lock: bool = False,
) -> list[Row]:
    """The rows whose columns `where` hold one of the tuples `among`, by primary key; without those
    that another row of the model names in its column `replaced_by`.
    """
    wanted = list(dict.fromkeys(among))
    if not wanted:
        return []
    table = table_of(model, names)
    by = table_of(model, tuple(where))
    tail = f" ORDER BY {table.name}.{table.key}"
    if replaced_by is not None:
        (column,) = table_of(model, (replaced_by,)).columns
        newer = f"SELECT 1 FROM {table.name} newer WHERE newer.{column} = {table.name}.{table.key}"
        tail = f" AND NOT EXISTS ({newer}){tail}"
    if lock and connection.features.has_select_for_update:
        of = f" OF {table.name}" if connection.features.has_select_for_update_of else ""
        tail += f" FOR UPDATE{of}"
    statement, parameters = way().select(table, by, _prepared(by, wanted))
    with connection.cursor() as cursor:
        cursor.execute(statement + tail, parameters)
        return table.read(cursor.fetchall())


def select_objects(
    model: type[M],
    *,
    where: Sequence[str],
    among: Iterable[Row],
    replaced_by: str | None = None,
    lock: bool = False,
) -> list[M]:
    """The same, as model instances."""
    names = tuple(each.attname for each in model._meta.concrete_fields)
    rows = select(model, names, where=where, among=among, replaced_by=replaced_by, lock=lock)
    return [model.from_db(connection.alias, names, row) for row in rows]


def _take_time(objects: Iterable[Model], names: Sequence[str], *, adding: bool) -> None:
    """Fields that take the time of writing, as `save` would fill them."""
    clocks = [each for each in _clocks(type(next(iter(objects)))) if each.attname in names]
    for row in objects:
        for clock in clocks:
            clock.pre_save(row, adding)


@cache
def _clocks(model: type[Model]) -> "tuple[DateTimeField[Any, Any], ...]":
    dates = (each for each in model._meta.concrete_fields if isinstance(each, DateTimeField))
    return tuple(each for each in dates if each.auto_now or each.auto_now_add)


@cache
def _all_but_key(model: type[Model]) -> tuple[str, ...]:
    return tuple(each.attname for each in model._meta.concrete_fields if not each.primary_key)
