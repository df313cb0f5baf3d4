import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from graphlib import CycleError
from types import SimpleNamespace
from typing import Any

import attrs
import pytest

from badges.rules.book import Penalty, Requirement, RuleBook, Template, compile_book
from badges.rules.conditions import Condition, DataRule, compile_rule, compile_value


@attrs.frozen
class Status:
    course: str
    passing: bool
    grade: float = 0.0


def rule(path: str, operator: str, value: str) -> Condition:
    return compile_rule(DataRule(path, operator, value), payload_type=Status)


def template(number: int, *conditions: Condition, penalty: tuple[Condition, ...] = ()) -> Template:
    return Template(
        id=number,
        groups={"G": 1},
        requirements=(Requirement(number, f"r{number}", "status", "G", conditions),),
        penalties=(Penalty(number, f"p{number}", "status", ("r",), penalty),) if penalty else (),
    )


def event(kind: str = "status", **fields: Any) -> Any:
    return SimpleNamespace(
        type=kind,
        payload=Status(**{"course": "c1", "passing": True, **fields}),
        time=datetime(2026, 3, 1, tzinfo=UTC),
        source="",
        sourcehost="",
    )


def ids(book: RuleBook, what: Any) -> list[int]:
    return [match.template.id for match in book.match(what)]


def counted(calls: list[object]) -> Callable[[Any, Any], bool]:
    """A test that always holds, and notes that it was asked."""

    def test(actual: Any, _expected: Any) -> bool:
        calls.append(actual)
        return True

    return test


def test_finds_by_value_by_list_and_without_an_equality() -> None:
    book = compile_book(
        [
            template(1, rule("course", "eq", "c1")),
            template(2, rule("course", "eq", "c2")),
            template(3, rule("course", "in", "c1, c2")),
            template(4, rule("grade", "ge", "0.5")),
            template(5),
        ],
        version=1,
    )
    assert ids(book, event()) == [1, 3, 5]
    assert ids(book, event(course="c2", grade=0.7)) == [2, 3, 4, 5]
    assert ids(book, event("another")) == []


def test_all_rules_must_hold() -> None:
    book = compile_book(
        [template(1, rule("course", "eq", "c1"), rule("passing", "eq", "true"))], version=1
    )
    assert ids(book, event()) == [1]
    assert ids(book, event(passing=False)) == []


def test_requirements_and_penalties_of_one_template_come_together() -> None:
    book = compile_book(
        [template(1, rule("course", "eq", "c1"), penalty=(rule("course", "eq", "c1"),))], version=1
    )
    (match,) = book.match(event())
    assert [each.requirement.key for each in match.met] == ["r1"]
    assert [each.key for each in match.penalties] == ["p1"]


def test_the_most_selective_equality_is_the_one_looked_up() -> None:
    evaluated: list[object] = []

    def passing() -> Condition:
        """Not shared, so that a scan would evaluate each."""
        return attrs.evolve(rule("passing", "eq", "true"), test=counted(evaluated))

    book = compile_book(
        [template(n, passing(), rule("course", "eq", f"c{n}")) for n in range(100)], version=1
    )
    assert ids(book, event(course="c7")) == [7]
    assert len(evaluated) == 1
    assert ids(book, event(course="c100")) == []
    assert len(evaluated) == 1


def test_what_the_index_has_answered_is_not_asked_again() -> None:
    evaluated: list[object] = []
    book = compile_book(
        [
            template(1, attrs.evolve(rule("course", "eq", "c1"), test=counted(evaluated))),
            template(2, attrs.evolve(rule("course", "in", "c1, c2"), test=counted(evaluated))),
        ],
        version=1,
    )
    assert ids(book, event()) == [1, 2]
    assert evaluated == []


def test_a_list_is_less_selective_than_a_value() -> None:
    evaluated: list[object] = []

    def listed() -> Condition:
        return attrs.evolve(rule("course", "in", "c1, c2, c3"), test=counted(evaluated))

    book = compile_book(
        [template(n, listed(), rule("grade", "eq", str(n))) for n in range(9)], version=1
    )
    assert ids(book, event(grade=7.0)) == [7]
    assert len(evaluated) == 1


