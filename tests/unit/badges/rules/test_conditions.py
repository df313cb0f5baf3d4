from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import attrs
import pytest
from opaque_keys.edx.keys import CourseKey
from openedx_events.learning.data import (
    CertificateData,
    CourseData,
    CoursePassingStatusData,
    ExamAttemptData,
    UserData,
    UserPersonalData,
)

from badges.rules.conditions import (
    Condition,
    DataRule,
    RuleRefusedError,
    compile_rule,
    compile_value,
)
from badges.rules.operators import OPERATORS, operators_for
from badges.rules.paths import Kind, key_paths
from badges.rules.values import Absent

COURSE = "course-v1:Acme+D1+2026"
ANN = UserData(
    id=11,
    is_active=True,
    pii=UserPersonalData(username="ann", email="ann@example.com", name="Ann Lee"),
)


@attrs.frozen
class Lesson:
    """A payload with a value of every kind."""

    title: str
    grade: float
    points: int
    done: bool
    at: datetime
    course_key: CourseKey
    tags: list[str]
    note: str | None = None


LESSON = Lesson(
    title="Rules, first part",
    grade=0.9,
    points=7,
    done=True,
    at=datetime(2026, 3, 1, 10, tzinfo=UTC),
    course_key=CourseKey.from_string(COURSE),
    tags=["a"],
)


def event(payload: Any) -> Any:
    return SimpleNamespace(
        payload=payload, time=datetime(2026, 3, 1, tzinfo=UTC), source="lms", sourcehost="host"
    )


def condition(path: str, operator: str, value: str = "", *, of: type = Lesson) -> Condition:
    return compile_rule(DataRule(path, operator, value), payload_type=of)


@pytest.mark.parametrize(
    ("path", "operator", "value"),
    [
        ("title", "eq", "Rules, first part"),
        ("title", "ne", "rules, first part"),
        ("title", "contains", "first"),
        ("title", "not_contains", "second"),
        ("title", "starts_with", "Rules"),
        ("title", "ends_with", "part"),
        ("title", "matches", "f.rst"),
        ("title", "gt", "Aaa"),
        ("title", "not_in", "a, b"),
        ("grade", "eq", "0.90"),
        ("grade", "ge", "0.9"),
        ("grade", "in", "0.8, 0.90"),
        ("points", "lt", "10"),
        ("points", "ne", "7.5"),
        ("done", "eq", "YES"),
        ("done", "ne", "0"),
        ("at", "eq", "2026-03-01T11:00:00+01:00"),
        ("at", "lt", "2026-03-01T10:00:01Z"),
        ("course_key", "eq", COURSE),
        ("course_key", "in", f"course-v1:a+b+c, {COURSE}"),
        ("course_key", "starts_with", "course-v1:Acme+"),
        ("course_key", "matches", r"\+2026$"),
        ("tags", "exists", ""),
        ("note", "is_missing", ""),
        ("metadata.source", "eq", "lms"),
        ("metadata.time", "ge", "2026-03-01T00:00:00Z"),
    ],
)
def test_holds(path: str, operator: str, value: str) -> None:
    assert condition(path, operator, value).holds(event(LESSON))


@pytest.mark.parametrize(
    ("path", "operator", "value"),
    [
        ("title", "eq", "Rules"),
        ("title", "matches", "^first"),
        ("grade", "gt", "0.9"),
        ("points", "in", "1, 2"),
        ("done", "eq", "false"),
        ("at", "gt", "2026-03-01T11:00:00+01:00"),
        ("course_key", "ne", COURSE),
        ("title", "is_missing", ""),
        ("note", "exists", ""),
    ],
)
def test_does_not_hold(path: str, operator: str, value: str) -> None:
    assert not condition(path, operator, value).holds(event(LESSON))


@pytest.mark.parametrize("operator", [name for name in OPERATORS if name != "is_missing"])
def test_a_missing_value_is_false_for_every_operator(operator: str) -> None:
    value = "" if operator == "exists" else "x"
    assert not condition("note", operator, value).holds(event(LESSON))


def test_a_path_through_nobody_is_missing() -> None:
    rule = condition("requesting_user.pii.username", "ne", "ann", of=ExamAttemptData)
    attempt = SimpleNamespace(requesting_user=None)
    assert not rule.holds(event(attempt))


def certificate(grade: str) -> Any:
    return event(SimpleNamespace(grade=grade))


@pytest.mark.parametrize(
    ("grade", "holds"), [("0.95", True), ("0.9", True), ("0.85", False), ("A", False), ("", False)]
)
def test_a_grade_that_is_text_is_compared_as_a_number(grade: str, holds: bool) -> None:
    rule = condition("grade", "ge", "0.90", of=CertificateData)
    assert rule.holds(certificate(grade)) is holds


