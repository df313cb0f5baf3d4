"""Two consumers, one event: it is claimed once, also where a failed row of it is in the way."""

import json
import threading
from datetime import UTC, datetime

import pytest
from django.db import connection, connections, transaction
from openedx_events.event_bus.avro.serializer import serialize_event_data_to_bytes

from credentials.models import Learner
from events import inbox
from events.inbox import Failure
from events.jsonl import parse_line
from events.models import InboxEvent
from events.pipeline import process_batch
from events.wire import Message, decode
from tests.functional.stories import passes

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
State = InboxEvent.State

needs_row_locks = pytest.mark.skipif(
    connection.vendor == "sqlite", reason="SQLite has one writer at a time"
)


def ann_passes(minute: int = 1) -> Message:
    event = passes("ann", 1, minute=minute)
    parsed = parse_line(json.dumps(event), number=1)
    return Message(
        origin=f"topic/{minute}-0",
        fields={
            b"type": event["type"].encode(),
            b"id": event["id"].encode(),
            b"time": event["time"].encode(),
            b"source": b"lms",
            b"sourcehost": b"host",
            b"event_data": serialize_event_data_to_bytes(parsed.data, parsed.signal),
        },
    )


def fail(message: Message) -> None:
    with transaction.atomic():
        inbox.keep_failed([Failure(message=message, reason="A bug that was mended.")], now=NOW)


@pytest.mark.django_db
def test_a_failed_row_that_somebody_else_replaced_is_not_replaced_again() -> None:
    fail(ann_passes())
    event = decode(ann_passes())
    ann = Learner.objects.create(lms_user_id=11, username="ann", profile_time=NOW)
    sifted = inbox.sift([event])
    assert sifted.failed
    assert process_batch([event], now=NOW).accepted == 1  # the other consumer was faster
    row = InboxEvent.objects.get()

    ours = inbox.claim(sifted, learner_ids=[ann.pk], copies={event.id: 1}, now=NOW)

    assert not ours
    assert InboxEvent.objects.get().claim == row.claim


@pytest.mark.django_db(transaction=True)
@needs_row_locks
def test_two_consumers_take_the_same_failed_event() -> None:
    process_batch([decode(ann_passes(minute=2))], now=NOW)
    fail(ann_passes())
    accepted: list[int] = []

    def consume() -> None:
        try:
            accepted.append(process_batch([decode(ann_passes())], now=NOW).accepted)
        finally:
            connections.close_all()

    consumers = [threading.Thread(target=consume) for _ in range(2)]
    with transaction.atomic():
        # Both look into the inbox, then wait for Ann.
        Learner.objects.select_for_update().get(username="ann")
        for each in consumers:
            each.start()
        wait_until_blocked(2)
    for each in consumers:
        each.join()
    assert sorted(accepted) == [0, 1]


@pytest.mark.django_db(transaction=True)
@needs_row_locks
def test_an_event_fails_here_while_it_is_accepted_there() -> None:
    message = ann_passes()
    fail(message)
    errors: list[Exception] = []

    def fails_again() -> None:
        try:
            fail(message)
        except Exception as error:  # noqa: BLE001 -- told to the test
            errors.append(error)
        finally:
            connections.close_all()

    here = threading.Thread(target=fails_again)
    with transaction.atomic():
        process_batch([decode(message)], now=NOW)
        here.start()
        wait_until_blocked(1)
    here.join()
    assert not errors
    assert InboxEvent.objects.get().state == State.ACCEPTED


def wait_until_blocked(number: int) -> None:
    """Until that many connections wait for a lock."""
    waiting = 0
    while waiting < number:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            (waiting,) = cursor.fetchone()
