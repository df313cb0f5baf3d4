"""Payloads that nobody should send: evaluation never raises."""

import math
from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import attrs
import pytest

from badges.rules.conditions import DataRule, RuleRefusedError, compile_rule
from badges.rules.operators import OPERATORS
from badges.rules.paths import Kind
from badges.rules.values import READERS, Absent, canonical, split_list
from tests.fakes.hostile import Offsetless, Unprintable

HALF = "\ud800"  # of a character: a lone surrogate
HUGE = 10**5_000  # more digits than Python turns into text


@attrs.frozen
class Lesson:
    title: str
    grade: float
    done: bool
    at: datetime


def holds(path: str, operator: str, value: str, raw: Any) -> bool:
    rule = compile_rule(DataRule(path, operator, value), payload_type=Lesson)
    payload = SimpleNamespace(**{path: raw})
    return rule.holds(SimpleNamespace(payload=payload))


def test_half_a_character_matches_no_pattern() -> None:
    assert not holds("title", "matches", "a", HALF + "a")
    assert holds("title", "contains", "a", HALF + "a")


def test_a_pattern_with_half_a_character_is_refused() -> None:
    with pytest.raises(
        RuleRefusedError, match=r"^holds half a character \(a lone surrogate\)$"
    ) as caught:
        compile_rule(DataRule("title", "matches", HALF), payload_type=Lesson)
    assert caught.value.field == "value"


@pytest.mark.parametrize("kind", [Kind.TEXT, Kind.KEY, Kind.NUMBER, Kind.BOOLEAN, Kind.DATETIME])
def test_a_number_of_too_many_digits_is_unreadable(kind: Kind) -> None:
    assert READERS[kind](HUGE) is Absent.UNREADABLE
    assert READERS[kind](-HUGE) is Absent.UNREADABLE


def test_a_number_is_readable_up_to_300_digits() -> None:
    assert READERS[Kind.NUMBER](10**300 - 1) == 10**300 - 1
    assert READERS[Kind.NUMBER](1 - 10**300) == 1 - 10**300
    assert READERS[Kind.NUMBER](10**300) is Absent.UNREADABLE
    assert READERS[Kind.NUMBER](-(10**300)) is Absent.UNREADABLE


def test_what_has_no_text_is_unreadable() -> None:
    assert READERS[Kind.TEXT](Unprintable()) is Absent.UNREADABLE
    assert not holds("title", "ne", "x", Unprintable())
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert READERS[Kind.TEXT](deep) is Absent.UNREADABLE


def test_a_list_too_deep_is_refused() -> None:
    with pytest.raises(ValueError, match="not a JSON list"):
        split_list("[" * 9_999)


@pytest.mark.parametrize("raw", [2, -1, 7.0, 1.0, "maybe", [], None.__class__])
def test_what_is_neither_true_nor_false_is_unreadable(raw: object) -> None:
    assert READERS[Kind.BOOLEAN](raw) is Absent.UNREADABLE


@pytest.mark.parametrize(
    ("raw", "value"), [(1, True), (0, False), (True, True), (False, False), ("No", False)]
)
def test_what_is_true_or_false(raw: object, value: bool) -> None:
    assert READERS[Kind.BOOLEAN](raw) is value


@pytest.mark.parametrize("raw", ["soon", "\ud800", 7, 0.5, b"2026-03-01", math.nan])
def test_what_is_no_time_is_unreadable(raw: object) -> None:
    assert READERS[Kind.DATETIME](raw) is Absent.UNREADABLE


@pytest.mark.parametrize(
    "raw",
    [
        "2026-03-01T10:00:00",
        "2026-03-01T11:00:00+01:00",
        datetime(2026, 3, 1, 10, tzinfo=Offsetless()),
        datetime(2026, 3, 1, 9, tzinfo=timezone(-timedelta(hours=1))),
    ],
)
def test_equal_instants(raw: Any) -> None:
    assert READERS[Kind.DATETIME](raw) == datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert holds("at", "in", "2026-03-01T10:00:00Z", raw)


def test_the_first_and_the_last_moment_in_odd_time_zones() -> None:
    offset = timedelta(hours=23, minutes=59, seconds=59, microseconds=999_999)
    first = datetime(1, 1, 1, tzinfo=timezone(offset))
    last = datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone(-offset))
    for operator in ("eq", "ne", "lt", "le", "gt", "ge", "in", "not_in"):
        true = operator in {"ne", "lt", "le", "not_in"}
        assert holds("at", operator, last.isoformat(), first) is true
    assert canonical(first) != canonical(last)


@pytest.mark.parametrize("text", ["\x00", "a\x00b", HALF, "\udfff", "x" * 201])
def test_a_value_that_no_database_holds_is_told_by_its_digest(text: str) -> None:
    assert len(canonical(text)) == 64
    assert int(canonical(text), 16)


@pytest.mark.parametrize("text", ["", "x" * 200, "\x01", "\ud7ff\ue000", "é\n"])
def test_other_text_stands_for_itself(text: str) -> None:
    assert canonical(text) == text


def test_every_kind_of_value_has_its_canonical_text() -> None:
    assert canonical(True) == "true"
    assert canonical(False) == "false"
    assert canonical(7.0) == "7"
    assert canonical(0.5) == "0.5"
    assert canonical(UUID(int=7)) == "00000000-0000-0000-0000-000000000007"
    assert canonical(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)) == "1000000"


def test_fields_that_are_not_there_are_missing() -> None:
    nothing = SimpleNamespace(payload=object())
    for operator in ("exists", "is_missing"):
        rule = compile_rule(DataRule("title", operator), payload_type=Lesson)
        assert rule.holds(nothing) is (operator == "is_missing")


def test_no_value_that_is_there_is_missing() -> None:
    """Condition.holds answers for a missing one; the table says the rest."""
    assert OPERATORS["exists"].test("", None) is True
    assert OPERATORS["is_missing"].test("", None) is False