def test_text_that_is_compared_with_text() -> None:
    assert condition("grade", "lt", "B", of=CertificateData).holds(certificate("A"))


def test_equality_of_text_is_exact() -> None:
    assert not condition("grade", "eq", "0.90", of=CertificateData).holds(certificate("0.9"))


def test_an_unreadable_value_holds_nothing_but_exists() -> None:
    broken = event(attrs.evolve(LESSON, grade=float("nan")))
    assert not condition("grade", "ne", "0.5").holds(broken)
    assert condition("grade", "exists").holds(broken)


@pytest.mark.parametrize(
    ("rule", "field", "said"),
    [
        (DataRule("nope", "eq", "1"), "path", "choose one of: title"),
        (DataRule("title.length", "eq", "1"), "path", "not a key path"),
        (DataRule("title", "like", "x"), "operator", "choose one of: eq, ne"),
        (DataRule("done", "gt", "true"), "operator", "choose one of: eq, ne, exists, is_missing"),
        (DataRule("tags", "contains", "a"), "operator", "choose one of: exists, is_missing"),
        (DataRule("grade", "ge", "high"), "value", "not a number"),
        (DataRule("points", "in", ""), "value", "^needs at least one item, separated by commas$"),
        (DataRule("title", "contains", ""), "value", "^must not be empty$"),
        (DataRule("title", "matches", "("), "value", "that RE2 accepts: missing \\): \\($"),
        (DataRule("title", "matches", r"(a)\1"), "value", "RE2"),
        (DataRule("title", "exists", "x"), "value", "must be empty"),
        (DataRule("title", "eq", "x" * 10_001), "value", "10001 characters"),
    ],
)
def test_a_rule_that_cannot_work_is_refused(rule: DataRule, field: str, said: str) -> None:
    with pytest.raises(RuleRefusedError, match=said) as caught:
        compile_rule(rule, payload_type=Lesson)
    assert caught.value.field == field
    assert caught.value.message == str(caught.value)


def test_a_pattern_that_is_refused_leaves_no_noise(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RuleRefusedError):
        condition("title", "matches", "(")
    assert capfd.readouterr().err == ""


def test_the_longest_value() -> None:
    assert condition("title", "eq", "x" * 10_000).expected == "x" * 10_000


@pytest.mark.parametrize(
    ("operator", "value", "equals"),
    [
        ("eq", "0.90", {0.9}),
        ("in", "1, 2", {1, 2}),
        ("ne", "0.9", None),
        ("not_in", "1, 2", None),
        ("exists", "", None),
    ],
)
def test_what_an_index_can_look_up(operator: str, value: str, equals: set[float] | None) -> None:
    assert condition("grade", operator, value).equals == equals


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("title", "Rules, first part"),
        ("grade", 0.9),
        ("course_key", COURSE),
        ("note", Absent.MISSING),
        ("metadata.sourcehost", "host"),
    ],
)
def test_a_value_is_read_in_its_declared_type(path: str, value: object) -> None:
    reader = compile_value(path, payload_type=Lesson)
    assert reader.path == path
    assert reader.of(event(LESSON)) == value


def test_a_value_that_is_not_there_is_missing() -> None:
    assert compile_value("title", payload_type=Lesson).of(event(object())) is Absent.MISSING


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("tags", "tags is an object; choose a value inside it"),
        ("nope", "'nope' is not a key path of this event; choose one of: title, grade"),
    ],
)
def test_events_are_told_apart_by_a_value_only(path: str, said: str) -> None:
    with pytest.raises(RuleRefusedError, match=said) as caught:
        compile_value(path, payload_type=Lesson)
    assert caught.value.field == "path"


def test_paths_lead_through_optional_records() -> None:
    paths = key_paths(ExamAttemptData)
    assert paths["requesting_user.pii.username"].kind is Kind.TEXT
    assert paths["student_user"].kind is Kind.OBJECT
    assert paths["usage_key"].kind is Kind.KEY


def test_every_kind_has_operators() -> None:
    for kind in Kind:
        assert {"exists", "is_missing"} <= set(operators_for(kind))


def test_a_real_payload() -> None:
    payload = CoursePassingStatusData(
        is_passing=True,
        course=CourseData(course_key=CourseKey.from_string(COURSE), display_name=""),
        user=ANN,
    )
    rule = condition("course.course_key", "eq", COURSE, of=CoursePassingStatusData)
    assert rule.holds(event(payload))
