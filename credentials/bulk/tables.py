"""A table and some of its columns, as bulk statements need them."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import cache
from itertools import chain, repeat
from operator import attrgetter
from typing import Any

import attrs
import orjson
from django.db import connection
from django.db.models import DateTimeField, Field, FileField, JSONField, Model, UUIDField

Row = tuple[Any, ...]
Column = Sequence[Any]
Columns = Sequence[Column]  # all of one length
Convert = Callable[[Column], list[Any]]


@attrs.frozen
class Same:
    """A column with one value in every row."""

    value: Any


@attrs.frozen
class Table:
    """A table and some of its columns, quoted; what turns their values into the database's."""

    name: str
    columns: tuple[str, ...]
    plain: tuple[str, ...]  # the columns without quotes
    key: str
    types: tuple[str, ...]
    converters: tuple[Convert | None, ...]
    readers: tuple[Convert | None, ...]

    def read(self, rows: Sequence[Row]) -> list[Row]:
        """What the database answered, as a model instance would hold it."""
        if not any(self.readers) or not rows:
            return rows if isinstance(rows, list) else list(rows)
        columns = [
            column if read is None else read(column)
            for read, column in zip(self.readers, zip(*rows, strict=True), strict=True)
        ]
        return list(zip(*columns, strict=True))

    def prepared(self, columns: Iterable[Column | Same], *, number: int) -> list[list[Any]]:
        """As the database takes them; `number`: how many rows."""
        return [
            _one(column.value, convert) * number
            if isinstance(column, Same)
            else _many(column, convert)
            for convert, column in zip(self.converters, columns, strict=True)
        ]

    def marks(self, rows: int, *, mark: str = "%s") -> str:
        row = f"({', '.join(repeat(mark, len(self.columns)))})"
        return ", ".join(repeat(row, rows))

    def equals(self, other: str) -> str:
        return " AND ".join(f"{self.name}.{each} = {other}.{each}" for each in self.columns)

    @property
    def target(self) -> str:
        return f"{self.name} ({', '.join(self.columns)})"

    @property
    def answer(self) -> str:
        return ", ".join(f"{self.name}.{each}" for each in self.columns)

    def records(self, alias: str) -> str:
        """PostgreSQL: rows that come as one parameter, `document`."""
        columns = ", ".join(map(" ".join, zip(self.columns, self.types, strict=True)))
        return f"json_to_recordset(%s::json) AS {alias} ({columns})"

    def document(self, columns: Columns) -> str:
        """For `records`."""
        objects = [dict(zip(self.plain, row, strict=True)) for row in zip(*columns, strict=True)]
        return orjson.dumps(objects, default=_plain).decode()


def array(columns: Columns) -> str:
    """SQLite: rows, or the values of an only column, as one parameter of `json_each`."""
    values = list(zip(*columns, strict=True)) if len(columns) > 1 else columns[0]
    return orjson.dumps(values).decode()


def flat(columns: Columns) -> list[Any]:
    """Row by row, in one list."""
    return list(chain.from_iterable(zip(*columns, strict=True)))


def _many(column: Column, convert: Convert | None) -> list[Any]:
    return list(column) if convert is None else convert(column)


def _one(value: Any, convert: Convert | None) -> list[Any]:
    return _many([value], convert)


def key_of(model: type[Model]) -> str:
    return model._meta.pk.attname


def table_of(model: type[Model], names: Sequence[str]) -> Table:
    """`names`: attribute names of concrete fields."""
    return _table(model, tuple(names), connection.vendor)


@cache
def _table(model: type[Model], names: tuple[str, ...], _vendor: str) -> Table:
    quote = connection.ops.quote_name
    by_name = {each.attname: each for each in model._meta.concrete_fields}
    fields = [by_name[name] for name in names]
    return Table(
        name=quote(model._meta.db_table),
        columns=tuple(quote(str(each.column)) for each in fields),
        plain=tuple(str(each.column) for each in fields),
        key=quote(str(by_name[key_of(model)].column)),
        # Without its length: a cast to varchar(255) would cut a longer value without a word.
        types=tuple((each.db_type(connection) or "text").partition("(")[0] for each in fields),
        converters=tuple(map(_converter, fields)),
        readers=tuple(map(_reader, fields)),
    )


def _converter(field: "Field[Any, Any]") -> Convert | None:
    if isinstance(field, JSONField):
        if connection.vendor == "postgresql":
            return None  # part of the document; and see credentials.database.prepare
        return _each(lambda value: orjson.dumps(value).decode())
    if isinstance(field, FileField):
        return _each(str)  # its name
    if isinstance(field, UUIDField) and not connection.features.has_native_uuid_field:
        return _each(attrgetter("hex"))
    if isinstance(field, DateTimeField) and connection.vendor != "postgresql":
        return _in_utc
    return None


def _plain(value: Any) -> str:
    """What JSON has no form for, as PostgreSQL reads it."""
    return f"\\x{bytes(value).hex()}" if isinstance(value, bytes | memoryview) else str(value)


def _each(convert: Callable[[Any], Any]) -> Convert:
    return lambda column: [None if value is None else convert(value) for value in column]


def _in_utc(moments: Sequence[datetime | None]) -> list[str | None]:
    """As Django writes them where the database knows no time zones. A JSON writer has the whole
    column on paper before Python has asked five datetimes for their text.
    """
    in_utc = [m if m is None or m.tzinfo is UTC else m.astimezone(UTC) for m in moments]
    written = orjson.dumps(in_utc).replace(b"T", b" ").replace(b"+00:00", b"")
    texts: list[str | None] = orjson.loads(written)
    return texts


def _reader(field: "Field[Any, Any]") -> Convert | None:
    """Django's own converters, but for the one that is called for every learner of a batch."""
    if isinstance(field, DateTimeField) and connection.vendor != "postgresql":
        return _each(lambda moment: moment.replace(tzinfo=UTC))
    column = field.get_col(field.model._meta.db_table)
    converters = [*connection.ops.get_db_converters(column), *field.get_db_converters(connection)]
    if not converters:
        return None

    def read(value: Any) -> Any:
        for convert in converters:
            value = convert(value, column, connection)
        return value

    return _each(read)
