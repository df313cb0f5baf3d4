"""Earned, lost and earned again, faster than the provider follows."""

from datetime import timedelta

import pytest
from django.utils import timezone

from credentials import worker
from credentials.models import Issuance, UserCredential
from credly_client.sandbox import Running
from tests.functional.conftest import Service
from tests.functional.stories import explorer, passes

State = Issuance.State


@pytest.fixture
def issued(service: Service, credly: Running) -> Service:
    service.load(explorer(reissue="allowed"))
    service.publish([passes("ann", 1, minute=1), passes("ann", 2, minute=2)])
    service.consume()
    service.issue()
    return service


def loses_and_earns_again(minute: int) -> list[dict[str, object]]:
    return [passes("ann", 1, minute=minute, passing=False), passes("ann", 1, minute=minute + 1)]


def later(hours: float = 1) -> None:
    worker.carry_out_due(clock=lambda: timezone.now() + timedelta(hours=hours))


def is_the_newest_and_the_only_one(credly: Running) -> None:
    (held,) = UserCredential.objects.get(live=True).issuances.all()
    assert (held.state, held.last_error) == (State.PENDING, "")
    badges = credly.sandbox.control("state", {}, method="GET")["badges"]
    assert [each["id"] for each in badges if each["state"] == "pending"] == [held.external_id]


def test_while_credly_is_down(issued: Service, credly: Running) -> None:
    credly.sandbox.control("switches", {"down": 1}, method="POST")
    for event in [*loses_and_earns_again(3), *loses_and_earns_again(5)]:
        issued.publish([event])
        issued.consume()
        issued.issue()
    for hours in (1, 2, 3):
        later(hours)
    is_the_newest_and_the_only_one(credly)


def test_twice_in_one_batch_and_the_newest_is_taken_up_first(
    issued: Service, credly: Running
) -> None:
    issued.publish([*loses_and_earns_again(3), *loses_and_earns_again(5)])
    issued.consume()
    newest = UserCredential.objects.get(live=True).issuances.get()
    Issuance.objects.filter(pk=newest.pk).update(next_attempt_at=timezone.now() - timedelta(days=1))
    issued.issue()
    for hours in (1, 2):
        later(hours)
    is_the_newest_and_the_only_one(credly)
