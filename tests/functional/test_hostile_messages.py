"""Messages with every field spoilt in every way, broken bytes of every event type, clocks that are
wrong and a group that somebody moved: nothing stops the others, and of everything there is a row.
"""

import random
from typing import Any, Final
from uuid import UUID

import pytest
import redis as redis_client

from events.models import InboxEvent
from events.registry import subscriptions
from tests.functional.conftest import Service
from tests.functional.stories import EXPLORER, PASSING, explorer, passes
from tests.servers import RedisServer
from tests.unit.events.test_hostile_messages import SOUND, message

State = InboxEvent.State
MEGABYTE: Final = 1_000_000  # still below what is accepted
WAYS: Final[dict[str, bytes | None]] = {
    "missing": None,
    "empty": b"",
    "a megabyte": b"7" * MEGABYTE,
    "not UTF-8": b"\xff\xfe",
    "a number": b"7",
    "NUL": b"\x00",
}
ACCEPTED, FAILED, NO_ROW = "accepted", "failed", ""
# What a message with one spoilt field ends as. One of a type that nobody knows is counted only.
ENDS: Final[dict[str, dict[str, str]]] = {
    "type": {**dict.fromkeys(WAYS, NO_ROW), "missing": FAILED, "empty": FAILED},
    "id": dict.fromkeys(WAYS, FAILED),
    "time": dict.fromkeys(WAYS, FAILED),
    "source": {**dict.fromkeys(WAYS, ACCEPTED), "not UTF-8": FAILED},
    "sourcehost": {**dict.fromkeys(WAYS, ACCEPTED), "not UTF-8": FAILED},
    "sourcelib": dict.fromkeys(WAYS, ACCEPTED),
    "minorversion": dict.fromkeys(WAYS, ACCEPTED),
    "event_data": dict.fromkeys(WAYS, FAILED),
}


@pytest.fixture
def bus(redis: RedisServer) -> Any:
    with redis_client.Redis.from_url(redis.url) as client:
        yield client


def spoilt(field: str, way: str, *, number: int) -> dict[bytes, bytes]:
    fields = dict(message(PASSING, SOUND[PASSING], id=str(UUID(int=number))).fields)
    value = WAYS[way]
    del fields[field.encode()]
    return fields if value is None else {**fields, field.encode(): value}


@pytest.mark.parametrize("batch_size", [7, 500])
def test_every_field_spoilt_in_every_way(service: Service, bus: Any, batch_size: int) -> None:
    service.load(explorer())
    service.publish([passes("ann", 1, minute=1)])
    cases = [(field, way) for field in ENDS for way in WAYS]
    origins = [
        f"{service.topic}/{bus.xadd(service.topic, spoilt(*case, number=number)).decode()}"
        for number, case in enumerate(cases, start=1)
    ]
    service.publish([passes("ann", 2, minute=2)])

    assert service.consume(batch_size=batch_size) == 0

    badge = service.badge("ann", EXPLORER)
    assert badge
    assert badge["complete"]
    rows = {each.origin: each for each in InboxEvent.objects.all()}
    found = {case: rows.get(origin) for case, origin in zip(cases, origins, strict=True)}
    assert {case: row.state if row else NO_ROW for case, row in found.items()} == {
        (field, way): ENDS[field][way] for field, way in cases
    }
    for row in rows.values():
        assert len(row.reason) <= 8_000
        assert bool(row.raw) == (row.state == State.FAILED)
    assert bus.xpending(service.topic, "laurel")["pending"] == 0


@pytest.mark.parametrize("batch_size", [20, 500])
def test_broken_bytes_of_every_event_type(service: Service, bus: Any, batch_size: int) -> None:
    """Many of them still are events, with values that nobody foresaw."""
    service.load(explorer())
    service.publish([passes("ann", 1, minute=1)])
    dice = random.Random("bytes")
    types = sorted(subscriptions())
    ids = [UUID(int=number) for number in range(1, 331)]
    for event_id in ids:
        event_type = dice.choice(types)
        data = bytearray(SOUND[event_type])
        for _ in range(dice.randint(1, 3)):
            data[dice.randrange(len(data))] = dice.randrange(256)
        sent = message(event_type, bytes(data), id=str(event_id))
        bus.xadd(service.topic, dict(sent.fields))
    service.publish([passes("ann", 2, minute=2)])

    assert service.consume(batch_size=batch_size) == 0

    badge = service.badge("ann", EXPLORER)
    assert badge
    assert badge["complete"]
    states = dict(InboxEvent.objects.values_list("event_id", "state"))
    ends = {states[each] for each in ids}
    assert {ACCEPTED, FAILED} <= ends <= {ACCEPTED, "ignored", FAILED}
    assert bus.xpending(service.topic, "laurel")["pending"] == 0


def test_clocks_that_are_a_day_wrong(service: Service, bus: Any) -> None:
    """The time of the event counts, also when it is still to come: a failure that happened before
    the pass, by the clocks of the platform, takes nothing away.
    """
    service.load(explorer())
    tomorrow = {**passes("ann", 1, minute=1), "time": "2999-01-02T10:00:00+00:00"}
    yesterday = {**passes("ann", 1, minute=2, passing=False), "time": "2999-01-01T10:00:00+00:00"}
    long_ago = {**passes("ann", 2, minute=3), "time": "1971-01-01T10:00:00+00:00"}
    service.publish([tomorrow, yesterday, long_ago])
    assert service.consume() == 0
    badge = service.badge("ann", EXPLORER)
    assert badge
    assert badge["credential"]["status"] == "awarded"
    assert service.state()["inbox"]["accepted"] == 3


@pytest.mark.parametrize("how", ["moved to the start", "destroyed"])
def test_a_group_that_somebody_reset(service: Service, bus: Any, how: str) -> None:
    """All is delivered again, and dropped."""
    service.load(explorer())
    service.publish([passes("ann", 1, minute=1), passes("ann", 2, minute=2)])
    assert service.consume() == 0
    before = service.state()
    if how == "destroyed":
        bus.xgroup_destroy(service.topic, "laurel")
    else:
        bus.xgroup_setid(service.topic, "laurel", "0")
    assert service.consume() == 0
    after = service.state()
    assert after["learners"] == before["learners"]
    assert after["inbox"] == {**before["inbox"], "duplicate": 2}
