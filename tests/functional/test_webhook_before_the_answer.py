"""The answer to a call was lost; the webhook tells of the badge before anybody looked for it."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from credentials import worker
from credentials.models import Issuance, UserCredential
from credly_client.sandbox import Running
from tests.functional.conftest import Service
from tests.functional.stories import EXPLORER, explorer, passes
from tests.settings import CREDLY_WEBHOOK_SECRET

State = Issuance.State


@pytest.fixture
def lost(service: Service, credly: Running) -> Service:
    service.load(explorer())
    service.publish([passes("ann", 1, minute=1), passes("ann", 2, minute=2)])
    service.consume()
    credly.sandbox.control("switches", {"reset": 1}, method="POST")
    service.issue()
    assert Issuance.objects.get().external_id is None
    return service


def happens(credly: Running, what: str) -> None:
    """A person does it at Credly, and Credly calls."""
    (badge,) = credly.sandbox.control("state", {}, method="GET")["badges"]
    credly.sandbox.control(f"badges/{badge['id']}/{what}", {"reason": "Mistake"}, method="POST")
    events = credly.sandbox.control("state", {}, method="GET")["events"]
    newest = max(events, key=lambda each: each["occurred_at"])
    address = f"/badges/credly/webhook/{CREDLY_WEBHOOK_SECRET}/"
    assert Client().post(address, newest, content_type="application/json").status_code == 200


@pytest.mark.parametrize(
    ("what", "state", "status"),
    [
        ("revoke", State.REVOKED, "revoked"),
        ("reject", State.REJECTED, "awarded"),
        ("accept", State.ACCEPTED, "awarded"),
    ],
)
def test_it_is_not_issued_again(
    lost: Service, credly: Running, what: str, state: str, status: str
) -> None:
    happens(credly, what)
    # The webhook is worked, the badge is not due for a few seconds yet.
    Issuance.objects.update(next_attempt_at=timezone.now() + timedelta(minutes=1))
    lost.issue()
    worker.carry_out_due(clock=lambda: timezone.now() + timedelta(hours=1))
    assert len(credly.sandbox.control("state", {}, method="GET")["badges"]) == 1
    assert Issuance.objects.get().state == state
    assert UserCredential.objects.get().status == status
    badge = lost.badge("ann", EXPLORER)
    assert badge is not None
    assert badge["credential"]["status"] == status
