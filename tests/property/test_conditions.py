"""Data rules against the slow reference, and against payloads that nobody would send."""

import contextlib
from functools import reduce
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from badges.rules.book import Penalty, Requirement, Template, compile_book
from badges.rules.conditions import (
    Condition,
    DataRule,
    RuleRefusedError,
    compile_rule,
    compile_value,
)
from badges.rules.paths import key_paths
from badges.rules.values import Absent, canonical
from tests import reference
from tests.property.effort import PURE
from tests.property.payloads import (
    HOSTILE,
    HOSTILE_TEXT,
    PATHS,
    Payload,
    event,
    expected,
    hostile_payloads,
    payloads,
)


@st.composite
def rules(draw: st.DrawFn) -> DataRule:
    path = draw(st.sampled_from(sorted(PATHS)))
    operator = draw(st.sampled_from(reference.FITS[PATHS[path]]))
    value = draw(expected(path, operator))
    return DataRule(path, operator, value)


def compiled(rule: DataRule) -> Condition:
    return compile_rule(rule, payload_type=Payload)


def value_at(path: str, what: Any) -> Any:
    """None where a step is missing."""
    steps = path.removeprefix("metadata.").split(".")
    start = what if path.startswith("metadata.") else what.payload
    return reduce(lambda at, step: getattr(at, step, None), steps, start)


def holds(rule: DataRule, what: Any) -> bool:
    actual = value_at(rule.path, what)
    return reference.holds(PATHS[rule.path], rule.operator, rule.value, actual)


@PURE
@given(rules(), payloads())
def test_every_operator_as_the_reference(rule: DataRule, payload: Any) -> None:
    what = event(payload)
    assert compiled(rule).holds(what) is holds(rule, what), (rule, value_at(rule.path, what))


@PURE
@given(st.lists(st.lists(rules(), max_size=3), max_size=5), payloads(), st.randoms())
def test_the_index_finds_what_a_scan_finds(
    written: list[list[DataRule]], payload: Any, random: Any
) -> None:
    """`written`: the rules of some templates, each of one requirement or one penalty."""
    known = {rule: compiled(rule) for each in written for rule in each}
    templates = []
    for number, each in enumerate(written):
        conditions = tuple(known[rule] for rule in each)
        one = Requirement(number, "r", "t", "G", conditions)
        other = Penalty(number, "p", "t", ("r",), conditions)
        is_penalty = random.random() < 0.3
        templates.append(
            Template(number, {"G": 1}, () if is_penalty else (one,), (other,) if is_penalty else ())
        )
    what = event(payload)
    found = compile_book(templates, version=1).match(what)
    scanned = [n for n, each in enumerate(written) if all(holds(rule, what) for rule in each)]
    assert [each.template.id for each in found] == scanned
    assert all(len(each.met) + len(each.penalties) == 1 for each in found)


@PURE
@given(st.lists(rules(), min_size=1, max_size=4), hostile_payloads(), HOSTILE, HOSTILE)
def test_evaluation_never_raises(
    written: list[DataRule], payload: Any, source: Any, time: Any
) -> None:
    what = event(payload, source=source, time=time)
    requirements = tuple(
        Requirement(number, f"r{number}", "t", "G", (compiled(rule),), distinct_by=distinct_by)
        for number, rule in enumerate(written)
        for distinct_by in [_value(rule.path)]
    )
    book = compile_book([Template(1, {"G": 1}, requirements, ())], version=1)
    met = {each.requirement.key for match in book.match(what) for each in match.met}
    for number, rule in enumerate(written):
        held = compiled(rule).holds(what)
        assert held in {True, False}
        assert held or f"r{number}" not in met


def _value(path: str) -> Any:
    return None if PATHS[path] == "object" else compile_value(path, payload_type=Payload)


@PURE
@given(st.sampled_from(sorted(PATHS)), HOSTILE)
def test_what_tells_events_apart_can_be_stored(path: str, raw: Any) -> None:
    reader = _value(path)
    actual = Absent.MISSING if reader is None else reader.read(raw)
    if not isinstance(actual, Absent):
        text = canonical(actual)
        assert len(text.encode()) <= 4 * 200
        assert "\x00" not in text


@PURE
@given(rules(), HOSTILE_TEXT, payloads() | hostile_payloads())
def test_a_value_is_refused_or_it_works(rule: DataRule, value: str, payload: Any) -> None:
    with contextlib.suppress(RuleRefusedError):
        condition = compiled(DataRule(rule.path, rule.operator, value))
        assert condition.holds(event(payload)) in {True, False}


_known = {*key_paths(Payload), *reference.FITS["text"]}  # Hypothesis tries names that it has seen


@PURE
@given(HOSTILE_TEXT.filter(lambda text: text not in _known), rules(), st.booleans())
def test_an_unknown_path_or_operator_is_refused(
    unknown: str, rule: DataRule, is_path: bool
) -> None:
    wrong = attrs.evolve(rule, path=unknown) if is_path else attrs.evolve(rule, operator=unknown)
    with pytest.raises(RuleRefusedError, match="choose one of"):
        compiled(wrong)
