"""Yardstick "floor": the least that anybody must do with the messages of a stream.

Reads batches of 500, decodes them to plain dictionaries, stores them under a unique event id and
upserts the learners, with the fastest bulk statements the database has; then acknowledges. No
ORM, no rules, no checks. Tables of its own beside those of the service.
"""

import io
import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from typing import Any, Final, Protocol

import fastavro
import orjson
import psycopg
from django.conf import settings
from django.db import connection
from openedx_events.event_bus.avro.schema import schema_from_signal
from openedx_events.learning.signals import COURSE_PASSING_STATUS_UPDATED

from tests.benchmarks import stream as streams
from tests.benchmarks.stream import Stream

_BATCH: Final = 500
_CONSUMER: Final = "floor"
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS floor_learner (
    lms_user_id BIGINT PRIMARY KEY, username TEXT, email TEXT, name TEXT, is_active BOOLEAN,
    profile_time {time}
);
CREATE TABLE IF NOT EXISTS floor_event (
    event_id {uuid} PRIMARY KEY, event_type TEXT, event_time {time}, source TEXT,
    lms_user_id BIGINT, payload {json}
)"""
_UPSERT: Final = """
ON CONFLICT (lms_user_id) DO UPDATE SET username = excluded.username, email = excluded.email,
    name = excluded.name, is_active = excluded.is_active, profile_time = excluded.profile_time"""

_LEARNER: Final = {
    "lms_user_id": "bigint",
    "username": "text",
    "email": "text",
    "name": "text",
    "is_active": "boolean",
    "profile_time": "timestamptz",
}

Row = tuple[Any, ...]


class Store(Protocol):
    def create(self) -> None: ...

    def empty(self) -> None: ...

    def write(self, events: Sequence[Row], learners: Sequence[Row]) -> None:
        """One transaction."""

    def count(self) -> int: ...

    def close(self) -> None: ...


def store() -> Store:
    """A connection of its own to the database of the service."""
    return PostgresStore() if connection.vendor == "postgresql" else SQLiteStore()


def consume(stream: Stream, *, into: Store, group: str) -> None:
    schema = fastavro.parse_schema(schema_from_signal(COURSE_PASSING_STATUS_UPDATED))
    with closing(streams.client()) as server:
        server.xgroup_create(stream.topic, group, id="0")
        while entries := _read(server, stream.topic, group):
            events: list[Row] = []
            learners: dict[int, Row] = {}
            for _, fields in entries:
                data: Any = fastavro.schemaless_reader(io.BytesIO(fields[b"event_data"]), schema)
                payload = data["course_passing_status"]
                user = payload["user"]
                time = fields[b"time"].decode()
                events.append(
                    (
                        fields[b"id"].decode(),
                        fields[b"type"].decode(),
                        time,
                        fields[b"source"].decode(),
                        user["id"],
                        json.dumps(payload),
                    )
                )
                pii = user["pii"]
                learners[user["id"]] = (
                    user["id"],
                    pii["username"],
                    pii["email"],
                    pii["name"],
                    user["is_active"],
                    time,
                )
            into.write(events, list(learners.values()))
            server.xack(stream.topic, group, *(entry_id for entry_id, _ in entries))


def _read(server: Any, topic: str, group: str) -> Any:
    answer = server.xreadgroup(group, _CONSUMER, {topic: ">"}, count=_BATCH)
    if not answer:
        return []
    if isinstance(answer, dict):  # RESP3
        (entries,) = answer.values()
        return entries[0]
    return answer[0][1]


class SQLiteStore:
    def __init__(self) -> None:
        options = settings.DATABASES["default"]
        self._db = sqlite3.connect(options["NAME"], isolation_level=None, timeout=30)
        for pragma in options["OPTIONS"]["init_command"].split(";"):
            self._db.execute(pragma)

    def create(self) -> None:
        self._db.executescript(_TABLES.format(time="TEXT", uuid="TEXT", json="TEXT"))

    def empty(self) -> None:
        self._db.executescript("DELETE FROM floor_event; DELETE FROM floor_learner")

    def write(self, events: Sequence[Row], learners: Sequence[Row]) -> None:
        self._db.execute("BEGIN IMMEDIATE")
        self._db.executemany(
            f"INSERT INTO floor_learner VALUES (?, ?, ?, ?, ?, ?) {_UPSERT}",  # noqa: S608 -- constants
            learners,
        )
        if events:
            self._db.executemany("INSERT INTO floor_event VALUES (?, ?, ?, ?, ?, ?)", events)
        self._db.execute("COMMIT")

    def count(self) -> int:
        ((found,),) = self._db.execute("SELECT COUNT(*) FROM floor_event")
        return int(found)

    def close(self) -> None:
        self._db.close()


class PostgresStore:
    def __init__(self) -> None:
        options = settings.DATABASES["default"]
        self._db = psycopg.connect(
            host=options["HOST"],
            port=options["PORT"],
            user=options["USER"],
            password=options["PASSWORD"],
            dbname=options["NAME"],
        )

    def create(self) -> None:
        for statement in _TABLES.format(time="TIMESTAMPTZ", uuid="UUID", json="JSONB").split(";"):
            self._db.execute(statement.encode())
        self._db.commit()

    def empty(self) -> None:
        self._db.execute("TRUNCATE floor_event, floor_learner")
        self._db.commit()

    def write(self, events: Sequence[Row], learners: Sequence[Row]) -> None:
        columns = ", ".join(f"{name} {kind}" for name, kind in _LEARNER.items())
        document = orjson.dumps([dict(zip(_LEARNER, each, strict=True)) for each in learners])
        with self._db.cursor() as cursor:
            cursor.execute(
                "INSERT INTO floor_learner SELECT * FROM"  # noqa: S608 -- constants
                f" json_to_recordset(%s::json) AS new ({columns}) {_UPSERT}",
                [document.decode()],
            )
            if events:
                with cursor.copy("COPY floor_event FROM STDIN") as copy:
                    for row in events:
                        copy.write_row(row)
        self._db.commit()

    def count(self) -> int:
        row = self._db.execute("SELECT COUNT(*) FROM floor_event").fetchone()
        self._db.commit()
        return int(row[0]) if row else 0

    def close(self) -> None:
        self._db.close()
