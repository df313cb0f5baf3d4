"""A badge for badges: our own events come back over the bus and count like any other."""

from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pytest
from django.core.management import CommandError

from badges.definitions import stored_faults
from credentials.models import BadgeTemplate, UserCredential
from credly_client.sandbox import Running
from tests.functional.conftest import Service
from tests.functional.stories import ACME, EXPLORER, document, explorer, passes

AWARDED = "org.openedx.learning.badge.awarded.v1"
REVOKED = "org.openedx.learning.badge.revoked.v1"
MASTER = str(uuid5(NAMESPACE_URL, "template/master"))


def names(*templates: str, operator: str = "eq") -> list[dict[str, str]]:
    return [{"path": "template.uuid", "operator": operator, "value": ", ".join(templates)}]


def master(*, needs: str = EXPLORER, **changes: Any) -> dict[str, Any]:
    """A template that is earned with another badge and lost with it."""
    template = {
        "uuid": MASTER,
        "name": "Data Master",
        "organization": ACME,
        "providers": ["credly"],
        "is_active": True,
        "requirements": [{"id": "badge", "event_type": AWARDED, "rules": names(needs)}],
        "penalties": [
            {"id": "lost", "event_type": REVOKED, "resets": ["badge"], "rules": names(needs)}
        ],
    }
    return {**template, **changes}


def both(*, explorer_changes: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    (first,) = explorer()["templates"]
    return document({**first, **(explorer_changes or {})}, master(**changes))


def go_round(service: Service) -> None:
    """Process what is on the bus, publish what follows from it, and that again."""
    for _ in range(3):
        service.consume()
        service.issue()


def held(service: Service, template: str) -> str | None:
    badge = service.badge("ann", template)
    return badge["credential"]["status"] if badge and badge["credential"] else None


def test_earned_with_the_badge_and_lost_with_it(service: Service, credly: Running) -> None:
    credly.sandbox.control(
        "templates", {"id": MASTER, "organization_id": ACME, "name": "Data Master"}
    )
    service.load(both())
    service.publish([passes("ann", 1, minute=1), passes("ann", 2, minute=2)])
    service.consume()
    assert held(service, EXPLORER) == "awarded"
    assert held(service, MASTER) is None  # the event is not on the bus yet
    go_round(service)
    assert held(service, MASTER) == "awarded"
    explorer_at, master_at = UserCredential.objects.order_by("id").values_list(
        "awarded_at", flat=True
    )
    assert explorer_at == master_at

    service.publish([passes("ann", 1, minute=3, passing=False)])
    go_round(service)
    assert (held(service, EXPLORER), held(service, MASTER)) == ("revoked", "revoked")
    accepted = service.state()["inbox"]["accepted"]
    go_round(service)
    assert service.state()["inbox"]["accepted"] == accepted  # it comes to rest
    assert accepted == 3 + 4


def test_a_circle_of_two_is_refused_with_its_place(service: Service) -> None:
    to_master = {"id": "two", "event_type": AWARDED, "rules": names(MASTER, operator="in")}
    changes = {"requirements": [to_master], "penalties": []}
    way = f"badges go in a circle: {EXPLORER} needs {MASTER} needs {EXPLORER}"
    with pytest.raises(CommandError) as refused:  # told once, not at both ends
        service.load(both(explorer_changes=changes))
    assert str(refused.value).count("badges go in a circle") == 1
    assert f"templates[0].requirements[0].rules[0].value: {way}" in str(refused.value)

    service.load(both())
    with pytest.raises(CommandError) as refused:  # the other one is in the database
        service.load(explorer(**changes))
    assert f"templates[0].requirements[0].rules[0].value: {way}" in str(refused.value)
    assert BadgeTemplate.objects.get(uuid=EXPLORER).requirements.count() == 2


def test_a_penalty_closes_a_circle_too(service: Service) -> None:
    (penalty,) = master(needs=MASTER)["penalties"]
    (first,) = explorer(penalties=[{**penalty, "resets": ["one"]}])["templates"]
    service.load(both())
    with pytest.raises(CommandError, match=r"penalties\[0\]\.rules\[0\]\.value: badges go in"):
        service.load(document(first))


def test_a_badge_that_needs_itself_is_refused(service: Service) -> None:
    with pytest.raises(CommandError, match=f"circle: {MASTER} needs {MASTER}"):
        service.load(document(master(needs=MASTER, penalties=[])))


def test_only_active_templates_go_in_a_circle(service: Service) -> None:
    requirement = {"id": "one", "event_type": AWARDED, "rules": names(MASTER)}
    (inactive,) = explorer(requirements=[requirement], penalties=[], is_active=False)["templates"]
    service.load(document(inactive, master()))
    faults = stored_faults(BadgeTemplate.objects.get(uuid=EXPLORER))
    assert faults == [
        "The badges go in a circle: Data Explorer needs Data Master needs Data Explorer."
    ]


def test_any_badge_may_count_for_another(service: Service, credly: Running) -> None:
    """A rule that could match any badge names none: no circle, and its own award is one event."""
    anything = [{"id": "any", "event_type": AWARDED, "count": 2, "distinct_by": "template.uuid"}]
    service.load(both(requirements=anything, penalties=[]))
    service.publish([passes("ann", 1, minute=1), passes("ann", 2, minute=2)])
    go_round(service)
    badge = service.badge("ann", MASTER)
    assert badge is not None
    assert (badge["complete"], badge["requirements"][0]["count"]) == (False, 1)
