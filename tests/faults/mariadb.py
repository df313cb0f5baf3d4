"""Databases of the fault tests on a MariaDB: `./dev test --mariadb` has its driver."""

from contextlib import closing
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import MySQLdb
from MySQLdb.constants import ER

from tests.mariadb import MariaDBServer


def connect(url: str) -> Any:
    parts = urlsplit(url)
    return MySQLdb.connect(
        host=parts.hostname,
        port=parts.port,
        user=parts.username,
        password=parts.password,
        database=parts.path.strip("/"),
        autocommit=True,
    )


def named(server: MariaDBServer, name: str) -> str:
    return urlunsplit(urlsplit(server.url)._replace(path=f"/{name}"))


def create(server: MariaDBServer, name: str) -> None:
    with closing(connect(server.url)) as connection:
        connection.query(f"CREATE DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin")


def copy(server: MariaDBServer, name: str, *, of: str) -> None:
    """A new database like another, with its rows and all of its constraints."""
    create(server, name)
    with closing(connect(named(server, name))) as connection, connection.cursor() as cursor:
        cursor.execute("SET foreign_key_checks = 0")
        cursor.execute(f"SHOW TABLES FROM {of}")
        tables = [row[0] for row in cursor.fetchall()]
        for table in tables:
            cursor.execute(f"SHOW CREATE TABLE {of}.{table}")
            cursor.execute(cursor.fetchone()[1])
            cursor.execute(f"INSERT INTO {table} SELECT * FROM {of}.{table}")  # noqa: S608 -- ours


def lock_learners(connection: Any) -> None:
    """Until the transaction of `connection` ends. A consumer at work may hold rows that come later
    and want some that we have: the server ends that by refusing us, who wrote nothing.
    """
    while True:
        try:
            connection.query("SELECT id FROM credentials_learner FOR UPDATE")
        except MySQLdb.OperationalError as error:
            if error.args[0] != ER.LOCK_DEADLOCK:
                raise
        else:
            return


def waits_for_a_lock(connection: Any) -> bool:
    """Asked of a counter: `information_schema.innodb_trx` answers from a copy that is renewed only
    when nobody has read it for 0.1 s, and so never for a caller who asks more often.
    """
    with connection.cursor() as cursor:
        cursor.execute("SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_current_waits'")
        return int(cursor.fetchone()[1]) > 0
