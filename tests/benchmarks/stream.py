"""Messages as the platform writes them, put into Redis once and read again by every run."""

import random
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import attrs
import redis
from django.conf import settings
from edx_event_bus_redis.internal.message import RedisMessage
from opaque_keys.edx.keys import CourseKey
from openedx_events.event_bus.avro.serializer import serialize_event_data_to_bytes
from openedx_events.learning.data import (
    CourseData,
    CoursePassingStatusData,
    UserData,
    UserPersonalData,
)
from openedx_events.learning.signals import COURSE_PASSING_STATUS_UPDATED
from openedx_events.tooling import EventsMetadata

from credentials.learners import LearnerFacts
from events.wire import Message

START: Final = datetime(2026, 3, 1, 10, tzinfo=UTC)
COURSES: Final = 1000


def course(number: int) -> str:
    return f"course-v1:Bench+C{number}+2026"


def learner(number: int) -> LearnerFacts:
    """The learner of event `number`, as known before the events of the benchmark."""
    return LearnerFacts(
        lms_user_id=10_000 + number,
        username=f"learner-{number}",
        email=f"learner-{number}@example.com",
        name=f"Learner Number {number}",
        is_active=True,
        as_of=START - timedelta(days=1),
    )


@attrs.frozen
class Stream:
    """A filled stream. Every event is about another learner."""

    topic: str
    events: int


def client() -> Any:
    return redis.Redis.from_url(settings.EVENT_BUS_REDIS_CONNECTION_URL)


def fill(topic: str, *, events: int, is_passing: bool) -> Stream:
    """Event n is about learner n and course n modulo COURSES."""
    with closing(client()) as server, server.pipeline(transaction=False) as pipeline:
        for number, message in enumerate(messages(topic, events=events, is_passing=is_passing)):
            pipeline.xadd(topic, dict(message.fields))
            if number % 500 == 499:
                pipeline.execute()
        pipeline.execute()
    return Stream(topic=topic, events=events)


def messages(topic: str, *, events: int, is_passing: bool) -> Iterator[Message]:
    # The same ids in every run, as random as real ones.
    numbers = random.Random(topic)
    for number in range(events):
        message = RedisMessage(
            topic=topic,
            event_data=serialize_event_data_to_bytes(
                {"course_passing_status": _payload(number, is_passing)},
                COURSE_PASSING_STATUS_UPDATED,
            ),
            event_metadata=EventsMetadata(
                event_type=COURSE_PASSING_STATUS_UPDATED.event_type,
                minorversion=0,
                id=UUID(int=numbers.getrandbits(128), version=4),
                time=START + timedelta(seconds=number),
                source="openedx/lms/web",
                sourcehost="lms.example.com",
            ),
        )
        yield Message(origin=f"{topic}/{number}", fields=message.to_binary_dict())


def _payload(number: int, is_passing: bool) -> CoursePassingStatusData:
    person = learner(number)
    return CoursePassingStatusData(
        is_passing=is_passing,
        course=CourseData(
            course_key=CourseKey.from_string(course(number % COURSES)), display_name="A course"
        ),
        user=UserData(
            id=person.lms_user_id,
            is_active=True,
            pii=UserPersonalData(username=person.username, email=person.email, name=person.name),
        ),
    )


def unread(stream: Stream, *, group: str) -> None:
    """Nobody has read anything in this group: it does not exist."""
    with closing(client()) as server, suppress(redis.ResponseError):
        server.xgroup_destroy(stream.topic, group)


def check_acknowledged(stream: Stream, *, group: str) -> None:
    """Raises RuntimeError unless everything was read and acknowledged."""
    with closing(client()) as server:
        (state,) = (
            each for each in server.xinfo_groups(stream.topic) if each["name"] == group.encode()
        )
        server.delete("celery")  # tasks that no worker will take
    expect(state["entries-read"], stream.events)
    expect(state["pending"], 0)


def expect(found: int, wanted: int) -> None:
    if found != wanted:
        raise RuntimeError(f"{found} where {wanted} were expected: the figure would be worthless")
