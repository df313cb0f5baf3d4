"""Our decoding gives what the stock deserialiser gives, for every public event type."""

import typing
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import attrs
import pytest
from ccx_keys.locator import CCXLocator
from opaque_keys.edx.keys import CourseKey, UsageKey
from opaque_keys.edx.locator import (
    LibraryCollectionLocator,
    LibraryContainerLocator,
    LibraryLocatorV2,
    LibraryUsageLocatorV2,
)
from openedx_events.event_bus.avro.deserializer import deserialize_bytes_to_event_data
from openedx_events.event_bus.avro.serializer import serialize_event_data_to_bytes
from openedx_events.learning.data import UserData

from events.builders import archiver, builder
from events.registry import by_header, public_event_types, subscribe, subscriptions, user_paths
from events.wire import Message, decode

SAMPLES: dict[Any, Any] = {
    str: "text",
    int: 7,
    float: 0.5,
    bool: True,
    datetime: datetime(2026, 3, 1, 10, tzinfo=UTC),
    UUID: UUID(int=1),
    CourseKey: CourseKey.from_string("course-v1:Acme+D1+2026"),
    CCXLocator: CCXLocator.from_string("ccx-v1:Acme+D1+2026+ccx@1"),
    UsageKey: UsageKey.from_string("block-v1:Acme+D1+2026+type@problem+block@a"),
    LibraryLocatorV2: LibraryLocatorV2.from_string("lib:Acme:L1"),
    LibraryUsageLocatorV2: LibraryUsageLocatorV2.from_string("lb:Acme:L1:problem:a"),
    LibraryCollectionLocator: LibraryCollectionLocator.from_string("lib-collection:Acme:L1:c"),
    LibraryContainerLocator: LibraryContainerLocator.from_string("lct:Acme:L1:unit:u"),
    list[str]: ["a", "b"],
    list[int]: [1, 2],
    dict[str, str]: {"a": "b"},
    dict[str, bool]: {"a": True},
}


def sample(declared: Any, *, full: bool) -> Any:
    """A value of the declared type; with `full` also where a default would do."""
    origin = typing.get_origin(declared)
    if origin is typing.Union:
        return sample(typing.get_args(declared)[0], full=full)
    if origin is list:
        return SAMPLES[list[typing.get_args(declared)[0]]]  # type: ignore[misc]
    if attrs.has(declared):
        return declared(
            **{
                field.name: sample(field.type, full=full)
                for field in attrs.fields(declared)
                if full or field.default is attrs.NOTHING
            }
        )
    return SAMPLES[declared]


def about_a_learner() -> list[str]:
    return [
        event_type
        for event_type, signal in public_event_types().items()
        for payload_type in signal.init_data.values()
        if any(user_paths(payload_type, "x"))
    ]


@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize("event_type", about_a_learner())
def test_as_the_stock_deserialiser(
    event_type: str, full: bool, settings: Any, request: pytest.FixtureRequest
) -> None:
    settings.BADGES_CONFIG = {"events": [entry(event_type)]}
    for cache in (subscriptions, by_header):
        cache.cache_clear()
        request.addfinalizer(cache.cache_clear)
    signal = public_event_types()[event_type]
    data = {name: sample(kind, full=full) for name, kind in signal.init_data.items()}
    raw = serialize_event_data_to_bytes(data, signal)
    message = Message(
        origin="topic/1-0",
        fields={
            b"type": event_type.encode(),
            b"id": str(UUID(int=5)).encode(),
            b"time": b"2026-03-01T10:00:00+00:00",
            b"source": b"lms",
            b"sourcehost": b"host",
            b"event_data": raw,
        },
    )
    (expected,) = deserialize_bytes_to_event_data(raw, signal).values()
    assert decode(message).payload == expected


def entry(event_type: str) -> Any:
    signal = public_event_types()[event_type]
    ((name, payload_type),) = signal.init_data.items()
    return {"type": event_type, "learner": next(iter(user_paths(payload_type, name)))}


@pytest.mark.parametrize("event_type", about_a_learner())
def test_the_archive_holds_no_personal_data(event_type: str) -> None:
    payload_type = subscribe(entry(event_type)).payload_type
    archived = str(archiver(payload_type)(with_a_person(payload_type)))
    assert "ann" not in archived.lower()


def with_a_person(declared: Any) -> Any:
    payload = sample(declared, full=True)
    personal = {"name": "Ann Lee", "coach_email": "ann@example.com", "username": "ann"}

    def fill(value: Any) -> Any:
        if not attrs.has(type(value)):
            return value
        if isinstance(value, UserData):
            pii = attrs.evolve(value.pii, username="ann", email="ann@x.org", name="Ann Lee")
            return attrs.evolve(value, pii=pii)
        kind = type(value).__name__
        changes = {f.name: fill(getattr(value, f.name)) for f in attrs.fields(type(value))}
        if kind in {"CertificateData", "VerificationAttemptData", "CcxCourseData"}:
            changes |= {k: v for k, v in personal.items() if k in changes}
        return attrs.evolve(value, **changes)

    return fill(payload)


def test_lists_and_mappings_of_records() -> None:
    """No event of openedx-events 10 has such a payload; those of 11 may."""
    person = {"id": 11, "is_active": True, "pii": {"username": "ann", "email": "", "name": ""}}
    people = builder(list[UserData])([person])
    assert people[0].pii.username == "ann"
    assert archiver(list[UserData])(people) == [{"id": 11}]
    assert archiver(dict[str, UserData])({"first": people[0]}) == {"first": {"id": 11}}
