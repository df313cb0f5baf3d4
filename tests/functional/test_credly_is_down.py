from datetime import timedelta

import pytest
from django.utils import timezone

from credentials import worker
from credentials.models import CredlyOrganization, Issuance
from credly_client.sandbox import Running
from tests.functional.conftest import Service
from tests.functional.stories import EXPLORER, explorer, passes


@pytest.fixture
def earned(service: Service, credly: Running) -> Service:
    service.load(explorer())
    service.publish([passes("ann", 1, minute=1), passes("ann", 2, minute=2)])
    service.consume()
    return service


def later(hours: float = 1) -> None:
    """Carry out what is due some hours from now."""
    worker.carry_out_due(clock=lambda: timezone.now() + timedelta(hours=hours))


def live(credly: Running) -> int:
    badges = credly.sandbox.control("state", {}, method="GET")["badges"]
    return len([badge for badge in badges if badge["state"] in {"pending", "accepted"}])


@pytest.mark.parametrize("fault", ["down", "malformed", "reset", "rate_limited"])
def test_the_badge_is_late_never_lost_never_doubled(
    earned: Service, credly: Running, fault: str
) -> None:
    credly.sandbox.control("switches", {fault: 1}, method="POST")
    earned.issue()
    issuance = Issuance.objects.get()
    assert issuance.state == Issuance.State.ERROR
    assert issuance.last_error
    assert issuance.next_attempt_at is not None
    later()
    issuance.refresh_from_db()
    assert issuance.state == Issuance.State.PENDING
    assert live(credly) == 1


def test_an_unknown_outcome_is_looked_up_before_it_is_sent_again(
    earned: Service, credly: Running
) -> None:
    credly.sandbox.control("switches", {"reset": 1}, method="POST")  # issued, answer lost
    earned.issue()
    assert live(credly) == 1
    later()
    badge = earned.badge("ann", EXPLORER)
    assert badge is not None
    assert badge["credential"]["issuances"][0]["state"] == "pending"
    calls = credly.sandbox.control("state", {}, method="GET")["calls"]
    assert sum(n for call, n in calls.items() if call.startswith("POST")) == 1


def test_a_wrong_key_pauses_the_account_and_spends_no_attempt(
    earned: Service, credly: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_CREDLY_KEY", "wrong")
    earned.issue()
    assert CredlyOrganization.objects.get().paused_reason
    later()
    assert Issuance.objects.get().attempts == 0

    monkeypatch.setenv("ACME_CREDLY_KEY", "key-of-acme")
    CredlyOrganization.objects.update(paused_reason="")
    later()
    assert live(credly) == 1


def test_a_revocation_waits_too(earned: Service, credly: Running) -> None:
    earned.issue()
    credly.sandbox.control("switches", {"down": 1}, method="POST")
    earned.publish([passes("ann", 1, minute=5, passing=False)])
    earned.consume()
    earned.issue()
    assert live(credly) == 1
    later()
    assert live(credly) == 0
    assert Issuance.objects.get().state == Issuance.State.REVOKED


def test_a_worker_that_dies_after_sending_does_not_double(earned: Service, credly: Running) -> None:
    """The row was claimed, the badge issued, and nothing recorded: what a killed worker leaves."""
    earned.issue()
    Issuance.objects.update(
        state=Issuance.State.CREATED,
        external_id=None,
        next_attempt_at=timezone.now() + worker.LEASE,
        started=True,
    )
    later()
    assert Issuance.objects.get().state == Issuance.State.PENDING
    assert live(credly) == 1
