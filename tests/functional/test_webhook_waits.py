"""Credly got its 200 and will not call again: a webhook waits until it can be worked."""

from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from credentials.models import CredlyOrganization, CredlyWebhook, UserCredential
from credentials.providers.credly import webhook
from credly_client.sandbox import Running
from tests.functional.conftest import KEY, Service
from tests.functional.stories import explorer, passes
from tests.settings import CREDLY_WEBHOOK_SECRET


@pytest.fixture
def _revoked_at_credly(service: Service, credly: Running) -> None:
    service.load(explorer())
    service.publish([passes("ann", 1, minute=1), passes("ann", 2, minute=2)])
    service.consume()
    service.issue()
    (badge,) = credly.sandbox.control("state", {}, method="GET")["badges"]
    credly.sandbox.control(f"badges/{badge['id']}/revoke", {"reason": "Mistake"}, method="POST")
    events = credly.sandbox.control("state", {}, method="GET")["events"]
    newest = max(events, key=lambda each: each["occurred_at"])
    answer = Client().post(
        f"/badges/credly/webhook/{CREDLY_WEBHOOK_SECRET}/", newest, content_type="application/json"
    )
    assert answer.status_code == 200


def work_for(hours: int) -> datetime:
    """Work whatever becomes due within so many hours; returns when that is."""
    start = timezone.now()
    for minute in range(0, hours * 60, 5):
        moment = start + timedelta(minutes=minute)
        webhook.work_due(clock=lambda: moment)  # noqa: B023 -- called at once
    return start + timedelta(hours=hours)


def calls(credly: Running) -> int:
    counted = credly.sandbox.control("state", {}, method="GET")["calls"]
    return sum(number for call, number in counted.items() if "events" in call)


@pytest.mark.usefixtures("_revoked_at_credly")
def test_while_the_key_is_refused_over_the_weekend(
    credly: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_CREDLY_KEY", "expired")
    monday = work_for(hours=60)
    assert calls(credly) <= 1  # not hammered
    assert CredlyOrganization.objects.get().paused_reason
    assert UserCredential.objects.get().status == "awarded"

    monkeypatch.setenv("ACME_CREDLY_KEY", KEY)
    CredlyOrganization.objects.update(paused_reason="")
    webhook.work_due(clock=lambda: monday)
    assert UserCredential.objects.get().status == "revoked"


@pytest.mark.usefixtures("_revoked_at_credly")
def test_while_credly_is_down_for_half_a_day(credly: Running) -> None:
    credly.sandbox.control("switches", {"down": 1000}, method="POST")
    work_for(hours=12)
    row = CredlyWebhook.objects.get()
    assert row.next_attempt_at is not None
    credly.sandbox.control("switches", {"down": 0}, method="POST")
    assert webhook.work(row.pk, clock=lambda: row.next_attempt_at or timezone.now())
    assert UserCredential.objects.get().status == "revoked"
