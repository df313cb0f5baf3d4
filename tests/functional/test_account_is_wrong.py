"""Wrong address, old key: what Credly answers then is not about the badge."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from credentials import worker
from credentials.models import CredlyOrganization, Issuance
from credentials.providers.credly import account
from credly_client.sandbox import Running
from tests.functional.conftest import KEY, Service
from tests.functional.stories import ACME, explorer, passes

State = Issuance.State


@pytest.fixture
def issued(service: Service, credly: Running) -> Service:
    service.load(explorer())
    service.publish([passes("ann", 1, minute=1), passes("ann", 2, minute=2)])
    service.consume()
    service.issue()
    return service


def test_a_revocation_at_a_wrong_address_is_not_taken_for_done(
    issued: Service, credly: Running, settings: Settings
) -> None:
    right = settings.CREDLY_API_BASE_URL
    settings.CREDLY_API_BASE_URL = right.replace("/v1", "")
    issued.publish([passes("ann", 1, minute=5, passing=False)])
    issued.consume()
    issued.issue()
    assert Issuance.objects.get().state not in {State.GONE, State.REVOKED}

    settings.CREDLY_API_BASE_URL = right
    worker.try_again(Issuance.objects.all(), now=timezone.now())
    issued.issue()
    (badge,) = credly.sandbox.control("state", {}, method="GET")["badges"]
    assert badge["state"] == "revoked"


@pytest.mark.django_db
def test_a_late_refusal_of_the_former_key_does_not_pause_the_new_one() -> None:
    organization = CredlyOrganization.objects.create(uuid=ACME)
    account.store_key(organization, key="former", now=timezone.now() - timedelta(days=180))
    in_the_middle_of_a_call = CredlyOrganization.objects.get()

    account.store_key(organization, key=KEY, now=timezone.now())
    account.pause(in_the_middle_of_a_call, reason="401")

    assert not CredlyOrganization.objects.get().paused_reason
