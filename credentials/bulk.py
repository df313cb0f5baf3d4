"""Many rows in one statement, as fast as each database takes them.

Django's `bulk_create` prepares every value of every row by itself and writes a placeholder for
each: that was two thirds of the time of a batch (docs/benchmarks.md). Here values are prepared
column by column, and each database gets what suits it: PostgreSQL `COPY` and `unnest`, SQLite one
prepared statement run over the rows, MySQL and MariaDB statements of many rows.

Every function requires a transaction and costs one statement; only MySQL and MariaDB cut long
lists. Rows are tuples along `names`, the attribute names of concrete fields (`learner_id`).
No statement returns keys: where one is needed it is read back, which works on every database.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from itertools import chain, repeat
from operator import attrgetter
from typing import Any, Final, Protocol, TypeVar

import attrs
import orjson
from django.db import connection
from django.db.models import DateTimeField, Field, FileField, JSONField, Model, UUIDField

Row = tuple[Any, ...]
M = TypeVar("M", bound=Model)
Convert = Callable[[Any], Any]
Query = tuple[str, list[Any]]

# Of one statement on MySQL and MariaDB: far below the usual max_allowed_packet of 16 MB.
_MYSQL_ROWS: Final = 1_000
_MYSQL_BYTES: Final = 2_000_000


def insert(model: type[Model], names: Sequence[str], rows: Sequence[Row]) -> None:
    """Raises django.db.IntegrityError when a row is there already: none is inserted then."""
    if rows:
        _way().insert(_table(model, tuple(names), connection.vendor), rows)


def insert_missing(model: type[Model], names: Sequence[str], rows: Sequence[Row]) -> None:
    """Rows that collide with an existing one in any unique column are left out."""
    if rows:
        _way().insert_missing(_table(model, tuple(names), connection.vendor), rows)


def update(model: type[Model], names: Sequence[str], rows: Sequence[Row]) -> None:
    """Each row starts with the primary key; `names` are those of the values behind it."""
    if rows:
        names = (_key(model), *names)
        _way().update(_table(model, names, connection.vendor), rows)


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
    rows = select(model, (_key(model), *identity), where=identity, among=wanted)
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
        update(model, names, list(map(attrgetter(_key(model), *names), objects)))


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

    Costs one statement; SQLite cuts what has more parameters than it takes.
    """
    wanted = list(dict.fromkeys(among))
    table = _table(model, tuple(names), connection.vendor)
    by = _table(model, tuple(where), connection.vendor)
    tail = f" ORDER BY {table.name}.{table.key}"
    if replaced_by is not None:
        (column,) = _table(model, (replaced_by,), connection.vendor).columns
        newer = f"SELECT 1 FROM {table.name} newer WHERE newer.{column} = {table.name}.{table.key}"
        tail = f" AND NOT EXISTS ({newer}){tail}"
    if lock and connection.features.has_select_for_update:
        of = f" OF {table.name}" if connection.features.has_select_for_update_of else ""
        tail += f" FOR UPDATE{of}"
    found: list[Row] = []
    limit = (connection.features.max_query_params or sys.maxsize) // len(where)
    with connection.cursor() as cursor:
        for start in range(0, len(wanted), limit):
            statement, parameters = _way().select(table, by, wanted[start : start + limit])
            cursor.execute(statement + tail, parameters)
            found += table.read(cursor.fetchall())
    return found


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


def _key(model: type[Model]) -> str:
    return model._meta.pk.attname


