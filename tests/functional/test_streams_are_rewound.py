"""`rewind_streams`: back as far as it says, never forward; it says what is there no more."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis as redis_py
from django.core.management import CommandError, call_command

from consumer.models import StreamPosition
from events.models import InboxEvent
from tests.functional.conftest import Service
from tests.functional.stories import passes
from tests.servers import RedisServer


@pytest.fixture
def bus(redis: RedisServer) -> Iterator[Any]:
    with redis_py.Redis.from_url(redis.url) as client:
        yield client


def rewind(service: Service, since: datetime, *options: str) -> str:
    output = io.StringIO()
    words = ["--since", since.isoformat(), "-t", service.topic, *options]
    call_command("rewind_streams", *words, stdout=output)
    return output.getvalue()


def moment_of(entry_id: bytes) -> datetime:
    return datetime.fromtimestamp(int(entry_id.split(b"-")[0]) / 1000, UTC)


def test_from_the_moment_on_everything_is_read_again(service: Service, bus: Any) -> None:
    service.publish([passes("ann", 1, minute=1), passes("ann", 2, minute=2)])
    service.consume()
    InboxEvent.objects.all().delete()  # a database from before
    StreamPosition.objects.all().delete()
    began = moment_of(bus.xrange(service.topic)[0][0])

    assert "would be read again" in rewind(service, began, "--dry-run")
    service.consume()
    assert not InboxEvent.objects.exists()

    assert f"is read again from {began.date().isoformat()}T" in rewind(service, began)
    service.consume()
    assert InboxEvent.objects.count() == 2


def test_further_back_when_the_database_knows_that_the_consumers_were_behind(
    service: Service, bus: Any
) -> None:
    service.publish([passes("ann", 1, minute=1), passes("ann", 2, minute=2)])
    service.consume()
    InboxEvent.objects.all().delete()
    StreamPosition.objects.update(delivered=f"{0:020}-{0:020}")
    rewind(service, datetime.now(UTC))
    service.consume()
    assert InboxEvent.objects.count() == 2


def test_never_forward(service: Service, bus: Any) -> None:
    service.publish([passes("ann", 1, minute=1)])
    service.consume()
    service.publish([passes("ann", 2, minute=2)])
    StreamPosition.objects.all().delete()
    answer = rewind(service, datetime.now(UTC))
    assert "left as it is, the group has not read further than that" in answer
    service.consume()
    assert InboxEvent.objects.count() == 2


def test_what_the_stream_no_longer_holds(service: Service, bus: Any) -> None:
    service.publish([passes("ann", 1, minute=minute) for minute in range(10)])
    service.consume()
    bus.xtrim(service.topic, maxlen=4, approximate=False)
    oldest = moment_of(bus.xrange(service.topic)[0][0])
    answer = rewind(service, datetime.now(UTC) - timedelta(days=1))
    assert f"NO LONGER HOLDS what was published before {oldest.isoformat()}" in answer


def test_what_cannot_be_moved_is_told(service: Service, bus: Any) -> None:
    assert "left as it is, not read: no such key" in rewind(service, datetime.now(UTC))
    bus.xadd(service.topic, {"a": "b"})
    assert "the group has never read it" in rewind(service, datetime.now(UTC))
    with pytest.raises(CommandError, match="lies in the future"):
        rewind(service, datetime.now(UTC) + timedelta(hours=1))
    with pytest.raises(CommandError, match="has no time zone"):
        rewind(service, datetime(2026, 3, 1))  # noqa: DTZ001 -- that is the point
