"""`explain_badge` answers for any learner and template."""

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from badges.models import Decision
from tests.functional.conftest import Service
from tests.functional.stories import EXPLORER, explorer, passes
from tests.servers import RedisServer


def explain(who: str, *, as_json: bool = False) -> str:
    output = io.StringIO()
    call_command("explain_badge", learner=who, template=EXPLORER, json=as_json, stdout=output)
    return output.getvalue()


def data(who: str) -> Any:
    return json.loads(explain(who, as_json=True))


def test_what_is_missing_in_words(service: Service) -> None:
    service.load(explorer())
    service.publish([passes("ann", 1, minute=1)])
    service.consume()
    text = explain("ann")
    assert "Does not have the badge yet; 1 of 2 groups are met." in text
    assert "course.passing.status.updated with course.course_key eq course-v1:Acme+D2+2026" in text
    found = data("ann")
    assert [each["fulfilled"] for each in found["requirements"]] == [True, False]
    assert found["requirements"][0]["by_event"] == passes("ann", 1, minute=1)["id"]


def test_why_the_badge_is_held_lost_and_blocked(service: Service) -> None:
    service.load(explorer())
    service.publish([passes("ann", 1, minute=1), passes("ann", 2, minute=2)])
    service.consume()
    assert "Has the badge since 2026-03-01 10:02 UTC" in explain("ann")
    service.publish([passes("ann", 1, minute=3, passing=False)])
    service.consume()
    assert "Lost the badge on 2026-03-01 10:03 UTC (failed-one)" in explain("ann")
    service.publish([passes("ann", 1, minute=4)])
    service.consume()
    found = data("ann")
    assert found["blocked"]
    assert "not awarded again" in found["verdict"]
    outcomes = list(Decision.objects.order_by("id").values_list("outcome", flat=True))
    assert outcomes == [
        "fulfilled",
        "fulfilled",
        "awarded",
        "reset",
        "revoked",
        "fulfilled",
        "blocked",
    ]


def test_who_never_matched_learns_how_near_it_was(service: Service) -> None:
    service.load(explorer())
    service.publish([passes("bob", 1, minute=1, passing=False), passes("cid", 5, minute=1)])
    service.consume()
    text = explain("cid")
    assert "course.course_key is course-v1:Acme+D5+2026, expected eq course-v1:Acme+D1+2026" in text
    assert data("cid")["groups_met"] == 0


def test_a_decision_tells_what_was_seen_and_nothing_personal(service: Service) -> None:
    requirement = {
        "id": "named",
        "event_type": "org.openedx.learning.course.passing.status.updated.v1",
        "rules": [
            {"path": "user.pii.email", "operator": "ends_with", "value": "@example.com"},
            {"path": "is_passing", "operator": "eq", "value": "true"},
        ],
    }
    service.load(explorer(requirements=[requirement], penalties=[]))
    service.publish([passes("ann", 1, minute=1)])
    service.consume()
    decision = Decision.objects.get(outcome="fulfilled")
    assert decision.seen == [
        ["user.pii.email", "ends_with", "@example.com", "(personal)"],
        ["is_passing", "eq", "true", "True"],
    ]


def test_unknown_names_are_told(service: Service, redis: RedisServer) -> None:
    service.load(explorer())
    with pytest.raises(CommandError, match="No learner"):
        explain("nobody")
