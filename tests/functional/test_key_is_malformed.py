"""A key that cannot be a key stops the account, not the badge, and is never shown."""

import pytest

from credentials.models import CredlyOrganization, Issuance
from credly_client.sandbox import Running
from tests.functional.conftest import KEY, Service
from tests.functional.stories import explorer, passes


@pytest.fixture
def earned(service: Service, credly: Running) -> Service:
    service.load(explorer())
    service.publish([passes("ann", 1, minute=1), passes("ann", 2, minute=2)])
    service.consume()
    return service


@pytest.mark.parametrize("key", ["two words", "user:password", "kéy"])
def test_the_account_is_paused_and_no_attempt_is_spent(
    earned: Service,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    key: str,
) -> None:
    monkeypatch.setenv("ACME_CREDLY_KEY", key)
    earned.issue()
    issuance, organization = Issuance.objects.get(), CredlyOrganization.objects.get()
    assert issuance.attempts == 0
    assert organization.paused_reason
    output = capfd.readouterr()
    assert key not in output.out + output.err + issuance.last_error + organization.paused_reason


def test_a_line_break_at_the_end_is_no_part_of_the_key(
    earned: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_CREDLY_KEY", f"{KEY}\n")
    earned.issue()
    assert Issuance.objects.get().state == Issuance.State.PENDING
