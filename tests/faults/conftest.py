"""A database with the badges, made once; each test works on a copy, with a Redis of its own."""

import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from tests.faults.academy import definitions
from tests.faults.place import Place
from tests.mariadb import MariaDBServer, mariadb_server
from tests.servers import PostgresServer, RedisServer, postgres_server, redis_server

ON_MARIADB = os.environ.get("LAUREL_TEST_DATABASE_URL", "").startswith("mysql:")
collect_ignore = [] if ON_MARIADB else ["on_mariadb"]

Copy = Callable[[Path], str]  # makes a copy for the test that owns the folder; its URL


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def sqlite_copy(tmp_path_factory: pytest.TempPathFactory, redis: RedisServer) -> Copy:
    folder = tmp_path_factory.mktemp("sqlite")
    original = folder / "laurel.sqlite3"
    _prepare(Place(folder, f"sqlite:///{original}", redis))
    with closing(sqlite3.connect(original)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # the file is all there is

    def copy(to: Path) -> str:
        return f"sqlite:///{shutil.copy(original, to / 'laurel.sqlite3')}"

    return copy


@pytest.fixture(scope="session")
def postgres_copy(
    tmp_path_factory: pytest.TempPathFactory, redis: RedisServer, postgres: PostgresServer
) -> Copy:
    _create(postgres, "original", of="template0")
    _prepare(Place(tmp_path_factory.mktemp("postgres"), _named(postgres, "original"), redis))
    names = iter(f"copy{number}" for number in range(1_000))

    def copy(_to: Path) -> str:
        name = next(names)
        _create(postgres, name, of="original")
        return _named(postgres, name)

    return copy


def _prepare(place: Place) -> None:
    file = place.folder / "import.json"
    file.write_text(json.dumps(definitions()))
    place.run("-m", "tests.faults.inside", str(file))


def _create(server: PostgresServer, name: str, *, of: str) -> None:
    with closing(psycopg.connect(server.url, autocommit=True)) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {of}")


def _named(server: PostgresServer, name: str) -> str:
    return urlunsplit(urlsplit(server.url)._replace(path=f"/{name}"))


@pytest.fixture
def durable_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """One that a test may kill: what it has answered is on disk."""
    with redis_server(tmp_path / "redis", durable=True) as server:
        yield server


@pytest.fixture
def sqlite_place(tmp_path: Path, durable_redis: RedisServer, sqlite_copy: Copy) -> Iterator[Place]:
    yield from _until_the_end(Place(tmp_path, sqlite_copy(tmp_path), durable_redis))


@pytest.fixture
def postgres_place(
    tmp_path: Path, durable_redis: RedisServer, postgres_copy: Copy
) -> Iterator[Place]:
    yield from _until_the_end(Place(tmp_path, postgres_copy(tmp_path), durable_redis))


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDBServer]:
    with mariadb_server() as server:
        yield server


@pytest.fixture(scope="session")
def mariadb_copy(
    tmp_path_factory: pytest.TempPathFactory, redis: RedisServer, mariadb: MariaDBServer
) -> Copy:
    from tests.faults import mariadb as databases  # its driver is not always here

    databases.create(mariadb, "original")
    url = databases.named(mariadb, "original")
    _prepare(Place(tmp_path_factory.mktemp("mariadb"), url, redis))
    names = iter(f"copy{number}" for number in range(1_000))

    def copy(_to: Path) -> str:
        name = next(names)
        databases.copy(mariadb, name, of="original")
        return databases.named(mariadb, name)

    return copy


@pytest.fixture
def mariadb_place(
    tmp_path: Path, durable_redis: RedisServer, mariadb_copy: Copy
) -> Iterator[Place]:
    yield from _until_the_end(Place(tmp_path, mariadb_copy(tmp_path), durable_redis))


@pytest.fixture(params=["mariadb_place"] if ON_MARIADB else ["sqlite_place", "postgres_place"])
def place(request: pytest.FixtureRequest) -> Place:
    found: Place = request.getfixturevalue(request.param)
    return found


def _until_the_end(place: Place) -> Iterator[Place]:
    yield place
    for each in place.consumers:
        each.kill()
