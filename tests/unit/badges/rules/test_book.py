import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import attrs

from badges.rules.book import Penalty, Requirement, RuleBook, Template, compile_book
from badges.rules.conditions import Condition, DataRule, compile_rule


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
    passing = rule("passing", "eq", "true")
    evaluated: list[object] = []
    counting = attrs.evolve(passing, test=counted(evaluated))
    book = compile_book(
        [template(n, counting, rule("course", "eq", f"c{n}")) for n in range(100)], version=1
    )
    assert ids(book, event(course="c7")) == [7]
    assert len(evaluated) == 1


def test_a_shared_condition_is_evaluated_once() -> None:
    evaluated: list[object] = []
    shared = attrs.evolve(rule("grade", "ge", "0.5"), test=counted(evaluated))
    book = compile_book([template(n, shared) for n in range(10)], version=1)
    assert len(ids(book, event(grade=0.9))) == 10
    assert len(evaluated) == 1


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
