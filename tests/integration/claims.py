"""Messages about Ann and others, and a failed row of one."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from openedx_events.event_bus.avro.serializer import serialize_event_data_to_bytes

from events import inbox
from events.inbox import Failure
from events.jsonl import parse_line
from events.wire import Message
from tests.functional.stories import passes

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def ann_passes(minute: int = 1, *, title: str = "Course 1") -> Message:
    """`title`: of the course, to make the message as large as a test wants it."""
    event = passes("ann", 1, minute=minute)
    event["data"]["course_passing_status"]["course"]["display_name"] = title
    return message_of(event)


def number_passes(learner: int, *, minute: int) -> Message:
    """The same about a learner who has no name in the stories."""
    event = passes("ann", 1, minute=minute)
    user = event["data"]["course_passing_status"]["user"]
    user["id"], user["pii"]["username"] = learner, f"learner{learner}"
    return message_of({**event, "id": str(UUID(int=1000 * learner + minute))})


def message_of(event: dict[str, Any]) -> Message:
    parsed = parse_line(json.dumps(event), number=1)
    return Message(
        origin=f"topic/{event['id']}",
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
