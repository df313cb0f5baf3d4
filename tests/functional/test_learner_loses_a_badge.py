from credentials.models import UserCredential
from credly_client.sandbox import Running
from tests.functional.conftest import Service
from tests.functional.stories import EXPLORER, explorer, passes

EARNED = [passes("ann", 1, minute=1), passes("ann", 2, minute=2)]
LOST = [passes("ann", 1, minute=5, passing=False)]


def test_by_a_penalty(service: Service, credly: Running) -> None:
    service.load(explorer())
    service.publish(EARNED)
    service.consume()
    service.issue()
    service.publish(LOST)
    service.consume()
    service.issue()
    badge = service.badge("ann", EXPLORER)
    assert badge is not None
    assert badge["credential"]["status"] == "revoked"
    assert badge["credential"]["issuances"][0]["state"] == "revoked"
    (at_credly,) = credly.sandbox.control("state", {}, method="GET")["badges"]
    assert at_credly["state"] == "revoked"


def test_by_a_failure_from_before_the_award_that_comes_late(service: Service) -> None:
    """It is not shown as lost before it was won."""
    service.load(explorer())
    service.publish([passes("ann", 1, minute=1), passes("ann", 2, minute=9), *LOST])
    service.consume()
    credential = UserCredential.objects.get()
    assert credential.status == "revoked"
    assert credential.revoked_at == credential.awarded_at


def test_before_it_was_issued_and_credly_never_hears_of_it(
    service: Service, credly: Running
) -> None:
    service.load(explorer())
    service.publish([*EARNED, *LOST])
    service.consume(batch_size=1)
    service.issue()
    badge = service.badge("ann", EXPLORER)
    assert badge is not None
    assert badge["credential"]["issuances"][0]["state"] == "cancelled"
    assert credly.sandbox.control("state", {}, method="GET")["badges"] == []


def test_and_earns_it_again_where_that_is_allowed(service: Service, credly: Running) -> None:
    service.load(explorer(reissue="allowed"))
    again = [passes("ann", 1, minute=9)]
    for events in (EARNED, LOST, again):
        service.publish(events)
        service.consume()
        service.issue()
    badge = service.badge("ann", EXPLORER)
    assert badge is not None
    assert badge["credential"]["status"] == "awarded"
    states = [b["state"] for b in credly.sandbox.control("state", {}, method="GET")["badges"]]
    assert sorted(states) == ["pending", "revoked"]


def test_but_not_where_it_is_not(service: Service, credly: Running) -> None:
    service.load(explorer())
    service.publish([*EARNED, *LOST, passes("ann", 1, minute=9)])
    service.consume()
    badge = service.badge("ann", EXPLORER)
    assert badge is not None
    assert badge["complete"]
    assert badge["credential"]["status"] == "revoked"
    assert badge["credential"]["blocked_by_revocation"]
