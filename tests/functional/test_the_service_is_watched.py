"""What the web process tells of the whole: /healthz, /readyz, /metrics; and the log."""

import logging
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import redis as redis_py
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from consumer.models import ConsumerStatus, Incident
from credentials.issuing import breaker
from credentials.issuing.breaker import Outcome
from credentials.models import CredlyOrganization
from credly_client.sandbox import Running
from tests.functional.conftest import Service
from tests.functional.stories import ACME, PASSING, explorer, passes
from tests.servers import RedisServer, free_port


def metrics(client: Client) -> dict[tuple[str, ...], float]:
    """By name and the values of the labels, sorted by their names."""
    page = client.get("/metrics")
    assert page.status_code == 200
    assert page["Content-Type"].startswith("text/plain")
    return {
        (sample.name, *dict(sorted(sample.labels.items())).values()): sample.value
        for family in text_string_to_metric_families(page.content.decode())
        for sample in family.samples
    }


def read_one_and_leave_two(service: Service) -> None:
    service.publish([passes("ann", 1, minute=1)])
    assert service.consume() == 0
    service.publish([passes("ann", 2, minute=2), passes("bob", 1, minute=3)])


def test_metrics_of_an_empty_service(service: Service, client: Client) -> None:
    found = metrics(client)
    assert found["laurel_database_up",] == found["laurel_redis_up",] == 1
    assert found["laurel_inbox_messages", "dead"] == 0


def test_metrics_tell_of_consumers_streams_and_queues(
    service: Service, credly: Running, client: Client, redis: RedisServer
) -> None:
    service.load(explorer())
    service.publish([passes("ann", n, minute=n) for n in (1, 2)])
    with redis_py.Redis.from_url(redis.url) as bus:
        bus.xadd(service.topic, {"type": PASSING, "id": "1", "event_data": "x"})
        bus.xadd(service.topic, {"type": "org.example.nobody.wants.v1", "event_data": "x"})
    service.consume()
    read_one_and_leave_two(service)
    found = metrics(client)
    who = ("c1", "laurel")
    # The counts are those since the last start; the one message of that run was known.
    assert found["laurel_events_total", *who, "duplicate", PASSING] == 1
    assert found["laurel_batch_step_seconds_count", *who, "commit"] >= 2
    assert found["laurel_batch_step_seconds_sum", *who, "badges.flow.process"] > 0
    assert ("laurel_consumer_up", *who) not in found  # it left
    where = ("laurel", service.topic)
    assert found["laurel_stream_readable", *where] == 1
    assert found["laurel_stream_lag_messages", *where] == 2
    assert 0 <= found["laurel_stream_lag_seconds", *where] < 60
    assert found["laurel_stream_pending", *where] == 0
    assert found["laurel_inbox_messages", "failed"] == 1
    assert found["laurel_issuances_waiting", "created", "issued"] == 1
    assert found["laurel_issuances_due_seconds",] > 0
    assert found["laurel_outbox_waiting",] == 1
    # Left out where counting them would read the whole table.
    dead = 0 if connection.features.supports_partial_indexes else None
    assert found.get(("laurel_issuances_dead",)) == dead
    assert found["laurel_rulebook_version",] >= 1


