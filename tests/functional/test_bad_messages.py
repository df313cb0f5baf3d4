"""Messages that are no events, and events that nobody can process: kept aside, never in the way."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import attrs
import pytest
import redis as redis_client
from django.utils import timezone
from openedx_events.event_bus.avro.serializer import serialize_event_data_to_bytes

from badges.models import BadgeProgress
from consumer.models import ConsumerStatus
from events import inbox, replay
from events.jsonl import parse_line
from events.models import InboxEvent
from events.pipeline import handlers, process_batch
from events.registry import subscriptions
from events.wire import make_event
from tests.functional.conftest import Service
from tests.functional.stories import EXPLORER, PASSING, explorer, passes
from tests.servers import RedisServer

State = InboxEvent.State


@pytest.fixture
def bus(redis: RedisServer) -> Any:
    with redis_client.Redis.from_url(redis.url) as client:
        yield client


def fields(**changes: bytes | None) -> dict[bytes, bytes]:
    event = passes("bob", 1, minute=1)
    signal, data = _parsed(event)
    sound: dict[bytes, bytes | None] = {
        b"type": event["type"].encode(),
        b"id": str(uuid4()).encode(),
        b"time": event["time"].encode(),
        b"source": b"lms",
        b"sourcehost": b"host",
        b"sourcelib": b"10.5.0",
        b"minorversion": b"0",
        b"event_data": serialize_event_data_to_bytes(data, signal),
    }
    sound |= {name.encode(): value for name, value in changes.items()}
    return {name: value for name, value in sound.items() if value is not None}


def _parsed(event: dict[str, Any]) -> tuple[Any, Any]:
    parsed = parse_line(json.dumps(event), number=1)
    return parsed.signal, parsed.data


@pytest.mark.parametrize("batch_size", [1, 500])
@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"event_data": None}, State.FAILED),
        ({"event_data": b"\x02\x00broken"}, State.FAILED),
        ({"id": None}, State.FAILED),
        ({"event_data": b"x" * (1024 * 1024 + 1)}, State.FAILED),
        ({"time": b"2026-03-01T10:00:00"}, State.FAILED),
        ({"type": b"org.openedx.nobody.v1"}, None),
    ],
)
def test_the_neighbours_are_processed(
    service: Service,
    bus: Any,
    changes: dict[str, bytes | None],
    state: str | None,
    batch_size: int,
) -> None:
    service.load(explorer())
    service.publish([passes("ann", 1, minute=1)])
    bus.xadd(service.topic, fields(**changes))
    service.publish([passes("ann", 2, minute=2)])

    assert service.consume(batch_size=batch_size) == 0

    badge = service.badge("ann", EXPLORER)
    assert badge is not None
    assert badge["credential"]["status"] == "awarded"
    bad = InboxEvent.objects.exclude(state=State.ACCEPTED)
    if state is None:
        assert not bad.exists()
    else:
        row = bad.get()
        assert row.state == state
        assert row.reason
        assert row.raw
    assert bus.xpending(service.topic, "laurel")["pending"] == 0


def test_the_same_bad_message_delivered_again_is_one_row(service: Service, bus: Any) -> None:
    bus.xadd(service.topic, fields(id=None))
    service.consume()
    bus.xgroup_setid(service.topic, "laurel", "0")
    service.consume()
    row = InboxEvent.objects.get()
    assert row.attempts == 2


def test_a_sound_copy_replaces_a_broken_one(service: Service, bus: Any) -> None:
    service.load(explorer())
    event_id = str(UUID(int=77)).encode()
    bus.xadd(service.topic, fields(id=event_id, event_data=b"\x02"))
    service.consume()
    assert InboxEvent.objects.get().state == State.FAILED
    bus.xadd(service.topic, fields(id=event_id))
    service.consume()
    assert InboxEvent.objects.get().state == State.ACCEPTED


def test_a_broken_copy_of_a_sound_one_is_a_duplicate(service: Service, bus: Any) -> None:
    event_id = str(UUID(int=77)).encode()
    bus.xadd(service.topic, fields(id=event_id))
    bus.xadd(service.topic, fields(id=event_id, event_data=b"\x02"))
    assert service.consume(batch_size=1) == 0
    row = InboxEvent.objects.get()
    assert (row.state, row.duplicates) == (State.ACCEPTED, 1)
    status = ConsumerStatus.objects.get()
    assert status.counts == [[PASSING, "accepted", 1], [PASSING, "duplicate", 1]]


class TestAnEventThatCannotBeProcessed:
    @pytest.fixture(autouse=True)
    def _broken(self, settings: Any) -> Iterator[None]:
        """A handler that fails for bob, as a bug would."""
        settings.EVENT_HANDLERS = [f"{__name__}.fails_for_bob", "badges.flow.process"]
        handlers.cache_clear()
        yield
        handlers.cache_clear()

    @pytest.mark.parametrize("batch_size", [1, 3, 500])
    def test_it_is_alone_in_failing(self, service: Service, batch_size: int) -> None:
        service.load(explorer())
        events = [passes(who, n, minute=n) for n in (1, 2) for who in ("ann", "bob", "cid")]
        service.publish(events)
        assert service.consume(batch_size=batch_size) == 0
        for who in ("ann", "cid"):
            badge = service.badge(who, EXPLORER)
            assert badge is not None
            assert badge["complete"]
        assert InboxEvent.objects.filter(state=State.FAILED).count() == 2
        assert "a bug" in InboxEvent.objects.filter(state=State.FAILED)[0].reason
        assert not BadgeProgress.objects.filter(learner__username="bob").exists()

    def test_whatever_the_error_says(self, service: Service, settings: Any) -> None:
        """Also what no database stores."""
        settings.EVENT_HANDLERS = [f"{__name__}.fails_in_no_language"]
        handlers.cache_clear()
        service.publish([passes("bob", 1, minute=1)])
        assert service.consume() == 0
        row = InboxEvent.objects.get()
        assert row.state == State.FAILED
        assert row.reason.endswith("RuntimeError: a bug: ?\n")

    def test_it_is_kept_in_place_of_a_broken_copy(
        self, service: Service, bus: Any, settings: Any
    ) -> None:
        """Whichever came first."""
        event_id = str(UUID(int=77)).encode()
        broken, sound = fields(id=event_id, event_data=b"\x02"), fields(id=event_id)
        for each in (broken, sound, broken):
            bus.xadd(service.topic, each)
            service.consume()
        row = InboxEvent.objects.get()
        assert (row.state, row.attempts) == (State.FAILED, 3)

        settings.EVENT_HANDLERS = ["badges.flow.process"]  # mended
        handlers.cache_clear()
        assert replay.retry(row.pk, now=timezone.now())
        assert InboxEvent.objects.get().state == State.ACCEPTED

    def test_it_is_tried_again_and_dies_after_enough_tries(
        self, service: Service, settings: Any
    ) -> None:
        settings.EVENT_MAX_ATTEMPTS = 3
        service.load(explorer())
        service.publish([passes("bob", 1, minute=1)])
        service.consume()
        for days in (1, 2):
            replay.retry_due(now=timezone.now() + timedelta(days=days))
        row = InboxEvent.objects.get()
        assert (row.state, row.attempts, row.next_attempt_at) == (State.DEAD, 3, None)

        settings.EVENT_HANDLERS = ["badges.flow.process"]  # mended
        handlers.cache_clear()
        assert replay.retry(row.pk, now=timezone.now())
        assert InboxEvent.objects.get().state == State.ACCEPTED
        badge = service.badge("bob", EXPLORER)
        assert badge is not None
        assert badge["requirements"][0]["fulfilled"]


class TestAnEventThatEndsTheProcess:
    """Here it ends no more than the call: SystemExit passes everything that catches errors."""

    @pytest.fixture(autouse=True)
    def _deadly(self, settings: Any) -> Iterator[None]:
        settings.EVENT_HANDLERS = [f"{__name__}.ends_for_bob", "badges.flow.process"]
        settings.EVENT_MAX_DELIVERIES = 2
        handlers.cache_clear()
        yield
        handlers.cache_clear()

    def test_it_is_taken_alone_then_kept_and_dies(self, service: Service, settings: Any) -> None:
        settings.EVENT_MAX_ATTEMPTS = 3
        service.load(explorer())
        service.publish([passes(who, 1, minute=1) for who in ("ann", "bob", "cid")])
        for _ in range(3):
            with pytest.raises(SystemExit):
                service.consume()
        assert [row.state for row in InboxEvent.objects.order_by("pk")] == ["accepted", "failed"]
        assert service.consume() == 0
        row = InboxEvent.objects.get(state=State.FAILED)
        assert (row.attempts, row.reason) == (1, inbox.ENDED)
        assert InboxEvent.objects.filter(state=State.ACCEPTED).count() == 2

        for day in (1, 2):
            with pytest.raises(SystemExit):
                replay.retry_due(now=timezone.now() + timedelta(days=day))
        assert replay.retry_due(now=timezone.now() + timedelta(days=3)) == 0
        row.refresh_from_db()
        assert (row.state, row.attempts) == (State.DEAD, 3)

    def test_innocent_messages_are_taken_alone_and_count_once(
        self, service: Service, settings: Any
    ) -> None:
        """Redis was away after the commit, again and again: nothing is wrong with them."""
        service.load(explorer())
        service.publish([passes("ann", 1, minute=1)])
        service.publish([passes("bob", 1, minute=1)])
        for _ in range(3):
            with pytest.raises(SystemExit):
                service.consume()
        settings.EVENT_HANDLERS = ["badges.flow.process"]  # it was the machine
        handlers.cache_clear()
        assert service.consume() == 0
        assert replay.retry_due(now=timezone.now() + timedelta(days=1)) == 1
        assert {row.state for row in InboxEvent.objects.all()} == {State.ACCEPTED}
        assert InboxEvent.objects.count() == 2


def ends_for_bob(events: Any) -> None:
    if any(each.event.learner.username == "bob" for each in events):
        raise SystemExit(9)


def test_a_message_too_large_to_be_stored_is_kept_without_its_bytes(
    service: Service, bus: Any
) -> None:
    bus.xadd(service.topic, fields(event_data=b"x" * 13 * 1024 * 1024))
    assert service.consume() == 0
    row = InboxEvent.objects.get()
    assert (row.state, row.raw) == (State.DEAD, None)
    assert "at most 1048576 are accepted" in row.reason


def fails_for_bob(events: Any) -> None:
    if any(each.event.learner.username == "bob" for each in events):
        raise RuntimeError("a bug")


def fails_in_no_language(_events: Any) -> None:
    raise RuntimeError("a bug: \x00\udc80")


def test_an_event_about_nobody_is_ignored_and_says_so(db: None) -> None:
    """Some payloads may come without their user; the wire allows it."""
    _, data = _parsed(passes("ann", 1, minute=1))
    payload = attrs.evolve(data["course_passing_status"], user=None)
    event = make_event(
        subscriptions()[PASSING],
        payload=payload,
        event_id=uuid4(),
        time=timezone.now(),
        source="",
        sourcehost="",
        origin="",
    )
    assert process_batch([event], now=timezone.now()).ignored == 1
    row = InboxEvent.objects.get()
    assert (row.state, row.learner) == (State.IGNORED, None)
    assert "names no learner" in row.reason