# --- What a column needs ------------------------------------------------------------------------
@attrs.frozen
class _Table:
    """A table and some of its columns, quoted; what turns their values into the database's."""

    name: str
    columns: tuple[str, ...]
    key: str
    types: tuple[str, ...]
    converters: tuple[Convert | None, ...]
    readers: tuple[Convert | None, ...]

    def read(self, rows: Sequence[Row]) -> list[Row]:
        """What the database answered, as a model instance would hold it."""
        if not any(self.readers) or not rows:
            return rows if isinstance(rows, list) else list(rows)
        columns = [
            column if read is None else [None if v is None else read(v) for v in column]
            for read, column in zip(self.readers, zip(*rows, strict=True), strict=True)
        ]
        return list(zip(*columns, strict=True))

    def prepared(self, rows: Sequence[Row]) -> list[list[Any]]:
        """Column by column."""
        return [
            list(column) if convert is None else [None if v is None else convert(v) for v in column]
            for convert, column in zip(self.converters, zip(*rows, strict=True), strict=True)
        ]

    def flat(self, rows: Sequence[Row]) -> list[Any]:
        """Row by row, in one list."""
        return list(chain.from_iterable(zip(*self.prepared(rows), strict=True)))

    def marks(self, rows: int) -> str:
        row = f"({', '.join(repeat('%s', len(self.columns)))})"
        return ", ".join(repeat(row, rows))

    def equals(self, other: str) -> str:
        return " AND ".join(f"{self.name}.{each} = {other}.{each}" for each in self.columns)

    @property
    def target(self) -> str:
        return f"{self.name} ({', '.join(self.columns)})"

    @property
    def answer(self) -> str:
        return ", ".join(f"{self.name}.{each}" for each in self.columns)

    @property
    def arrays(self) -> str:
        """PostgreSQL: one array per column, side by side."""
        return f"unnest({', '.join(f'%s::{each}[]' for each in self.types)})"


@cache
def _table(model: type[Model], names: tuple[str, ...], _vendor: str) -> _Table:
    quote = connection.ops.quote_name
    by_name = {each.attname: each for each in model._meta.concrete_fields}
    fields = [by_name[name] for name in names]
    return _Table(
        name=quote(model._meta.db_table),
        columns=tuple(quote(str(each.column)) for each in fields),
        key=quote(str(by_name[_key(model)].column)),
        # Without its length: a cast to varchar(255) would cut a longer value without a word.
        types=tuple((each.db_type(connection) or "text").partition("(")[0] for each in fields),
        converters=tuple(map(_converter, fields)),
        readers=tuple(map(_reader, fields)),
    )


def _converter(field: "Field[Any, Any]") -> Convert | None:
    if isinstance(field, JSONField):
        return lambda value: orjson.dumps(value).decode()
    if isinstance(field, FileField):
        return str  # its name
    if isinstance(field, UUIDField) and not connection.features.has_native_uuid_field:
        return attrgetter("hex")
    if isinstance(field, DateTimeField) and connection.vendor != "postgresql":
        return _in_utc
    return None


def _in_utc(moment: datetime) -> str:
    """As Django writes it where the database knows no time zones."""
    in_utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return str(in_utc).removesuffix("+00:00")


def _reader(field: "Field[Any, Any]") -> Convert | None:
    """Django's own converters, but for the one that is called for every learner of a batch."""
    if isinstance(field, DateTimeField) and connection.vendor != "postgresql":
        return lambda moment: moment.replace(tzinfo=UTC)
    column = field.get_col(field.model._meta.db_table)
    converters = [*connection.ops.get_db_converters(column), *field.get_db_converters(connection)]
    if not converters:
        return None

    def read(value: Any) -> Any:
        for convert in converters:
            value = convert(value, column, connection)
        return value

    return read


# --- The statements of each database ------------------------------------------------------------
class _Way(Protocol):
    def select(self, table: _Table, by: _Table, among: Sequence[Row]) -> Query: ...

    def insert(self, table: _Table, rows: Sequence[Row]) -> None: ...

    def insert_missing(self, table: _Table, rows: Sequence[Row]) -> None: ...

    def update(self, table: _Table, rows: Sequence[Row]) -> None: ...


class _PostgreSQL:
    def select(self, table: _Table, by: _Table, among: Sequence[Row]) -> Query:
        wanted = f"{by.arrays} AS wanted ({', '.join(by.columns)})"
        return (
            f"SELECT {table.answer} FROM {wanted} JOIN {table.name} ON {by.equals('wanted')}",
            by.prepared(among),
        )

    def insert(self, table: _Table, rows: Sequence[Row]) -> None:
        with (
            connection.wrap_database_errors,
            connection.cursor() as cursor,
            cursor.copy(f"COPY {table.target} FROM STDIN") as copy,
        ):
            for row in zip(*table.prepared(rows), strict=True):
                copy.write_row(row)

    def insert_missing(self, table: _Table, rows: Sequence[Row]) -> None:
        self._run(
            f"INSERT INTO {table.target} SELECT * FROM {table.arrays} ON CONFLICT DO NOTHING",
            table,
            rows,
        )

    def update(self, table: _Table, rows: Sequence[Row]) -> None:
        assignments = ", ".join(f"{each} = new.{each}" for each in table.columns[1:])
        new = f"{table.arrays} AS new ({', '.join(table.columns)})"
        self._run(
            f"UPDATE {table.name} SET {assignments} FROM {new}"
            f" WHERE {table.name}.{table.key} = new.{table.key}",
            table,
            rows,
        )

    def _run(self, statement: str, table: _Table, rows: Sequence[Row]) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement, table.prepared(rows))


