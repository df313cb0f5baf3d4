"""A provider of one's own, plugged in by the setting PROVIDERS alone."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from credentials import worker
from credentials.checks import providers_work
from credentials.models import Issuance
from credentials.providers.base import (
    AccountRefused,
    OneByOne,
    Permanent,
    Retryable,
    UnknownOutcome,
)
from credly_client.sandbox import Running
from tests.fakes.shelf import ShelfProvider
from tests.functional.conftest import Service
from tests.functional.stories import EXPLORER, explorer, passes

SHELF = "tests.fakes.shelf.ShelfProvider"


@pytest.fixture(autouse=True)
def shelf(settings: Settings) -> Iterator[type[ShelfProvider]]:
    settings.PROVIDERS = {**settings.PROVIDERS, "shelf": SHELF}
    yield ShelfProvider
    ShelfProvider.clear()


@pytest.fixture
def earned(service: Service) -> Service:
    template = explorer()["templates"][0]
    del template["organization"]
    service.load({"version": 1, "templates": [{**template, "providers": ["shelf"]}]})
    service.publish([passes("ann", 1, minute=1), passes("ann", 2, minute=2)])
    service.consume()
    return service


def state(service: Service) -> tuple[str, str]:
    badge = service.badge("ann", EXPLORER)
    assert badge is not None
    (issuance,) = badge["credential"]["issuances"]
    assert issuance["provider"] == "shelf"
    return badge["credential"]["status"], issuance["state"]


def later() -> None:
    worker.carry_out_due(clock=lambda: timezone.now() + timedelta(hours=1))


def test_awarded_issued_and_revoked_at_it(earned: Service, shelf: type[ShelfProvider]) -> None:
    earned.issue()
    assert state(earned) == ("awarded", "available")
    assert list(shelf.badges) == [Issuance.objects.get().external_id]

    earned.publish([passes("ann", 1, minute=5, passing=False)])
    earned.consume()
    earned.issue()
    assert state(earned) == ("revoked", "revoked")
    assert not shelf.badges
    assert shelf.calls == ["issue", "revoke"]


def test_beside_credly(service: Service, credly: Running, shelf: type[ShelfProvider]) -> None:
    service.load(explorer(providers=["credly", "shelf"]))
    service.publish([passes("ann", 1, minute=1), passes("ann", 2, minute=2)])
    service.consume()
    service.issue()
    assert {(each.provider, each.state) for each in Issuance.objects.all()} == {
        ("credly", "pending"),
        ("shelf", "available"),
    }


def test_what_can_be_tried_again_waits_as_long_as_it_says(
    earned: Service, shelf: type[ShelfProvider]
) -> None:
    shelf.faults.append(Retryable("The shelf is full.", after=600))
    earned.issue()
    issuance = Issuance.objects.get()
    assert (issuance.state, issuance.last_error) == ("error", "The shelf is full.")
    assert issuance.next_attempt_at is not None
    assert issuance.next_attempt_at - timezone.now() > timedelta(minutes=9)
    later()
    assert state(earned) == ("awarded", "available")


def test_an_unknown_outcome_is_looked_up(earned: Service, shelf: type[ShelfProvider]) -> None:
    shelf.faults.append(UnknownOutcome("Somebody put it there, or not."))
    earned.issue()
    later()
    assert state(earned) == ("awarded", "available")
    assert shelf.calls == ["issue", "find"]
    assert len(shelf.badges) == 1


@pytest.mark.parametrize("after", [1e15, float("inf"), float("nan"), -1.0])
def test_nobody_waits_for_ever(earned: Service, shelf: type[ShelfProvider], after: float) -> None:
    shelf.faults.append(Retryable("Come again, some day.", after=after))
    earned.issue()
    issuance = Issuance.objects.get()
    assert (issuance.state, issuance.last_error) == ("error", "Come again, some day.")
    assert issuance.next_attempt_at is not None
    assert timezone.now() < issuance.next_attempt_at < timezone.now() + timedelta(days=2)


def test_an_account_that_nobody_can_pause_is_not_hammered(
    earned: Service, shelf: type[ShelfProvider]
) -> None:
    """The template names no organization. It waits a little, and loses no attempt."""
    shelf.faults += [AccountRefused("Who are you?")] * 5
    earned.issue()
    issuance = Issuance.objects.get()
    assert (shelf.calls, issuance.state, issuance.attempts) == (["issue"], "created", 0)
    assert issuance.last_error == "Who are you?"
    shelf.faults.clear()
    later()
    assert state(earned) == ("awarded", "available")


def test_refused_as_one_of_a_batch_that_it_was_not(
    earned: Service, shelf: type[ShelfProvider]
) -> None:
    shelf.faults += [OneByOne("Something in it is wrong.")] * 5
    earned.issue()
    issuance = Issuance.objects.get()
    assert (shelf.calls, issuance.state, issuance.attempts) == (["issue"], "error", 1)
    shelf.faults.clear()
    later()
    assert state(earned) == ("awarded", "available")
    assert len(shelf.badges) == 1


def test_what_no_retry_can_help_is_given_up(earned: Service, shelf: type[ShelfProvider]) -> None:
    shelf.faults.append(Permanent("It does not fit on the shelf."))
    earned.issue()
    later()
    assert state(earned) == ("awarded", "dead")
    assert shelf.calls == ["issue"]


def test_while_it_is_paused_nothing_is_called(earned: Service, shelf: type[ShelfProvider]) -> None:
    shelf.closed.add("shelf")
    earned.issue()
    assert (state(earned), shelf.calls) == (("awarded", "created"), [])
    shelf.closed.clear()
    earned.issue()
    assert state(earned) == ("awarded", "available")


def test_it_passes_the_checks(settings: Settings) -> None:
    assert not providers_work()
    settings.PROVIDERS = {"half": "tests.functional.test_another_provider.Half"}
    (fault,) = providers_work()
    assert fault.id == "credentials.E006"
    assert "check, issue, revoke, is_paused" in fault.msg


class Half:
    """Can find, and nothing else."""

    def find(self, issuance: Issuance) -> None:
        raise Permanent(str(issuance))
