"""What an edit of an active template does to learners under way."""

import io
import json
from typing import Any

import pytest
from django.core.management import call_command

from badges import rulebook
from badges.models import Fulfillment, RulesVersion
from credentials.models import UserCredential
from credly_client.sandbox import Running
from tests.functional.conftest import Service
from tests.functional.stories import EXPLORER, PASSING, explorer, passes, rules

THREE = {
    "id": "three",
    "event_type": PASSING,
    "rules": [{"path": "is_passing", "operator": "eq", "value": "true"}],
    "distinct_by": "course.course_key",
    "count": 2,
}


def one(**changes: Any) -> dict[str, Any]:
    return {"id": "one", "event_type": PASSING, "rules": rules(1, "true"), **changes}


def two() -> dict[str, Any]:
    return {"id": "two", "event_type": PASSING, "rules": rules(2, "true")}


def badge(service: Service, who: str = "ann") -> dict[str, Any]:
    found = service.badge(who, EXPLORER)
    assert found is not None
    return found


def test_each_state_of_the_rules_is_a_version(service: Service, credly: Running) -> None:
    service.load(explorer())
    service.load(explorer())  # the same: no version
    service.load(explorer(description="Other words only."))
    assert RulesVersion.objects.count() == 1
    service.load(explorer(requirements=[one()], penalties=[]))
    assert list(RulesVersion.objects.values_list("number", flat=True)) == [2, 1]
    service.publish([passes("ann", 1, minute=1)])
    service.consume()
    assert UserCredential.objects.get().rules_version == 2
    assert Fulfillment.objects.get().version == 2


def test_what_is_fulfilled_stays_fulfilled_until_it_is_reset(service: Service) -> None:
    service.load(explorer())
    service.publish([passes("ann", 1, minute=1)])
    service.consume()

    service.load(explorer(requirements=[one(count=3), two()]))

    assert badge(service)["requirements"][0] == {"id": "one", "fulfilled": True, "count": 3}
    service.publish([passes("ann", 2, minute=2)])
    service.consume()
    assert badge(service)["credential"]["status"] == "awarded"
    service.publish([passes("ann", 1, minute=3, passing=False)])
    service.consume()
    assert badge(service)["requirements"][0] == {"id": "one", "fulfilled": False, "count": 0}


def test_a_requirement_that_looks_elsewhere_forgets_what_was_only_counted(
    service: Service,
) -> None:
    service.load(explorer(requirements=[one(count=2), two()]))
    service.publish([passes("ann", 1, minute=1)])
    service.consume()
    assert badge(service)["requirements"][0]["count"] == 1

    service.load(explorer(requirements=[one(count=2, rules=rules(7, "true")), two()]))

    assert service.badge("ann", EXPLORER) is None
    assert not Fulfillment.objects.exists()


def test_whoever_is_complete_by_the_edit_is_awarded_then(service: Service, credly: Running) -> None:
    service.load(explorer())
    service.publish([passes("ann", 1, minute=1), passes("bob", 2, minute=1)])
    service.consume()

    service.load(explorer(requirements=[one()], penalties=[]))

    assert badge(service)["credential"]["status"] == "awarded"
    assert service.badge("bob", EXPLORER) is None
    service.issue()
    assert len(credly.sandbox.control("state", {}, method="GET")["badges"]) == 1


def test_nobody_loses_a_badge_by_an_edit(service: Service, credly: Running) -> None:
    service.load(explorer())
    service.publish([passes("ann", 1, minute=1), passes("ann", 2, minute=2)])
    service.consume()

    service.load(explorer(requirements=[one(), two(), {**THREE, "count": 5}]))

    found = badge(service)
    assert not found["complete"]
    assert found["credential"]["status"] == "awarded"


def test_activated_again_it_awards_who_is_complete(service: Service, credly: Running) -> None:
    service.load(explorer())
    service.publish([passes("ann", 1, minute=1)])
    service.consume()
    service.load(explorer(is_active=False))
    service.load(explorer(is_active=False, requirements=[one()], penalties=[]))
    assert badge(service)["credential"] is None
    service.load(explorer(requirements=[one()], penalties=[]))
    assert badge(service)["credential"]["status"] == "awarded"


@pytest.mark.parametrize("count", [1, 3])
def test_the_effect_is_known_before(service: Service, credly: Running, count: int) -> None:
    service.load(explorer())
    service.publish([passes("ann", 1, minute=1), passes("bob", 2, minute=1)])
    service.consume()
    file = service.folder / "draft.json"
    file.write_text(json.dumps(explorer(requirements=[one(count=count)])))
    output = io.StringIO()

    call_command("badges_import", str(file), dry_run=True, stdout=output)

    # Ann fulfilled it, and keeps that also if it is demanded three times from now on; bob's
    # requirement is gone.
    assert "1 learner loses a part of the progress" in output.getvalue()
    assert "1 learner meets everything now" in output.getvalue()
    assert not UserCredential.objects.exists()
    assert RulesVersion.objects.count() == 1


def test_another_process_knows_the_edit_at_its_next_batch(
    service: Service, credly: Running
) -> None:
    """The import runs in a process of its own in real life: only the database tells."""
    service.load(explorer())
    kept = rulebook.current()
    service.load(explorer(requirements=[one()], penalties=[]))
    assert kept.version < rulebook.current().version
    service.publish([passes("ann", 1, minute=1)])
    service.consume()
    assert badge(service)["credential"]["status"] == "awarded"
