"""Events that are delivered again after the inbox forgot them change nothing."""

from typing import Any

import pytest
from hypothesis import given

from badges.models import BadgeProgress, Decision, Fulfillment
from credentials.models import OutboxEvent, UserCredential
from events.event import Event
from events.models import InboxEvent
from tests.property.effort import THRICE
from tests.property.test_flow import ENDINGS, _cuts, _told, deliver, rolled_back
from tests.property.worlds import Story, store, streams

pytestmark = pytest.mark.django_db


@THRICE
@given(_told, streams(), _cuts)
def test_all_of_it_again(told: list[Story], events: list[Event], cuts: list[int]) -> None:
    with rolled_back():
        store(told)
        deliver(events, cuts)
        before = held()
        InboxEvent.objects.all().delete()
        deliver(events, cuts)
        assert held() == before


@THRICE
@given(_told, streams())
def test_each_alone(told: list[Story], events: list[Event]) -> None:
    with rolled_back():
        store(told)
        deliver(events, [])
        before = held()
        for each in reversed(events):
            InboxEvent.objects.all().delete()
            deliver([each], [])
            assert held() == before


def held() -> list[Any]:
    endings = Decision.objects.filter(outcome__in=ENDINGS)
    evidence = Fulfillment.objects.order_by("progress_id", "key", "event_id")
    return [
        list(rows)
        for rows in (
            BadgeProgress.objects.order_by("id").values(),
            evidence.values_list("progress_id", "key", "event_id", "event_time", "value"),
            UserCredential.objects.order_by("id").values(),
            OutboxEvent.objects.order_by("id").values(),
            endings.order_by("id").values(),
        )
    ]
