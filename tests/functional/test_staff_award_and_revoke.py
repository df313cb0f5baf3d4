import io

import pytest
from django.core.management import CommandError, call_command

from badges.models import Decision
from credentials.models import UserCredential
from credly_client.sandbox import Running
from tests.functional.conftest import Service
from tests.functional.stories import EXPLORER, explorer, passes


def by_hand(verb: str, who: str = "ann", **options: bool) -> None:
    call_command(
        f"{verb}_badge",
        learner=who,
        template=EXPLORER,
        reason="Appeal",
        stdout=io.StringIO(),
        **options,
    )


@pytest.fixture
def half(service: Service, credly: Running) -> Service:
    service.load(explorer())
    service.publish([passes("ann", 1, minute=1)])
    service.consume()
    return service


def test_an_award_is_issued_like_any_other(half: Service, credly: Running) -> None:
    by_hand("award")
    half.issue()
    assert len(credly.sandbox.control("state", {}, method="GET")["badges"]) == 1
    assert Decision.objects.filter(outcome="awarded", reason="Appeal (command line)").exists()
    with pytest.raises(CommandError, match="already"):
        by_hand("award")


def test_an_award_is_not_revoked_by_a_penalty(half: Service) -> None:
    by_hand("award")
    half.publish([passes("ann", 1, minute=2, passing=False)])
    half.consume()
    assert UserCredential.objects.get().status == "awarded"


@pytest.mark.parametrize("batch_size", [1, 500])
def test_unless_staff_said_that_penalties_apply(half: Service, batch_size: int) -> None:
    by_hand("award", penalties_apply=True)
    half.publish([passes("ann", 1, minute=2), passes("ann", 1, minute=3, passing=False)])
    half.consume(batch_size=batch_size)
    credential = UserCredential.objects.get()
    assert (credential.status, credential.revocation_origin) == ("revoked", "penalty")
    half.publish([passes("ann", 1, minute=4), passes("ann", 1, minute=5, passing=False)])
    half.consume(batch_size=batch_size)
    assert Decision.objects.filter(outcome="revoked").count() == 1


def test_an_award_is_not_doubled_by_the_engine(half: Service) -> None:
    by_hand("award")
    half.publish([passes("ann", 2, minute=2)])
    half.consume()
    assert UserCredential.objects.count() == 1


def test_a_revocation_is_not_undone_by_the_engine(half: Service, credly: Running) -> None:
    half.publish([passes("ann", 2, minute=2)])
    half.consume()
    half.issue()
    by_hand("revoke")
    half.issue()
    half.publish([passes("ann", 1, minute=3, passing=False), passes("ann", 1, minute=4)])
    half.consume()
    credential = UserCredential.objects.get()
    assert (credential.status, credential.revocation_origin) == ("revoked", "staff")
    (badge,) = credly.sandbox.control("state", {}, method="GET")["badges"]
    assert badge["state"] == "revoked"
    with pytest.raises(CommandError, match="does not hold"):
        by_hand("revoke")
