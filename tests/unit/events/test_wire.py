from typing import Any
from uuid import UUID

import attrs
import pytest
from opaque_keys.edx.keys import CourseKey
from openedx_events.event_bus.avro.serializer import serialize_event_data_to_bytes
from openedx_events.learning.data import (
    CourseData,
    CoursePassingStatusData,
    UserData,
    UserPersonalData,
)
from openedx_events.learning.signals import COURSE_PASSING_STATUS_UPDATED

from events.wire import Message, UndecodableError, decode, is_configured

PAYLOAD = CoursePassingStatusData(
    is_passing=True,
    course=CourseData(course_key=CourseKey.from_string("course-v1:Acme+D1+2026"), display_name=""),
    user=UserData(
        id=11,
        is_active=True,
        pii=UserPersonalData(username="ann", email="ann@example.com", name="Ann Lee"),
    ),
)
FIELDS = {
    b"type": COURSE_PASSING_STATUS_UPDATED.event_type.encode(),
    b"id": str(UUID(int=5)).encode(),
    b"time": b"2026-03-01T11:00:00+01:00",
    b"source": b"lms",
    b"sourcehost": b"host",
    b"sourcelib": b"10.5.0",
    b"minorversion": b"0",
    b"event_data": serialize_event_data_to_bytes(
        {"course_passing_status": PAYLOAD}, COURSE_PASSING_STATUS_UPDATED
    ),
}


def message(**changes: bytes | None) -> Message:
    fields: dict[bytes, Any] = {
        **FIELDS,
        **{name.encode(): value for name, value in changes.items()},
    }
    return Message("topic/1-0", {k: v for k, v in fields.items() if v is not None})


def test_a_sound_message() -> None:
    event = decode(message())
    assert event.payload == PAYLOAD
    assert event.time.isoformat() == "2026-03-01T10:00:00+00:00"
    assert event.learner is not None
    assert (event.learner.lms_user_id, event.learner.username) == (11, "ann")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"id": None}, "id is missing"),
        ({"id": b"7"}, "no UUID"),
        ({"id": b"\xff"}, "no UUID"),
        ({"type": None}, "field type"),
        ({"type": b"\xff"}, "not UTF-8"),
        ({"time": None}, "field time"),
        ({"time": b"yesterday"}, "not ISO 8601"),
        ({"time": b"2026-03-01T11:00:00"}, "no time zone"),
        ({"time": b"0001-01-01T00:00:00+14:00"}, "out of range"),
        ({"source": b"\xff"}, "not UTF-8"),
        ({"event_data": None}, "event_data is missing"),
        ({"event_data": b""}, "event_data is missing"),
        ({"event_data": b"x" * (1024 * 1024)}, "at most"),
    ],
)
def test_what_is_no_event(changes: dict[str, bytes | None], said: str) -> None:
    with pytest.raises(UndecodableError, match=said):
        decode(message(**changes))


def test_nul_is_taken_out_of_texts() -> None:
    """PostgreSQL could not store it."""
    spoilt = attrs.evolve(PAYLOAD, course=attrs.evolve(PAYLOAD.course, display_name="A\x00 course"))
    data = serialize_event_data_to_bytes(
        {"course_passing_status": spoilt}, COURSE_PASSING_STATUS_UPDATED
    )
    event = decode(message(event_data=data, source=b"l\x00ms"))
    assert (event.source, event.payload.course.display_name) == ("lms", "A course")


def test_event_data_cut_anywhere_is_refused() -> None:
    data = FIELDS[b"event_data"]
    for length in range(len(data)):
        with pytest.raises(UndecodableError):
            decode(message(event_data=data[:length]))


def test_types_are_looked_at_by_header_only() -> None:
    assert not is_configured(message(type=b"org.openedx.nobody.v1", event_data=None))
    assert is_configured(message(type=None))


def test_a_failed_message_survives_the_inbox() -> None:
    bad = message(event_data=b"\x00\xff", id=None)
    assert Message.from_bytes(bad.to_bytes(), origin=bad.origin) == bad
