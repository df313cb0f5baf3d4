"""Broken bytes of every configured event type: an Event or an UndecodableError, nothing else."""

import random
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openedx_events.event_bus.avro.serializer import serialize_event_data_to_bytes

from events.event import Event
from events.registry import subscriptions
from events.wire import Message, UndecodableError, decode
from tests.unit.events.test_builders import sample

TYPES = sorted(subscriptions())


def event_data(event_type: str) -> bytes:
    signal = subscriptions()[event_type].signal
    payload = {name: sample(kind, full=True) for name, kind in signal.init_data.items()}
    raw: bytes = serialize_event_data_to_bytes(payload, signal)
    return raw


SOUND = {event_type: event_data(event_type) for event_type in TYPES}


def message(event_type: str, data: bytes, **headers: str) -> Message:
    fields = {
        "type": event_type,
        "id": str(UUID(int=5)),
        "time": "2026-03-01T10:00:00+00:00",
        "source": "lms",
        "sourcehost": "host",
        "sourcelib": "10.5.0",
        "minorversion": "0",
        **headers,
    }
    encoded = {name.encode(): value.encode() for name, value in fields.items()}
    return Message("topic/1-0", {**encoded, b"event_data": data})


@pytest.mark.parametrize("event_type", TYPES)
def test_cut_at_any_byte_it_is_refused(event_type: str) -> None:
    data = SOUND[event_type]
    assert isinstance(decode(message(event_type, data)), Event)
    for length in range(len(data)):
        with pytest.raises(UndecodableError):
            decode(message(event_type, data[:length]))


@given(st.sampled_from(TYPES), st.randoms(use_true_random=False), st.integers(1, 4))
def test_with_wrong_bytes_it_is_an_event_or_refused(
    event_type: str, dice: random.Random, number: int
) -> None:
    data = bytearray(SOUND[event_type])
    for _ in range(number):
        data[dice.randrange(len(data))] = dice.randrange(256)
    assert told(message(event_type, bytes(data)))


@given(st.sampled_from(TYPES), st.binary(max_size=200))
def test_random_bytes_are_an_event_or_refused(event_type: str, data: bytes) -> None:
    assert told(message(event_type, data))


def told(sent: Message) -> Any:
    try:
        return decode(sent)
    except UndecodableError as error:
        return str(error)


@pytest.mark.parametrize("event_type", TYPES)
def test_a_newer_minor_version_is_read_as_far_as_it_is_known(event_type: str) -> None:
    """Fields that a newer library added to the end of a payload are bytes behind what we read."""
    data = SOUND[event_type]
    newer = message(event_type, data + b"\x0anew fields", minorversion="9", sourcelib="99.0.0")
    assert decode(newer) == decode(message(event_type, data))