def test_a_shared_condition_is_evaluated_once() -> None:
    evaluated: list[object] = []
    shared = attrs.evolve(rule("grade", "ge", "0.5"), test=counted(evaluated))
    book = compile_book([template(n, shared) for n in range(10)], version=1)
    assert len(ids(book, event(grade=0.9))) == 10
    assert len(evaluated) == 1


def distinct(path: str) -> RuleBook:
    """One requirement that tells events apart by `path`."""
    told_apart = compile_value(path, payload_type=Status)
    requirement = Requirement(1, "r", "status", "G", (), distinct_by=told_apart)
    return compile_book([Template(1, {"G": 1}, (requirement,), ())], version=1)


def test_the_value_that_tells_events_apart_comes_with_the_match() -> None:
    (match,) = distinct("grade").match(event(grade=7.0))
    assert [(each.requirement.key, each.value) for each in match.met] == [("r", "7")]
    (match,) = distinct("course").match(event(course="x" * 300))
    assert len(match.met[0].value) == 64


def test_an_event_without_that_value_does_not_count() -> None:
    assert distinct("grade").match(event(grade=None)) == ()
    assert distinct("grade").match(event(grade="A")) == ()


def test_without_one_all_events_are_alike() -> None:
    (match,) = compile_book([template(1)], version=1).match(event())
    assert match.met[0].value == ""


def test_each_requirement_and_penalty_stands_for_itself() -> None:
    told_apart = compile_value("grade", payload_type=Status)
    requirements = (
        Requirement(1, "missing", "status", "G", (), distinct_by=told_apart),
        Requirement(2, "first", "status", "G", (rule("course", "eq", "c1"),)),
        Requirement(3, "second", "status", "G", ()),
        Requirement(4, "other", "another", "G", ()),
    )
    penalties = (
        Penalty(1, "p", "status", ("first",), (rule("passing", "eq", "true"),)),
        Penalty(2, "q", "status", ("first",), (rule("passing", "eq", "false"),)),
        Penalty(3, "off", "status", ("first",), (), disabled=True),
    )
    book = compile_book([Template(1, {"G": 1}, requirements, penalties)], version=1)
    (match,) = book.match(event(grade=None))
    assert [each.requirement.key for each in match.met] == ["first", "second"]
    assert [each.key for each in match.penalties] == ["p"]
    (match,) = book.match(event("another"))
    assert [each.requirement.key for each in match.met] == ["other"]
    assert match.penalties == ()


def test_a_book_knows_its_version_and_templates() -> None:
    one, two = template(1), template(2)
    book = compile_book(iter([one, two]), version=7)
    assert (book.version, dict(book.templates)) == (7, {1: one, 2: two})
    assert compile_book([], version=0).match(event()) == ()


def test_templates_come_in_the_order_of_their_ids() -> None:
    book = compile_book([template(3), template(1, rule("course", "eq", "c1"))], version=1)
    assert ids(book, event()) == [1, 3]


def test_requirements_are_judged_after_those_they_wait_for() -> None:
    late = Requirement(1, "late", "status", "G", (), after=("early", "gone"))
    early = Requirement(2, "early", "status", "G", ())
    found = Template(1, {"G": 1}, (late, early), ())
    assert [each.key for each in found.in_order] == ["early", "late"]
    assert found.prerequisites == {"early", "gone"}
    assert template(1).prerequisites == frozenset()


def test_a_circle_is_an_error() -> None:
    one = Requirement(1, "one", "status", "G", (), after=("two",))
    two = Requirement(2, "two", "status", "G", (), after=("one",))
    with pytest.raises(CycleError):
        _ = Template(1, {"G": 1}, (one, two), ()).in_order


def test_a_disabled_requirement_matches_nothing() -> None:
    disabled = Requirement(1, "r", "status", "G", (), disabled=True)
    book = compile_book([Template(1, {"G": 1}, (disabled,), ())], version=1)
    assert ids(book, event()) == []


def test_the_rules_import_nothing_of_the_outside() -> None:
    program = (
        "import sys, badges.rules.book, badges.rules.progress, badges.rules.conditions;"
        "print([m for m in ('django', 'redis', 'requests', 'celery') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
