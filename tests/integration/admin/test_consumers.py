"""The pages that tell an operator how the consumers do."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import redis as redis_py
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from consumer.admin import duration
from consumer.models import ConsumerStatus, Incident
from tests.servers import RedisServer, free_port

PAGE = "/admin/consumer/consumerstatus/"
pytestmark = pytest.mark.django_db


@pytest.fixture
def bus(redis: RedisServer, settings: Settings) -> Iterator[Any]:
    settings.REDIS_URL = redis.url
    with redis_py.Redis.from_url(redis.url) as client:
        client.flushall()
        yield client


def consumer(name: str = "c1", **values: Any) -> ConsumerStatus:
    now = timezone.now()
    defaults = {"group": "laurel", "topics": ["learning"], "started_at": now, "seen_at": now}
    row: ConsumerStatus = ConsumerStatus.objects.create(name=name, **(defaults | values))
    return row


def words(client: Client, url: str = PAGE) -> str:
    page = client.get(url)
    assert page.status_code == 200
    text: str = page.content.decode()
    return text


def test_no_consumer_ever(admin_client: Client, bus: Any) -> None:
    assert "No consumer has ever run here" in words(admin_client)


def test_all_is_well(admin_client: Client, bus: Any) -> None:
    bus.xgroup_create("learning", "laurel", id="0", mkstream=True)
    consumer(rate=120.0)
    page = words(admin_client)
    assert "All is well" in page
    assert "Running" in page
    assert "120/s" in page
    assert "What these words mean" in page


def test_nobody_reads(admin_client: Client, bus: Any) -> None:
    bus.xgroup_create("learning", "laurel", id="0", mkstream=True)
    for _ in range(3):
        bus.xadd("learning", {"type": "x"})
    long_ago = timezone.now() - timedelta(minutes=10)
    consumer("dead", seen_at=long_ago)
    consumer("gone", seen_at=long_ago, left_at=long_ago)
    page = words(admin_client)
    assert "No consumer is alive" in page
    assert "Silent" in page
    assert "Left" in page
    assert "10 min ago" in page
    assert '<td class="px-3 py-2">3</td>' in page  # unread, as Redis tells now


def test_a_stream_that_cannot_be_read(admin_client: Client, bus: Any) -> None:
    bus.set("learning", "no stream")
    consumer()
    page = words(admin_client)
    assert "These streams cannot be read: learning" in page
    assert "Cannot be read: WRONGTYPE" in page


def test_redis_does_not_answer(admin_client: Client, settings: Settings) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"
    consumer()
    assert "Redis does not answer" in words(admin_client)


def test_a_consumer_that_waits_says_for_what(admin_client: Client, bus: Any) -> None:
    row = consumer(
        note="Connection to Redis lost",
        last_error="ConnectionError('refused')",
        last_error_at=timezone.now(),
        streams=[{"stream": "learning", "problem": "", "lag_messages": 5, "lag_seconds": 4200.0}],
        counts=[["x.v1", "accepted", 7]],
        steps=[["commit", 10, 0.5]],
    )
    assert "Waiting" in words(admin_client)
    page = words(admin_client, reverse("admin:consumer_consumerstatus_change", args=[row.pk]))
    for text in ("Connection to Redis lost", "refused", "1 h 10 min", "x.v1", "50.0 ms"):
        assert text in page


def test_losses_are_seen(admin_client: Client, bus: Any) -> None:
    consumer()
    Incident.objects.create(
        kind=Incident.Kind.TRIMMED_PENDING,
        group="laurel",
        stream="learning",
        count=2,
        ids=["1-0", "2-0"],
        noticed_at=timezone.now(),
    )
    assert "2 messages were lost on the bus" in words(admin_client)
    row = Incident.objects.get()
    page = words(admin_client, reverse("admin:consumer_incident_change", args=[row.pk]))
    assert "1-0, 2-0" in page


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "not known"),
        (0.4, "0 s"),
        (59, "59 s"),
        (61, "1 min 1 s"),
        (3600, "1 h"),
        (200_000, "2 d 7 h"),
    ],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text
