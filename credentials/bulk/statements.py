"""The statements of each database."""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain, repeat
from typing import Any, Final, Protocol

from django.db import connection

from credentials.bulk.tables import Columns, Row, Table, array, flat

Query = tuple[str, list[Any]]

# Of one statement on MySQL and MariaDB: far below the usual max_allowed_packet of 16 MB.
_MYSQL_ROWS: Final = 1_000
_MYSQL_BYTES: Final = 2_000_000
_SQLITE_ROWS: Final = 100
_OWN_MARK: Final = "?"  # of SQLite: Django would look for thousands of %s, batch after batch


class Way(Protocol):
    """The values come column by column, as Table.prepared gives them; of one row at least."""

    def select(self, table: Table, by: Table, among: Columns) -> Query: ...

    def insert(self, table: Table, columns: Columns) -> None: ...

    def insert_missing(self, table: Table, columns: Columns) -> None: ...

    def update(self, table: Table, columns: Columns) -> None: ...


class _PostgreSQL:
    """New rows in binary, all others as one document of JSON: psycopg writes an array as text item
    by item, and quotes it once more in the statement (measured: six times the time in Python).
    """

    def select(self, table: Table, by: Table, among: Columns) -> Query:
        found = f"SELECT {table.answer} FROM {by.records('wanted')}"
        return f"{found} JOIN {table.name} ON {by.equals('wanted')}", [by.document(among)]

    def insert(self, table: Table, columns: Columns) -> None:
        with (
            connection.wrap_database_errors,
            connection.cursor() as cursor,
            cursor.copy(f"COPY {table.target} FROM STDIN (FORMAT BINARY)") as copy,
        ):
            copy.set_types(table.types)
            for row in zip(*columns, strict=True):
                copy.write_row(row)

    def insert_missing(self, table: Table, columns: Columns) -> None:
        self._run(
            f"INSERT INTO {table.target} SELECT * FROM {table.records('new')}"
            " ON CONFLICT DO NOTHING",
            table,
            columns,
        )

    def update(self, table: Table, columns: Columns) -> None:
        assignments = ", ".join(f"{each} = new.{each}" for each in table.columns[1:])
        self._run(
            f"UPDATE {table.name} SET {assignments} FROM {table.records('new')}"
            f" WHERE {table.name}.{table.key} = new.{table.key}",
            table,
            columns,
        )

    def _run(self, statement: str, table: Table, columns: Columns) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement, [table.document(columns)])


class _SQLite:
    def select(self, table: Table, by: Table, among: Columns) -> Query:
        # CROSS JOIN: the wanted rows lead and the index answers; SQLite scans the table otherwise.
        values = [f"json_extract(wanted.value, '$[{number}]')" for number in range(len(by.columns))]
        if len(by.columns) == 1:
            values = ["wanted.value"]
        pairs = zip(by.columns, values, strict=True)
        condition = " AND ".join(f"{table.name}.{column} = {value}" for column, value in pairs)
        found = f"SELECT {table.answer} FROM json_each(%s) AS wanted CROSS JOIN {table.name}"
        return f"{found} ON {condition}", [array(among)]

    def insert(self, table: Table, columns: Columns, *, otherwise: str = "") -> None:
        def statement(count: int) -> str:
            marks = table.marks(count, mark=_OWN_MARK)
            return f"INSERT INTO {table.target} VALUES {marks}{otherwise}"

        self._run(statement, columns)

    def insert_missing(self, table: Table, columns: Columns) -> None:
        # Not INSERT OR IGNORE: that would also leave out rows that break a check.
        self.insert(table, columns, otherwise=" ON CONFLICT DO NOTHING")

    def update(self, table: Table, columns: Columns) -> None:
        where = f"WHERE {table.name}.{table.key} ="

        def statement(count: int) -> str:
            if count == 1:  # five times as fast as VALUES of one row
                values = ", ".join(f"{each} = {_OWN_MARK}" for each in table.columns[1:])
                return f"UPDATE {table.name} SET {values} {where} {_OWN_MARK}"
            # So SQLite calls the columns of a VALUES that nobody named.
            names = [f"new.column{number}" for number in range(1, len(table.columns) + 1)]
            pairs = zip(table.columns[1:], names[:-1], strict=True)
            values = ", ".join(f"{each} = {name}" for each, name in pairs)
            new = f"(VALUES {table.marks(count, mark=_OWN_MARK)}) AS new"
            return f"UPDATE {table.name} SET {values} FROM {new} {where} {names[-1]}"

        keys, *values = columns
        self._run(statement, [*values, keys])

    def _run(self, statement: Callable[[int], str], columns: Columns) -> None:
        """By the hundred, which is a fifth faster, then the rest one by one: so each statement is
        compiled once in the life of a connection.
        """
        width, number = len(columns), len(columns[0])
        all_values = flat(columns)
        hundreds = number // _SQLITE_ROWS * _SQLITE_ROWS
        with connection.cursor() as cursor:
            for start, end, count in ((0, hundreds, _SQLITE_ROWS), (hundreds, number, 1)):
                if start < end:
                    values = iter(all_values[start * width : end * width])
                    cursor.executemany(statement(count), list(_cut(values, size=count * width)))


class _MySQL:
    def select(self, table: Table, by: Table, among: Columns) -> Query:
        condition = f"({', '.join(by.columns)}) IN ({by.marks(len(among[0]))})"
        return f"SELECT {table.answer} FROM {table.name} WHERE {condition}", flat(among)

    def insert(self, table: Table, columns: Columns, *, otherwise: str = "") -> None:
        for piece in _pieces(columns):
            marks = table.marks(len(piece))
            self._run(f"INSERT INTO {table.target} VALUES {marks}{otherwise}", piece)

    def insert_missing(self, table: Table, columns: Columns) -> None:
        # Not INSERT IGNORE: that would also swallow rows that break a check or lack their parent.
        self.insert(
            table,
            columns,
            otherwise=f" ON DUPLICATE KEY UPDATE {table.key} = {table.name}.{table.key}",
        )

    def update(self, table: Table, columns: Columns) -> None:
        named = ", ".join(f"%s AS {each}" for each in table.columns)
        marks = ", ".join(repeat("%s", len(table.columns)))
        assignments = ", ".join(f"{table.name}.{c} = new.{c}" for c in table.columns[1:])
        for piece in _pieces(columns):
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


def _cut(values: Iterator[Any], *, size: int) -> Iterator[tuple[Any, ...]]:
    """Tuples of `size` values until there are no more."""
    return zip(*[values] * size, strict=True)


def _pieces(columns: Columns) -> Iterator[list[Row]]:
    """Rows, as many as one statement takes; at least one, however large."""
    piece: list[Row] = []
    size = 0
    for row in zip(*columns, strict=True):
        its_size = sum(len(each) for each in row if isinstance(each, str | bytes))
        if piece and (len(piece) >= _MYSQL_ROWS or size + its_size > _MYSQL_BYTES):
            yield piece
            piece, size = [], 0
        piece.append(row)
        size += its_size
    yield piece


_WAYS: Final[dict[str, Way]] = {
    "postgresql": _PostgreSQL(),
    "sqlite": _SQLite(),
    "mysql": _MySQL(),
}


def way() -> Way:
    return _WAYS[connection.vendor]
