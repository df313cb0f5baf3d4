"""The MariaDB that tests start (as tests/functional/test_servers.py shows it for the others)."""

from urllib.parse import urlsplit

import MySQLdb
import pytest

from tests.mariadb import MariaDBServer, mariadb_server


def count_in(server: MariaDBServer, statement: str = "", *, password: str | None = None) -> int:
    """Runs the statement, then counts the rows of the table `badge`."""
    parts = urlsplit(server.url)
    connection = MySQLdb.connect(
        host=parts.hostname,
        port=parts.port,
        user=parts.username,
        password=parts.password if password is None else password,
        database=parts.path.strip("/"),
        autocommit=True,
    )
    try:
        cursor = connection.cursor()
        if statement:
            cursor.execute(statement)
        cursor.execute("SELECT count(*) FROM badge")
        return int(cursor.fetchone()[0])
    finally:
        connection.close()


def test_it_comes_back_on_its_port_with_what_was_committed() -> None:
    with mariadb_server() as server:
        url, directory = server.url, server.data_dir
        assert count_in(server, "CREATE TABLE badge SELECT 1 AS id") == 1
        server.stop()
        with pytest.raises(MySQLdb.OperationalError):
            count_in(server)
        server.start()
        assert count_in(server, "INSERT INTO badge VALUES (2)") == 2
        server.kill()
        server.start()
        assert server.url == url
        assert count_in(server) == 2
    assert not directory.exists()


def test_it_asks_for_a_password() -> None:
    with mariadb_server(durable=True) as server:
        assert count_in(server, "CREATE TABLE badge SELECT 1 AS id") == 1
        with pytest.raises(MySQLdb.OperationalError, match="Access denied"):
            count_in(server, password="another")
