"""Awards and revocations reach the bus in order and at least once, whatever dies on the way."""

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import attrs
import pytest
import redis as redis_client

from events.event import Event
from events.wire import Message, decode
from tests.functional.stories import passes
from tests.functional.test_consumer_is_killed import Place, database
from tests.servers import PYTHON, Process, RedisServer, redis_server

__all__ = ["database"]
TOPIC = "learning-badges-lifecycle"
LEARNERS = 150  # each is awarded a badge and loses it: two rows, more than a page of them
_ROWS = (
    "SELECT event_id, kind, uuid FROM credentials_outboxevent AS o"
    " JOIN credentials_usercredential AS c ON c.id = o.credential_id WHERE {where} ORDER BY o.id"
)


@attrs.frozen
class Row:
    event_id: UUID
    type: str
    credential: UUID


@attrs.define
class Outbox:
    """A service whose outbox is full, with a bus that may be stopped."""

    place: Place
    bus: RedisServer

    def publisher(self, **changes: str) -> Process:
        return Process(
            [PYTHON, "-m", "tests.fakes.fragile_publisher"],
            env={**self.place.env, "REDIS_URL": self.bus.url, **changes},
            log=self.place.folder / "publisher.log",
        )

    def rows(self, where: str = "1 = 1") -> list[Row]:
        found = self._query(_ROWS.format(where=where))
        return [
            Row(UUID(event_id), f"org.openedx.learning.badge.{kind}.v1", UUID(credential))
            for event_id, kind, credential in found
        ]

    def waiting(self) -> list[Row]:
        return self.rows("published_at IS NULL")

    def end_lease(self) -> None:
        """As two minutes would."""
        self._query("UPDATE credentials_lease SET until = '2026-01-01 00:00:00'")

    def heard(self) -> list[Row]:
        """What lies on the bus, in order."""
        with redis_client.Redis.from_url(self.bus.url) as client:
            entries: Any = client.xrange(TOPIC)
        return [_row(decode(Message(origin="", fields=fields))) for _, fields in entries]

    def length(self) -> int:
        with redis_client.Redis.from_url(self.bus.url) as client:
            length: Any = client.xlen(TOPIC)
        return int(length)

    def _query(self, sql: str) -> list[Any]:
        with sqlite3.connect(self.place.database) as connection:
            found = connection.execute(sql).fetchall()
        connection.close()
        return found


def _row(event: Event) -> Row:
    return Row(event.id, event.type, UUID(event.payload.uuid))


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory, database: Path) -> Path:
    """A database file with a full outbox, made once."""
    folder = tmp_path_factory.mktemp("full")
    with redis_server(folder / "redis") as server:
        place = Place(folder, redis_url=server.url)
        shutil.copy(database, place.database)
        place.publish([event for number in range(LEARNERS) for event in won_and_lost(number)])
        assert place.consumer(until_idle=True, batch_size=500).wait(seconds=60) == 0
    return place.database


def won_and_lost(number: int) -> Iterator[dict[str, Any]]:
    story = (passes("ann", 1, minute=1), passes("ann", 2, minute=2),
             passes("ann", 1, minute=3, passing=False))  # fmt: skip
    for which, event in enumerate(story):
        event["id"] = str(UUID(int=number * 10 + which + 1))
        user = event["data"]["course_passing_status"]["user"]
        user["id"] = 1000 + number
        user["pii"]["username"] = f"learner{number}"
        yield event


@pytest.fixture
def outbox(tmp_path: Path, full: Path) -> Iterator[Outbox]:
    with redis_server(tmp_path / "redis") as server:
        place = Place(tmp_path, redis_url=server.url)
        shutil.copy(full, place.database)
        yield Outbox(place, server)


# What is sent and marked goes in pages of 200.
POINTS = (
    {"KILL_BEFORE_SEND": "0"},
    {"KILL_AFTER_SEND": "0"},
    {"KILL_AFTER_SEND": "120"},
    {"KILL_AFTER_SEND": "199"},  # the last of a page
    {"KILL_AT_MARK": "before"},
    {"KILL_AT_MARK": "after"},
    {"KILL_AFTER_SEND": "0"},
    {"KILL_AFTER_SEND": "99"},  # the very last
    {"KILL_AT_MARK": "before"},
)


def test_killed_anywhere_it_goes_on_in_order_with_what_is_not_marked(outbox: Outbox) -> None:
    rows = outbox.rows()
    assert len(rows) == 2 * LEARNERS
    heard: list[Row] = []
    for point in (*POINTS, {}):
        waiting = outbox.waiting()
        outbox.end_lease()
        with outbox.publisher(**point) as publisher:
            assert publisher.wait(seconds=60) == (-9 if point else 0), publisher.output()
        new = outbox.heard()[len(heard) :]
        assert new == waiting[: len(new)], point
        heard += new
    assert list(dict.fromkeys(heard)) == rows  # in the order in which each was heard first
    assert not outbox.waiting()


def test_the_bus_goes_away_in_the_middle_and_comes_back(outbox: Outbox) -> None:
    rows = outbox.rows()
    for end in (outbox.bus.stop, outbox.bus.kill):
        heard, waiting = outbox.length(), outbox.waiting()
        with outbox.publisher(SEND_SECONDS="0.005") as publisher:
            publisher.wait_for(lambda: outbox.length() >= heard + 50, what="the middle")  # noqa: B023
            end()
            assert publisher.wait(seconds=60) == 0  # a bus that is away is nobody's fault
        assert "not published" in publisher.output()
        left = outbox.waiting()
        assert 0 < len(left) < len(waiting)
        assert outbox.rows("last_error != ''") == left[:1]
        outbox.bus.start()

    with outbox.publisher() as publisher:
        assert publisher.wait(seconds=60) == 0

    assert list(dict.fromkeys(outbox.heard())) == rows
    assert not outbox.rows("published_at IS NULL OR last_error != ''")


def test_of_several_at_once_one_publishes(outbox: Outbox) -> None:
    slow = {"SEND_SECONDS": "0.005"}
    with (
        outbox.publisher(**slow) as first,
        outbox.publisher(**slow) as second,
        outbox.publisher(**slow) as third,
    ):
        assert [each.wait(seconds=60) for each in (first, second, third)] == [0, 0, 0]
    assert outbox.heard() == outbox.rows()