def test_metrics_tell_which_organization_is_in_trouble(
    service: Service, credly: Running, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.load(explorer())
    acme, hand, broken = ACME, str(uuid4()), str(uuid4())
    CredlyOrganization.objects.create(uuid=hand, issuing_paused_at=timezone.now())
    failing = CredlyOrganization.objects.create(uuid=broken)
    failures = [Outcome(worked=False, error="503")] * breaker.FAILURES
    breaker.note(failing.pk, failures, now=timezone.now())

    def trouble() -> dict[str, float]:
        return {
            " ".join(key[1:]): value
            for key, value in metrics(client).items()
            if key[0].startswith("laurel_account_")
        }

    assert trouble() == {
        **dict.fromkeys([f"{each} credly by_hand" for each in (acme, broken)], 0),
        **dict.fromkeys([f"{each} credly key_refused" for each in (acme, hand, broken)], 0),
        **dict.fromkeys([f"{each} credly" for each in (acme, hand)], 0),
        f"{hand} credly by_hand": 1,
        f"{broken} credly": 1,
    }
    monkeypatch.setenv("ACME_CREDLY_KEY", "wrong")
    service.publish([passes("ann", n, minute=n) for n in (1, 2)])
    service.consume()
    service.issue()
    breaker.note(failing.pk, [Outcome(worked=True)], now=timezone.now())
    assert trouble()[f"{acme} credly key_refused"] == 1
    assert trouble()[f"{broken} credly"] == 0


@pytest.mark.parametrize("taken", [0, 1, 2])
def test_the_age_of_what_is_not_finished(
    service: Service, client: Client, redis: RedisServer, taken: int
) -> None:
    """Whether all is unread, one is at hand and the rest is unread, or all is at hand."""
    assert service.consume() == 0
    with redis_py.Redis.from_url(redis.url) as bus:
        bus.delete(service.topic)
        seconds, _ = bus.time()
        for minutes in (60, 30):
            bus.xadd(service.topic, {"type": "x"}, id=f"{(seconds - 60 * minutes) * 1000}-0")
        bus.xgroup_create(service.topic, "laurel", id="0")
        if taken:
            bus.xreadgroup("laurel", "dead", {service.topic: ">"}, count=taken)
    found = metrics(client)
    where = ("laurel", service.topic)
    assert 3600 <= found["laurel_stream_lag_seconds", *where] < 3660
    assert found["laurel_stream_lag_messages", *where] == 2 - taken
    assert found["laurel_stream_pending", *where] == taken


def test_metrics_tell_of_losses(service: Service, client: Client) -> None:
    for count in (3, 4):
        Incident.objects.create(
            kind=Incident.Kind.TRIMMED,
            group="laurel",
            stream="s",
            count=count,
            noticed_at=timezone.now(),
        )
    found = metrics(client)
    assert found["laurel_bus_incidents", "trimmed", "s"] == 2
    assert found["laurel_bus_messages", "trimmed", "s"] == 7


def test_metrics_cost_few_statements(service: Service, client: Client) -> None:
    read_one_and_leave_two(service)
    with CaptureQueriesContext(connection) as captured:
        metrics(client)
    assert len(captured) <= 9


def test_metrics_without_redis(service: Service, client: Client, settings: Settings) -> None:
    read_one_and_leave_two(service)
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"
    found = metrics(client)
    assert found["laurel_redis_up",] == 0
    assert found["laurel_database_up",] == 1


# Readiness


def readiness(client: Client) -> tuple[int, dict[str, Any]]:
    page = client.get("/readyz")
    return page.status_code, page.json()


def test_ready_whatever_the_lag_unless_told_otherwise(
    service: Service, client: Client, settings: Settings
) -> None:
    read_one_and_leave_two(service)
    status, body = readiness(client)
    assert status == 200
    assert body["database"] == body["redis"] == "ok"
    assert body["consumers"]["lag_messages"] == 2
    assert body["consumers"]["living"] == 0
    settings.READYZ_MAX_LAG_MESSAGES = 1
    status, body = readiness(client)
    assert (status, len(body["consumers"]["faults"])) == (503, 1)
    settings.READYZ_MAX_LAG_MESSAGES = 2
    assert readiness(client)[0] == 200
    settings.READYZ_MAX_LAG_SECONDS = 0.000_001
    assert readiness(client)[0] == 503
    service.consume()
    assert readiness(client)[0] == 200


def test_ready_only_with_a_living_consumer_if_wanted(
    service: Service, client: Client, settings: Settings
) -> None:
    settings.READYZ_NEEDS_CONSUMER = True
    assert readiness(client)[0] == 503
    service.consume()  # and leaves
    assert readiness(client)[0] == 503
    rows = ConsumerStatus.objects.all()
    rows.update(left_at=None)
    assert readiness(client)[0] == 200
    rows.update(seen_at=timezone.now() - timedelta(minutes=2))
    assert readiness(client)[0] == 503


def test_not_ready_without_redis(service: Service, client: Client, settings: Settings) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"
    status, body = readiness(client)
    assert (status, body["redis"]) == (503, "ConnectionError")
    assert client.get("/healthz").status_code == 200


# The log


def events_of(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """What structlog hands to the handlers: one dictionary per line."""
    return [record.msg for record in caplog.records if isinstance(record.msg, dict)]


def test_one_event_is_followed_from_the_message_to_the_provider(
    service: Service, credly: Running, caplog: pytest.LogCaptureFixture
) -> None:
    service.load(explorer())
    first, second = passes("ann", 1, minute=1), passes("ann", 2, minute=2)
    service.publish([first, second])
    with caplog.at_level(logging.DEBUG):
        service.consume()
        service.issue()
    lines = [each for each in events_of(caplog) if each.get("correlation_id") == second["id"]]
    assert [each["event"] for each in lines] == [
        "event accepted",
        "requirement fulfilled",
        "progress completed",
        "credential awarded",
        "issuance done",
        "issuance",
    ]
    (badge,) = service.state()["learners"][0]["templates"]
    assert {each.get("credential", badge["credential"]["uuid"]) for each in lines} == {
        badge["credential"]["uuid"]
    }
    assert "Ann" not in caplog.text
    assert "ann@example.com" not in caplog.text


def test_a_revocation_is_told_under_the_event_that_caused_it(
    service: Service, credly: Running, caplog: pytest.LogCaptureFixture
) -> None:
    service.load(explorer())
    service.publish([passes("ann", 1, minute=1), passes("ann", 2, minute=2)])
    service.consume()
    service.issue()
    failed = passes("ann", 1, minute=3, passing=False)
    service.publish([failed])
    with caplog.at_level(logging.INFO):
        service.consume()
        service.issue()
    lines = [each for each in events_of(caplog) if each.get("correlation_id") == failed["id"]]
    assert [each["event"] for each in lines] == [
        "requirement regressed",
        "progress regressed",
        "credential revoked",
        "issuance done",
        "issuance",
    ]


def test_events_that_change_nothing_leave_no_lines(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    service.publish([passes("ann", 1, minute=minute) for minute in range(20)])
    with caplog.at_level(logging.INFO):
        service.consume()
    assert not [each for each in events_of(caplog) if each.get("correlation_id")]
