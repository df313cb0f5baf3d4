"""Events that other apps send in this process, or that another bus's consumer sends on."""

import json
import os
import subprocess
from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID

import attrs
import pytest
from django.db import OperationalError, transaction
from edx_event_bus_redis.internal.consumer import RedisEventConsumer
from openedx_events.learning.data import CoursePassingStatusData
from openedx_events.learning.signals import (
    BADGE_AWARDED,
    COURSE_PASSING_STATUS_UPDATED,
)

from events import replay
from events.jsonl import PublicEvent, parse_line
from events.models import InboxEvent
from events.pipeline import handlers
from tests.functional.conftest import Service
from tests.functional.stories import EXPLORER, explorer, passes
from tests.integration.claims import NOW
from tests.servers import PYTHON, ROOT, free_port

State = InboxEvent.State


def event(who: str, number: int) -> PublicEvent:
    parsed = parse_line(json.dumps(passes(who, number, minute=number)), number=1)
    assert isinstance(parsed, PublicEvent)
    return parsed


def send(sent: PublicEvent) -> list[Any]:
    """What the receivers answered."""
    answers = sent.signal.send_event_with_custom_metadata(sent.metadata, **sent.data)
    return [answer for _, answer in answers]


def holds_badge(service: Service, who: str) -> bool:
    badge = service.badge(who, EXPLORER)
    return badge is not None and badge["credential"] is not None


def test_events_sent_in_this_process_earn_a_badge(service: Service) -> None:
    service.load(explorer())
    for number in (1, 2):
        COURSE_PASSING_STATUS_UPDATED.send_event(**event("ann", number).data)
    assert holds_badge(service, "ann")
    assert set(InboxEvent.objects.values_list("origin", flat=True)) == {"signal"}


def test_in_a_transaction_they_count_once_it_is_committed(service: Service) -> None:
    with transaction.atomic():
        assert send(event("ann", 1)) == [None]
        assert not InboxEvent.objects.exists()
    assert InboxEvent.objects.get().state == State.ACCEPTED


def test_what_is_rolled_back_does_not_count(service: Service) -> None:
    with transaction.atomic():
        send(event("ann", 1))
        transaction.set_rollback(True)
    assert not InboxEvent.objects.exists()


def test_another_bus_s_consumer_reaches_the_same_flow(service: Service) -> None:
    """The stock consumer of the Redis bus, as Kafka's, sends on what it reads as a signal."""
    service.load(explorer())
    service.publish([passes("ann", 1, minute=1), passes("ann", 2, minute=2)])
    other = RedisEventConsumer(service.topic, "other", "c1", check_backlog=True)
    read = 0

    def stop_after_two(**_event: Any) -> None:
        nonlocal read
        read += 1
        if read == 2:
            other._shut_down()

    COURSE_PASSING_STATUS_UPDATED.connect(stop_after_two)
    try:
        other.consume_indefinitely()
    finally:
        COURSE_PASSING_STATUS_UPDATED.disconnect(stop_after_two)
    assert holds_badge(service, "ann")

    service.consume()  # the same events by our own consumer

    inbox = service.state()["inbox"]
    assert (inbox["accepted"], inbox["duplicate"]) == (2, 2)


def test_what_we_publish_is_counted_once(service: Service) -> None:
    """It goes to the bus directly; nobody here hears of it before it comes back."""
    service.load(explorer())
    service.publish([passes("ann", 1, minute=1), passes("ann", 2, minute=2)])
    service.consume()
    heard: list[UUID] = []

    def hear(metadata: Any, **_event: Any) -> None:
        heard.append(metadata.id)

    BADGE_AWARDED.connect(hear)
    try:
        service.issue()
        assert not heard
        service.consume()
    finally:
        BADGE_AWARDED.disconnect(hear)
    badge_events = InboxEvent.objects.filter(event_type=BADGE_AWARDED.event_type)
    assert [each.event_id for each in badge_events] == heard
    assert service.state()["inbox"]["duplicate"] == 0


@pytest.fixture
def first_handler(settings: Any) -> Iterator[list[Exception]]:
    """A handler of a further app that raises what stands in this list, one at a time."""
    settings.EVENT_HANDLERS = [f"{__name__}.raises_what_it_is_told", "badges.flow.process"]
    handlers.cache_clear()
    yield _to_raise
    _to_raise.clear()
    handlers.cache_clear()


_to_raise: list[Exception] = []


def raises_what_it_is_told(_events: Any) -> None:
    if _to_raise:
        raise _to_raise.pop(0)


def test_one_that_fails_is_kept_and_replayed(
    service: Service, first_handler: list[Exception]
) -> None:
    first_handler.append(RuntimeError("a bug"))
    assert send(event("ann", 1)) == [None]  # the sender hears nothing of it
    row = InboxEvent.objects.get()
    assert (row.state, row.attempts) == (State.FAILED, 1)
    assert "a bug" in row.reason

    assert replay.retry(row.pk, now=NOW)

    row = InboxEvent.objects.get()
    assert (row.state, row.event_id) == (State.ACCEPTED, event("ann", 1).metadata.id)
    assert row.payload is not None
    assert row.payload["course"]["course_key"] == "course-v1:Acme+D1+2026"


def test_one_that_does_not_serialise_is_kept_and_says_so(service: Service) -> None:
    sent = event("ann", 1)
    payload: CoursePassingStatusData = sent.data["course_passing_status"]
    odd = attrs.evolve(payload, user=attrs.evolve(payload.user, id="eleven"))
    assert send(attrs.evolve(sent, data={"course_passing_status": odd})) == [None]
    row = InboxEvent.objects.get()
    assert row.state == State.FAILED
    assert "It cannot be replayed, because it does not serialise" in row.reason
    assert not replay.retry(row.pk, now=NOW)


def test_a_deadlock_is_tried_again(service: Service, first_handler: list[Exception]) -> None:
    first_handler.append(OperationalError("deadlock detected"))
    assert send(event("ann", 1)) == [None]
    assert InboxEvent.objects.get().state == State.ACCEPTED


_SENDS_ONE: Final = """
from tests.functional.test_events_as_signals import event, send
print(send(event("ann", 1)))
"""


def test_without_a_database_the_sender_is_told() -> None:
    """The event cannot even be kept."""
    done = subprocess.run(
        [PYTHON, "manage.py", "shell", "-v", "0", "-c", _SENDS_ONE],
        cwd=ROOT,
        env={
            **os.environ,
            "DATABASE_URL": f"postgresql://nobody:x@127.0.0.1:{free_port()}/none",
            "DJANGO_SETTINGS_MODULE": "settings",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.startswith("[DatabaseGoneError("), done.stderr
    assert "event lost: no database" in done.stderr
    assert str(event("ann", 1).metadata.id) in done.stderr
