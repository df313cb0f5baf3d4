"""Something changes while a call to Credly is under way."""

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from credentials import worker
from credentials.models import CredlyOrganization, Issuance
from credly_client.sandbox import Running
from tests.fakes.interrupted_credly import InterruptedCredly, WorkerDied
from tests.functional.conftest import Service
from tests.functional.stories import ACME, EXPLORER, explorer, passes

State = Issuance.State


@pytest.fixture(autouse=True)
def _interrupted(settings: Settings) -> Iterator[None]:
    settings.PROVIDERS = {"credly": "tests.fakes.interrupted_credly.InterruptedCredly"}
    yield
    InterruptedCredly.before_issue = InterruptedCredly.after_issue = None


@pytest.fixture
def earned(service: Service, credly: Running) -> Service:
    service.load(explorer())
    service.publish([passes("ann", 1, minute=1), passes("ann", 2, minute=2)])
    service.consume()
    return service


def in_(**ahead: float) -> datetime:
    return timezone.now() + timedelta(**ahead)


def badges(credly: Running, *states: str) -> int:
    found = credly.sandbox.control("state", {}, method="GET")["badges"]
    return len([each for each in found if each["state"] in states])


def die() -> None:
    raise WorkerDied


def test_lost_while_it_is_being_issued_by_a_worker_that_dies(
    earned: Service, credly: Running
) -> None:
    def ann_fails() -> None:
        earned.publish([passes("ann", 1, minute=5, passing=False)])
        earned.consume()
        earned.issue()  # another worker: must not conclude that nothing was issued

    InterruptedCredly.before_issue, InterruptedCredly.after_issue = ann_fails, die
    with pytest.raises(WorkerDied):
        earned.issue()
    for hours in (1, 2):
        worker.carry_out_due(clock=lambda: in_(hours=hours))  # noqa: B023 -- called at once
    assert badges(credly, "pending", "accepted") == 0
    assert badges(credly, "revoked") == 1
    assert Issuance.objects.get().state == State.REVOKED


def test_lost_while_it_is_being_issued(earned: Service, credly: Running) -> None:
    def ann_fails() -> None:
        earned.publish([passes("ann", 1, minute=5, passing=False)])
        earned.consume()
        earned.issue()

    InterruptedCredly.before_issue = ann_fails
    earned.issue()
    earned.issue()
    assert (badges(credly, "pending"), badges(credly, "revoked")) == (0, 1)


def test_staff_presses_try_again_while_it_is_being_tried(earned: Service, credly: Running) -> None:
    """The template allows duplicates, so nothing at Credly stops a second badge."""
    credly.sandbox.control(
        "templates",
        {
            "id": EXPLORER,
            "organization_id": ACME,
            "name": "Data Explorer",
            "allow_duplicate_badges": True,
        },
    )
    credly.sandbox.control("switches", {"down": 1}, method="POST")
    earned.issue()
    assert Issuance.objects.get().state == State.ERROR

    def try_again() -> None:
        assert worker.try_again(Issuance.objects.all(), now=timezone.now()) == 1
        worker.carry_out_due(clock=lambda: in_(minutes=2))

    InterruptedCredly.before_issue = try_again
    worker.carry_out_due(clock=lambda: in_(minutes=1))
    worker.carry_out_due(clock=lambda: in_(hours=1))
    assert badges(credly, "pending") == 1


def test_a_worker_that_comes_back_late_spoils_nothing(earned: Service, credly: Running) -> None:
    def another_worker_hours_later() -> None:
        worker.carry_out_due(clock=lambda: in_(hours=1))
        credly.sandbox.control("switches", {"down": 1}, method="POST")

    InterruptedCredly.before_issue = another_worker_hours_later
    earned.issue()
    issuance = Issuance.objects.get()
    assert (issuance.state, issuance.last_error) == (State.PENDING, "")
    assert issuance.next_attempt_at is None


def test_lost_while_the_account_is_being_refused(
    earned: Service, credly: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ann_fails() -> None:
        earned.publish([passes("ann", 1, minute=5, passing=False)])
        earned.consume()
        monkeypatch.setenv("ACME_CREDLY_KEY", "rotated")

    InterruptedCredly.before_issue = ann_fails
    earned.issue()
    assert CredlyOrganization.objects.get().paused_reason
    assert Issuance.objects.get().attempts == 0


def test_the_machine_sleeps_before_the_call(
    earned: Service, credly: Running, settings: Settings
) -> None:
    """When it wakes up another worker may have taken over: nothing is sent."""
    settings.PROVIDERS = {"credly": "credentials.providers.credly.CredlyProvider"}

    def clock() -> datetime:
        in_the_call = threading.current_thread() is not threading.main_thread()
        return in_(minutes=1) if in_the_call else timezone.now()

    worker.carry_out_due(clock=clock)
    issuance = Issuance.objects.get()
    assert (issuance.state, issuance.last_error) == (State.ERROR, "The worker came to it too late.")
    assert credly.sandbox.control("state", {}, method="GET")["calls"] == {}
    worker.carry_out_due(clock=lambda: in_(hours=1))
    assert badges(credly, "pending") == 1
