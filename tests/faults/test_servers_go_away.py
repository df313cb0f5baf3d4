"""Redis and the database are stopped, crash, or are busy for long, while a consumer works."""

import re
import sqlite3
from contextlib import closing
from functools import partial
from typing import Final
from urllib.parse import urlsplit

import psycopg

from tests.faults.place import Place, wait_for
from tests.faults.proxy import Point, Proxy
from tests.servers import PostgresServer, Process

NO_REDIS: Final = "connection lost .*ConnectionError"
NO_DATABASE: Final = "connection lost .*DatabaseGoneError"
WAITING: Final = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
)
END_ALL: Final = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"


def wait_for_complaints(place: Place, consumer: Process, number: int, complaint: str) -> None:
    wait_for(consumer, lambda: len(re.findall(complaint, place.log)) >= number, what=complaint)


def is_waiting(watching: "psycopg.Connection[tuple[int]]") -> bool:
    return watching.execute(WAITING).fetchone() == (1,)


def test_redis_is_stopped_and_crashes(place: Place) -> None:
    place.publish()
    with Proxy(place.redis.port) as proxy:
        consumer = place.consumer(env={"REDIS_URL": proxy.url})
        for time, end in enumerate((place.redis.stop, place.redis.kill), start=1):
            proxy.arm(Point.ACKNOWLEDGING, passes=20, action=end)
            wait_for(consumer, lambda: not proxy.is_armed, what="the end of Redis")
            wait_for_complaints(place, consumer, time, NO_REDIS)
            place.redis.start()
        place.wait_until_all_is_read(consumer)
    place.check()


def test_postgresql_is_stopped_and_crashes(postgres_place: Place, postgres: PostgresServer) -> None:
    place = postgres_place
    place.publish()
    with Proxy(place.redis.port) as proxy:
        consumer = place.consumer(env={"REDIS_URL": proxy.url})
        proxy.arm(Point.DELIVERED, passes=20, action=postgres.stop)
        wait_for_complaints(place, consumer, 1, NO_DATABASE)
        wait_for(consumer, lambda: not proxy.is_armed, what="the end of PostgreSQL")

        postgres.start()
        # The crash finds it in a transaction, waiting for a lock that we hold.
        with closing(psycopg.connect(place.database_url)) as ours:
            lock = partial(ours.execute, "LOCK TABLE credentials_learner IN EXCLUSIVE MODE")
            proxy.arm(Point.DELIVERED, passes=20, action=lock)
            # Ours may have to wait for the batch before: that wait is not the one meant.
            wait_for(consumer, lambda: not proxy.is_armed, what="our lock")
            with closing(psycopg.connect(place.database_url, autocommit=True)) as watching:
                wait_for(consumer, partial(is_waiting, watching), what="its lock")
            postgres.kill()
        wait_for_complaints(place, consumer, 2, NO_DATABASE)

        postgres.start()
        place.wait_until_all_is_read(consumer)
    place.check()


def test_postgresql_is_for_reading_only(postgres_place: Place, postgres: PostgresServer) -> None:
    """As a server is that another one takes over from, or whose disk runs full."""
    place = postgres_place
    place.publish()
    with (
        closing(psycopg.connect(postgres.url, autocommit=True)) as other,
        Proxy(place.redis.port) as proxy,
    ):
        name = urlsplit(place.database_url).path[1:]

        def take_no_writes() -> None:
            other.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
            other.execute(END_ALL, [name])

        consumer = place.consumer(env={"REDIS_URL": proxy.url})
        proxy.arm(Point.DELIVERED, passes=20, action=take_no_writes)
        wait_for_complaints(place, consumer, 2, NO_DATABASE)
        other.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = off")
        place.wait_until_all_is_read(consumer)
    place.check()


def test_sqlite_is_busy_for_long(sqlite_place: Place) -> None:
    """Another process writes for longer than ours waits, again and again."""
    place = sqlite_place
    place.publish()
    file = place.database_url.removeprefix("sqlite:///")
    other = sqlite3.connect(file, timeout=60, isolation_level=None, check_same_thread=False)
    with closing(other), Proxy(place.redis.port) as proxy:
        consumer = place.consumer(env={"REDIS_URL": proxy.url, "FAULTS_SQLITE_TIMEOUT": "0.2"})
        for time in (1, 2):
            proxy.arm(Point.DELIVERED, passes=20, action=lambda: other.execute("BEGIN IMMEDIATE"))
            wait_for_complaints(place, consumer, time, NO_DATABASE)
            other.execute("ROLLBACK")
        place.wait_until_all_is_read(consumer)
    place.check()
