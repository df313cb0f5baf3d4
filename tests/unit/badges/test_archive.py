from datetime import UTC, datetime
from uuid import UUID

import pytest

from badges.archive import archived, past
from badges.rules.book import Penalty, Requirement, Template
from badges.rules.conditions import DataRule, compile_rule, compile_value
from events.models import InboxEvent
from events.registry import subscriptions

PASSING = "org.openedx.learning.course.passing.status.updated.v1"
CERTIFICATE = "org.openedx.learning.certificate.created.v1"


def requirement(key: str, *paths: str, event_type: str = PASSING) -> Requirement:
    payload_type = subscriptions()[event_type].payload_type
    conditions = tuple(
        compile_rule(DataRule(path, "exists"), payload_type=payload_type) for path in paths
    )
    return Requirement(id=1, key=key, event_type=event_type, group=key, conditions=conditions)


def gaps(*requirements: Requirement, penalties: tuple[Penalty, ...] = ()) -> tuple[str, ...]:
    groups = {each.key: 1 for each in requirements}
    return past([Template(1, groups, requirements, penalties)]).gaps


@pytest.mark.parametrize("path", ["course.course_key", "user.id", "user", "metadata.source"])
def test_what_the_archive_keeps(path: str) -> None:
    assert gaps(requirement("r", path)) == ()


@pytest.mark.parametrize("path", ["user.pii", "user.pii.email", "user.is_active"])
def test_what_it_does_not_keep(path: str) -> None:
    assert gaps(requirement("r", path)) == (f"r: the archive does not keep {path}",)


def test_the_name_on_a_certificate() -> None:
    found = gaps(requirement("r", "name", "grade", event_type=CERTIFICATE))
    assert found == ("r: the archive does not keep name",)


def test_a_value_to_tell_apart_by() -> None:
    payload_type = subscriptions()[PASSING].payload_type
    by_name = compile_value("user.pii.username", payload_type=payload_type)
    found = gaps(Requirement(1, "r", PASSING, "r", (), distinct_by=by_name))
    assert found == ("r: the archive does not keep user.pii.username",)


def test_who_cannot_see_a_penalty_does_not_count_what_it_resets() -> None:
    conditions = requirement("x", "user.pii.email").conditions
    penalty = Penalty(1, "p", PASSING, ("a",), conditions)
    a, b = requirement("a", "is_passing"), requirement("b", "is_passing")
    template = Template(1, {"a": 1, "b": 1}, (a, b), (penalty,))
    found = past([template])
    assert found.gaps == ("a: its penalty p: the archive does not keep user.pii.email",)
    (readable,) = found.templates
    assert [each.disabled for each in readable.requirements] == [True, False]
    assert [each.disabled for each in readable.penalties] == [True]


def test_an_archived_event_reads_like_the_event_it_was() -> None:
    payload = {
        "is_passing": True,
        "course": {"course_key": "course-v1:Acme+D1+2026", "start": "2026-01-01T00:00:00+00:00"},
        "user": {"id": 11},
    }
    row = InboxEvent(
        event_id=UUID(int=1),
        event_type=PASSING,
        event_time=datetime(2026, 3, 1, tzinfo=UTC),
        source="lms",
        payload=payload,
    )
    event = archived(row)
    rules = [
        DataRule("is_passing", "eq", "yes"),
        DataRule("course.course_key", "eq", "course-v1:Acme+D1+2026"),
        DataRule("course.start", "le", "2026-01-01T01:00:00+01:00"),
        DataRule("user.id", "in", "11, 12"),
        DataRule("metadata.time", "ge", "2026-03-01T00:00:00Z"),
        DataRule("user.pii.email", "is_missing"),
    ]
    payload_type = subscriptions()[PASSING].payload_type
    assert all(compile_rule(each, payload_type=payload_type).holds(event) for each in rules)
