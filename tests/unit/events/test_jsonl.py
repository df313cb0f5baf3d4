import json
import typing
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import attrs
import pytest
from opaque_keys.edx.keys import CourseKey
from openedx_events.event_bus.avro.serializer import serialize_event_data_to_bytes
from openedx_events.learning.data import CourseData, CoursePassingStatusData

from events.jsonl import LineRefusedError, PublicEvent, parse, parse_line
from events.registry import public_event_types

PASSING = "org.openedx.learning.course.passing.status.updated.v1"


def passing(**changes: Any) -> dict[str, Any]:
    return {
        "id": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
        "type": PASSING,
        "time": "2026-03-01T10:00:00+01:00",
        "source": "openedx/lms/web",
        "data": {
            "course_passing_status": {
                "is_passing": True,
                "course": {"course_key": "course-v1:Acme+D101+2026"},
                "user": {
                    "id": 11,
                    "is_active": True,
                    "pii": {"username": "ann", "email": "ann@example.com", "name": "Ann Lee"},
                },
            }
        },
        **changes,
    }


def reasons(line: str | dict[str, Any]) -> list[str]:
    text = line if isinstance(line, str) else json.dumps(line)
    with pytest.raises(LineRefusedError) as caught:
        parse_line(text, 7)
    assert caught.value.number == 7
    assert str(caught.value).startswith("line 7: ")
    return caught.value.reasons


def with_payload(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    event = passing()
    change(event["data"]["course_passing_status"])
    return event


def test_a_line_becomes_a_public_event() -> None:
    event = parse_line(json.dumps(passing()), 1)

    assert event.signal.event_type == PASSING
    assert event.metadata.id == UUID("7c9e6679-7425-40de-944b-e07fc1f90ae7")
    assert event.metadata.time == datetime(2026, 3, 1, 9, tzinfo=UTC)
    assert event.metadata.time.utcoffset() == timedelta(0)
    assert event.metadata.source == "openedx/lms/web"
    payload = event.data["course_passing_status"]
    assert isinstance(payload, CoursePassingStatusData)
    assert payload.course == CourseData(
        course_key=CourseKey.from_string("course-v1:Acme+D101+2026")
    )
    assert payload.course.display_name == ""
    assert payload.user.pii.name == "Ann Lee"
    assert event.key_field == "course_passing_status.user.id"


def test_source_and_host_are_optional() -> None:
    line = passing()
    del line["source"]

    assert parse_line(json.dumps(line), 1).metadata.source == "openedx/laurel/web"
    host = parse_line(json.dumps({**line, "sourcehost": "lms-1"}), 1).metadata.sourcehost
    assert host == "lms-1"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"id": "7"}, "id: '7' is not a UUID"),
        ({"id": 7}, "id: must be text, but is a number"),
        ({"type": "org.openedx.nothing.v1"}, "type: 'org.openedx.nothing.v1' is no public event"),
        ({"time": "yesterday"}, "time: 'yesterday' is not an ISO 8601 date and time"),
        ({"time": "2026-03-01T10:00:00"}, "time: '2026-03-01T10:00:00' has no time zone"),
        ({"time": "0001-01-01T00:00:00+10:00"}, "out of range"),
        ({"source": None}, "source: must be text, but is null"),
        ({"payload": {}}, "payload: unknown field; choose one of: id, type, time"),
        ({"data": {}}, "data.course_passing_status: missing"),
        ({"data": []}, "data: must be an object with course_passing_status, but is a list"),
    ],
)
def test_a_bad_envelope_is_refused(changes: dict[str, Any], reason: str) -> None:
    (found,) = reasons(passing(**changes))

    assert reason in found


