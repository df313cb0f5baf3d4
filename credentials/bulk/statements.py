"""The statements of each database."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, repeat
from typing import Any, Final, Protocol

from django.db import connection

from credentials.bulk.tables import Row, Table

Query = tuple[str, list[Any]]

# Of one statement on MySQL and MariaDB: far below the usual max_allowed_packet of 16 MB.
_MYSQL_ROWS: Final = 1_000
_MYSQL_BYTES: Final = 2_000_000
_SQLITE_ROWS: Final = 100


class Way(Protocol):
    def select(self, table: Table, by: Table, among: Sequence[Row]) -> Query: ...

    def insert(self, table: Table, rows: Sequence[Row]) -> None: ...

    def insert_missing(self, table: Table, rows: Sequence[Row]) -> None: ...

    def update(self, table: Table, rows: Sequence[Row]) -> None: ...


class _PostgreSQL:
    """New rows in binary, all others as one document of JSON: psycopg writes an array as text item
    by item, and quotes it once more in the statement (measured: six times the time in Python).
    """

    def select(self, table: Table, by: Table, among: Sequence[Row]) -> Query:
        found = f"SELECT {table.answer} FROM {by.records('wanted')}"
        return f"{found} JOIN {table.name} ON {by.equals('wanted')}", [by.document(among)]

    def insert(self, table: Table, rows: Sequence[Row]) -> None:
        with (
            connection.wrap_database_errors,
            connection.cursor() as cursor,
            cursor.copy(f"COPY {table.target} FROM STDIN (FORMAT BINARY)") as copy,
        ):
            copy.set_types(table.types)
            for row in zip(*table.prepared(rows), strict=True):
                copy.write_row(row)

    def insert_missing(self, table: Table, rows: Sequence[Row]) -> None:
        self._run(
            f"INSERT INTO {table.target} SELECT * FROM {table.records('new')}"
            " ON CONFLICT DO NOTHING",
            table,
            rows,
        )

    def update(self, table: Table, rows: Sequence[Row]) -> None:
        assignments = ", ".join(f"{each} = new.{each}" for each in table.columns[1:])
        self._run(
            f"UPDATE {table.name} SET {assignments} FROM {table.records('new')}"
            f" WHERE {table.name}.{table.key} = new.{table.key}",
            table,
            rows,
        )

    def _run(self, statement: str, table: Table, rows: Sequence[Row]) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement, [table.document(rows)])


class _SQLite:
    def select(self, table: Table, by: Table, among: Sequence[Row]) -> Query:
        # CROSS JOIN: the wanted rows lead and the index answers; SQLite scans the table otherwise.
        wanted = f"WITH wanted ({', '.join(by.columns)}) AS (VALUES {by.marks(len(among))})"
        found = f"SELECT {table.answer} FROM wanted CROSS JOIN {table.name}"
        return f"{wanted} {found} ON {by.equals('wanted')}", by.flat(among)

    def insert(self, table: Table, rows: Sequence[Row], *, otherwise: str = "") -> None:
        def statement(count: int) -> str:
            return f"INSERT INTO {table.target} VALUES {table.marks(count)}{otherwise}"

        self._run(statement, table.prepared(rows))

    def insert_missing(self, table: Table, rows: Sequence[Row]) -> None:
        # Not INSERT OR IGNORE: that would also leave out rows that break a check.
        self.insert(table, rows, otherwise=" ON CONFLICT DO NOTHING")

    def update(self, table: Table, rows: Sequence[Row]) -> None:
        where = f"WHERE {table.name}.{table.key} ="

        def statement(count: int) -> str:
            if count == 1:  # five times as fast as VALUES of one row
                values = ", ".join(f"{each} = %s" for each in table.columns[1:])
                return f"UPDATE {table.name} SET {values} {where} %s"
            # So SQLite calls the columns of a VALUES that nobody named.
            names = [f"new.column{number}" for number in range(1, len(table.columns) + 1)]
            pairs = zip(table.columns[1:], names[:-1], strict=True)
            values = ", ".join(f"{each} = {name}" for each, name in pairs)
            new = f"(VALUES {table.marks(count)}) AS new"
            return f"UPDATE {table.name} SET {values} FROM {new} {where} {names[-1]}"

        keys, *values = table.prepared(rows)
        self._run(statement, [*values, keys])

    def _run(self, statement: Callable[[int], str], columns: Sequence[Sequence[Any]]) -> None:
        """By the hundred, then the rest one by one: so each statement is compiled once in the life
        of a connection. Python lets other threads go on while SQLite works on a hundred rows; when
        it worked on one, waiting for one's turn again took longer than the work.
        """
        width, number = len(columns), len(columns[0])
        flat = list(chain.from_iterable(zip(*columns, strict=True)))
        hundreds = number // _SQLITE_ROWS * _SQLITE_ROWS
        with connection.cursor() as cursor:
            for start, end, count in ((0, hundreds, _SQLITE_ROWS), (hundreds, number, 1)):
                if start < end:
                    values = iter(flat[start * width : end * width])
                    cursor.executemany(statement(count), list(_cut(values, size=count * width)))


class _MySQL:
    def select(self, table: Table, by: Table, among: Sequence[Row]) -> Query:
        condition = f"({', '.join(by.columns)}) IN ({by.marks(len(among))})"
        return f"SELECT {table.answer} FROM {table.name} WHERE {condition}", by.flat(among)

    def insert(self, table: Table, rows: Sequence[Row], *, otherwise: str = "") -> None:
        for piece in _pieces(table, rows):
            marks = table.marks(len(piece))
            self._run(f"INSERT INTO {table.target} VALUES {marks}{otherwise}", piece)

    def insert_missing(self, table: Table, rows: Sequence[Row]) -> None:
        # Not INSERT IGNORE: that would also swallow rows that break a check or lack their parent.
        self.insert(
            table,
            rows,
            otherwise=f" ON DUPLICATE KEY UPDATE {table.key} = {table.name}.{table.key}",
        )

    def update(self, table: Table, rows: Sequence[Row]) -> None:
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


def _cut(values: Iterator[Any], *, size: int) -> Iterator[tuple[Any, ...]]:
    """Tuples of `size` values until there are no more."""
    return zip(*[values] * size, strict=True)


def _pieces(table: Table, rows: Sequence[Row]) -> Iterator[list[Row]]:
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


_WAYS: Final[dict[str, Way]] = {
    "postgresql": _PostgreSQL(),
    "sqlite": _SQLite(),
    "mysql": _MySQL(),
}


def way() -> Way:
    return _WAYS[connection.vendor]
