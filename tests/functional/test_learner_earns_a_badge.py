from credly_client.sandbox import Running
from tests.functional.conftest import Service
from tests.functional.stories import EXPLORER, explorer, passes


def test_after_both_courses_and_not_before(service: Service, credly: Running) -> None:
    service.load(explorer())
    service.publish([passes("ann", 1, minute=1)])
    service.consume()
    after_one = service.badge("ann", EXPLORER)
    assert after_one is not None
    assert (after_one["complete"], after_one["credential"]) == (False, None)
    assert (after_one["groups_met"], after_one["groups_required"]) == (1, 2)

    service.publish([passes("ann", 2, minute=2)])
    service.consume()
    service.issue()

    badge = service.badge("ann", EXPLORER)
    assert badge is not None
    assert badge["complete"]
    assert badge["credential"]["status"] == "awarded"
    (issuance,) = badge["credential"]["issuances"]
    assert (issuance["wanted"], issuance["state"]) == ("issued", "pending")
    (issued,) = _badges(credly)
    assert issued["id"] == issuance["external_id"]
    assert issued["recipient_email"] == "ann@example.com"
    assert issued["issued_to_last_name"] == "Lee"
    assert issued["issued_at"] == "2026-03-01T10:02:00.000Z"  # the award's time, not today


def test_everybody_only_for_what_they_did(service: Service, credly: Running) -> None:
    service.load(explorer())
    service.publish([passes("ann", 1, minute=1), passes("bob", 2, minute=2)])
    service.consume()
    for who in ("ann", "bob"):
        badge = service.badge(who, EXPLORER)
        assert badge is not None
        assert not badge["complete"]


def test_the_platform_hears_of_it(service: Service, credly: Running) -> None:
    """BADGE_AWARDED goes out over the bus, and comes back as an event like any other."""
    service.load(explorer())
    service.publish([passes("ann", 1, minute=1), passes("ann", 2, minute=2)])
    service.consume()
    before = service.state()["inbox"]["accepted"]
    service.issue()
    service.issue()  # published once
    service.consume()
    assert service.state()["inbox"]["accepted"] == before + 1
    assert service.state()["inbox"]["duplicate"] == 0


def _badges(credly: Running) -> list[dict[str, str]]:
    found: list[dict[str, str]] = credly.sandbox.control("state", {}, method="GET")["badges"]
    return found