@pytest.mark.parametrize("name", ["id", "type", "time", "data"])
def test_a_missing_part_is_named(name: str) -> None:
    line = passing()
    del line[name]

    assert reasons(line) == [f"{name}: missing"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda p: p.update(is_passing="true"), "is_passing: must be true or false, but is text"),
        (lambda p: p.update(is_passing=1), "is_passing: must be true or false, but is a number"),
        (lambda p: p.update(is_passing=None), "is_passing: must be true or false, but is null"),
        (lambda p: p.update(passing=True), "passing: unknown field; choose one of: is_passing"),
        (lambda p: p.pop("user"), "user: missing"),
        (lambda p: p["user"].update(id=True), "user.id: must be a whole number of 64 bits"),
        (lambda p: p["user"].update(id=1.0), "user.id: must be a whole number of 64 bits"),
        (lambda p: p["user"].update(id=2**63), "user.id: must be a whole number of 64 bits"),
        (lambda p: p["user"].update(pii=[]), "user.pii: must be an object, but is a list"),
        (lambda p: p["user"]["pii"].pop("email"), "user.pii.email: missing"),
        (lambda p: p["user"]["pii"].update(name="\ud800"), "user.pii.name: holds half a character"),
        (lambda p: p["course"].update(course_key="D101"), "course.course_key: 'D101' is not a"),
        (lambda p: p["course"].update(start="soon"), "course.start: 'soon' is not an ISO 8601"),
    ],
)
def test_a_bad_payload_is_refused_by_its_path(
    change: Callable[[dict[str, Any]], object], reason: str
) -> None:
    (found,) = reasons(with_payload(change))

    assert found.startswith(f"data.course_passing_status.{reason}")


def test_all_reasons_of_a_line_are_given() -> None:
    line = with_payload(lambda p: p.update(is_passing="x", course={}))

    assert len(reasons({**line, "id": "x", "time": "x"})) == 4


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("", "column 1: not JSON"),
        ("[", "column 2: not JSON"),
        ("[]", "must be an object with id, type, time, data, but is a list"),
        ('{"id": NaN}', "NaN is not a number"),
        ('{"id": "1", "id": "2"}', "id stands twice in one object"),
        ("[" * 100_000, "nested too deeply"),
        ("9" * 5_000, "not JSON"),
    ],
)
def test_what_is_no_object_is_refused(line: str, reason: str) -> None:
    (found,) = reasons(line)

    assert reason in found


def test_lines_are_counted_and_blank_ones_skipped() -> None:
    good = json.dumps(passing()).encode()

    found = list(parse([b"\xef\xbb\xbf" + good + b"\n", b"\n", b"{\n", b"\xff\n", good]))

    assert [type(each) for each in found] == [
        PublicEvent,
        LineRefusedError,
        LineRefusedError,
        PublicEvent,
    ]
    assert [each.number for each in found if isinstance(each, LineRefusedError)] == [3, 4]


SAMPLES: dict[str, Any] = {
    "str": "text",
    "int": 3,
    "float": 0.5,
    "bool": True,
    "datetime": "2026-03-01T10:00:00+00:00",
    "UUID": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
    "CourseKey": "course-v1:Acme+D101+2026",
    "CCXLocator": "ccx-v1:Acme+D101+2026+ccx@1",
    "UsageKey": "block-v1:Acme+D101+2026+type@problem+block@p1",
    "LibraryLocatorV2": "lib:Acme:one",
    "LibraryUsageLocatorV2": "lb:Acme:one:problem:p1",
    "LibraryCollectionLocator": "lib-collection:Acme:one:c1",
    "LibraryContainerLocator": "lct:Acme:one:unit:u1",
}


def sample(declared: Any) -> Any:
    """JSON data of any declared type, with every optional field given."""
    if isinstance(declared, type) and attrs.has(declared):
        return {field.name: sample(field.type) for field in attrs.fields(declared)}
    origin, inside = typing.get_origin(declared), typing.get_args(declared)
    if origin is list:
        return [sample(inside[0])]
    if origin is dict:
        return {"key": sample(inside[1])}
    return SAMPLES[declared.__name__]


@pytest.mark.parametrize("event_type", sorted(public_event_types()))
def test_every_public_event_can_be_written_as_a_line_and_serialised(event_type: str) -> None:
    signal = public_event_types()[event_type]
    data = {name: sample(declared) for name, declared in signal.init_data.items()}

    event = parse_line(json.dumps(passing(type=event_type, data=data)), 1)

    assert serialize_event_data_to_bytes(event.data, signal)
    assert event.key_field.startswith(next(iter(signal.init_data)))