class _SQLite:
    def select(self, table: _Table, by: _Table, among: Sequence[Row]) -> Query:
        # CROSS JOIN: the wanted rows lead and the index answers; SQLite scans the table otherwise.
        wanted = f"WITH wanted ({', '.join(by.columns)}) AS (VALUES {by.marks(len(among))})"
        found = f"SELECT {table.answer} FROM wanted CROSS JOIN {table.name}"
        return f"{wanted} {found} ON {by.equals('wanted')}", by.flat(among)

    def insert(self, table: _Table, rows: Sequence[Row], *, otherwise: str = "") -> None:
        statement = f"INSERT INTO {table.target} VALUES {table.marks(1)}{otherwise}"
        self._run(statement, zip(*table.prepared(rows), strict=True))

    def insert_missing(self, table: _Table, rows: Sequence[Row]) -> None:
        # Not INSERT OR IGNORE: that would also leave out rows that break a check.
        self.insert(table, rows, otherwise=" ON CONFLICT DO NOTHING")

    def update(self, table: _Table, rows: Sequence[Row]) -> None:
        assignments = ", ".join(f"{each} = %s" for each in table.columns[1:])
        keys, *values = table.prepared(rows)
        self._run(
            f"UPDATE {table.name} SET {assignments} WHERE {table.key} = %s",
            zip(*values, keys, strict=True),
        )

    def _run(self, statement: str, rows: Iterable[Row]) -> None:
        with connection.cursor() as cursor:
            cursor.executemany(statement, list(rows))


class _MySQL:
    def select(self, table: _Table, by: _Table, among: Sequence[Row]) -> Query:
        condition = f"({', '.join(by.columns)}) IN ({by.marks(len(among))})"
        return f"SELECT {table.answer} FROM {table.name} WHERE {condition}", by.flat(among)

    def insert(self, table: _Table, rows: Sequence[Row], *, otherwise: str = "") -> None:
        for piece in _pieces(table, rows):
            marks = table.marks(len(piece))
            self._run(f"INSERT INTO {table.target} VALUES {marks}{otherwise}", piece)

    def insert_missing(self, table: _Table, rows: Sequence[Row]) -> None:
        # Not INSERT IGNORE: that would also swallow rows that break a check or lack their parent.
        self.insert(
            table,
            rows,
            otherwise=f" ON DUPLICATE KEY UPDATE {table.key} = {table.name}.{table.key}",
        )

    def update(self, table: _Table, rows: Sequence[Row]) -> None:
        named = ", ".join(f"%s AS {each}" for each in table.columns)
        marks = ", ".join(repeat("%s", len(table.columns)))
        assignments = ", ".join(f"{table.name}.{c} = new.{c}" for c in table.columns[1:])
        for piece in _pieces(table, rows):
            more = repeat(f"SELECT {marks}", len(piece) - 1)
            new = " UNION ALL ".join([f"SELECT {named}", *more])
            self._run(
                f"UPDATE {table.name} JOIN ({new}) AS new"
                f" ON {table.name}.{table.key} = new.{table.key} SET {assignments}",
                piece,
            )

    def _run(self, statement: str, rows: Iterable[Row]) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement, list(chain.from_iterable(rows)))


def _pieces(table: _Table, rows: Sequence[Row]) -> Iterator[list[Row]]:
    """Prepared rows, as many as one statement takes; at least one, however large."""
    piece: list[Row] = []
    size = 0
    for row in zip(*table.prepared(rows), strict=True):
        its_size = sum(len(each) for each in row if isinstance(each, str | bytes))
        if piece and (len(piece) >= _MYSQL_ROWS or size + its_size > _MYSQL_BYTES):
            yield piece
            piece, size = [], 0
        piece.append(row)
        size += its_size
    yield piece


_WAYS: Final[dict[str, _Way]] = {
    "postgresql": _PostgreSQL(),
    "sqlite": _SQLite(),
    "mysql": _MySQL(),
}


def _way() -> _Way:
    return _WAYS[connection.vendor]
