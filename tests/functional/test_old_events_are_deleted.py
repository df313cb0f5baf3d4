"""What is settled and old goes; what still asks for somebody stays; nothing counts twice."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from badges.models import BadgeProgress, Decision, Fulfillment
from credentials.models import CredlyWebhook, Issuance, OutboxEvent, UserCredential
from events import retention
from events.models import InboxEvent
from service_signals.models import HandlerFailure
from tests.functional.conftest import Service
from tests.functional.stories import EXPLORER, explorer, passes

NOW = timezone.now()
DAY = timedelta(days=1)
State = InboxEvent.State


def received(state: str, *, days_ago: int) -> InboxEvent:
    return InboxEvent(event_id=uuid4(), state=state, received_at=NOW - days_ago * DAY)


@pytest.mark.django_db(transaction=True)
def test_settled_and_old_messages_go_and_all_others_stay(settings: Any) -> None:
    settings.EVENT_RETENTION_DAYS = 30
    rows = [received(state, days_ago=days) for days in (31, 29) for state in State.values]
    InboxEvent.objects.bulk_create(rows)

    assert retention.delete_old(now=NOW) == 2

    left = InboxEvent.objects.order_by("received_at", "id")
    assert [each.state for each in left][:2] == [State.FAILED, State.DEAD]
    assert left.count() == 2 + 4
    assert retention.delete_old(now=NOW) == 0


@pytest.mark.django_db(transaction=True)
def test_step_by_step() -> None:
    """Beyond one page; a statement for each page, each a transaction of its own."""
    InboxEvent.objects.bulk_create(
        received(State.DEAD if n % 10 == 0 else State.ACCEPTED, days_ago=200 if n < 95 else 1)
        for n in range(120)
    )
    with CaptureQueriesContext(connection) as captured:
        assert retention.delete_old(now=NOW, page=10) == 85
    deleting = [each["sql"] for each in captured if each["sql"].startswith("DELETE")]
    assert len(deleting) == 9
    assert InboxEvent.objects.count() == 35


@pytest.mark.django_db(transaction=True)
def test_a_run_is_bounded_and_the_next_goes_on() -> None:
    InboxEvent.objects.bulk_create(received(State.ACCEPTED, days_ago=200) for _ in range(500))
    assert retention.delete_old(now=NOW, page=1, seconds=0.02) < 500
    assert InboxEvent.objects.exists()
    retention.delete_old(now=NOW)
    assert not InboxEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_resolved_failures_of_handlers_go() -> None:
    """By the day on which they were resolved: somebody may be about to look at them."""
    for state, days_ago in (
        (HandlerFailure.State.OPEN, None),
        (HandlerFailure.State.REPLAYED, 91),
        (HandlerFailure.State.DISMISSED, 91),
        (HandlerFailure.State.DISMISSED, 89),
    ):
        row = HandlerFailure.objects.create(
            signal="a.signal",
            handler="a.handler",
            correlation_id="1",
            state=state,
            resolved_at=None if days_ago is None else NOW - days_ago * DAY,
        )
        HandlerFailure.objects.filter(pk=row.pk).update(failed_at=NOW - 200 * DAY)
    assert retention.delete_old(now=NOW) == 2
    left = HandlerFailure.objects.order_by("pk").values_list("state", flat=True)
    assert list(left) == [HandlerFailure.State.OPEN, HandlerFailure.State.DISMISSED]


@pytest.mark.django_db(transaction=True)
def test_webhooks_that_are_done_go() -> None:
    for state in CredlyWebhook.State.values:
        CredlyWebhook.objects.create(
            event_id=uuid4(), organization_id=uuid4(), state=state, received_at=NOW - 91 * DAY
        )
    assert retention.delete_old(now=NOW) == 2
    assert set(CredlyWebhook.objects.values_list("state", flat=True)) == {
        "received",
        "failed",
        "dead",
    }


def test_published_events_go_and_waiting_ones_stay(service: Service) -> None:
    service.load(explorer())
    service.publish([passes(who, n, minute=n) for who in ("ann", "bob") for n in (1, 2)])
    service.consume()
    ann, bob = OutboxEvent.objects.order_by("id")
    OutboxEvent.objects.filter(pk=ann.pk).update(published_at=NOW - 91 * DAY)
    assert retention.delete_old(now=NOW) == 1
    assert OutboxEvent.objects.get() == bob
    assert UserCredential.objects.count() == 2


def test_delivered_again_after_that_nothing_counts_twice(service: Service) -> None:
    """The inbox does not know the events any more; progress and credentials do."""
    service.load(explorer())
    story = [
        passes("ann", 1, minute=1),
        passes("ann", 2, minute=2),  # awarded
        passes("bob", 1, minute=1),
        passes("bob", 2, minute=2),  # awarded
        passes("bob", 1, minute=3, passing=False),  # revoked
        passes("bob", 1, minute=4),  # complete again, blocked
        passes("cid", 1, minute=1),  # half-way
    ]
    service.publish(story)
    service.consume()
    before = rows()
    InboxEvent.objects.update(received_at=NOW - 91 * DAY)
    assert retention.delete_old(now=NOW) == len(story)

    service.publish(story)
    service.consume()

    assert service.state()["inbox"]["accepted"] == len(story)
    assert rows() == before
    badge = service.badge("ann", EXPLORER)
    assert badge is not None
    assert badge["credential"]["status"] == "awarded"


def rows() -> dict[str, list[Any]]:
    """What learners hold, and every transition of it."""
    endings = Decision.objects.filter(outcome__in=["awarded", "revoked", "blocked"])
    return {
        "progress": list(BadgeProgress.objects.order_by("id").values()),
        "evidence": list(Fulfillment.objects.order_by("id").values()),
        "credentials": list(UserCredential.objects.order_by("id").values()),
        "issuances": list(Issuance.objects.order_by("id").values()),
        "outbox": list(OutboxEvent.objects.order_by("id").values()),
        "endings": list(endings.order_by("id").values("learner_id", "event_id", "outcome")),
    }
