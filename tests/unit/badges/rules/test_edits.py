"""What a learner holds after the rules of a template were edited."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import attrs

from badges.rules.book import Met, Requirement, Template
from badges.rules.conditions import DataRule, compile_rule, compile_value
from badges.rules.evidence import Demand, Evidence
from badges.rules.progress import Held, Matched, advance, carry_over, standing, without

START = datetime(2026, 3, 1, tzinfo=UTC)
A = Requirement(id=1, key="a", event_type="t", group="G", conditions=())
B = Requirement(id=2, key="b", event_type="t", group="H", conditions=())
C = Requirement(id=3, key="c", event_type="t", group="H", conditions=())


@attrs.frozen
class Lesson:
    title: str
    grade: float


def template(*requirements: Requirement, version: int = 1) -> Template:
    return Template(
        id=1,
        groups={each.group: 1 for each in requirements},
        requirements=requirements,
        penalties=(),
        version=version,
    )


def at(minute: int, version: int = 1) -> Evidence:
    return Evidence(START + timedelta(minutes=minute), UUID(int=minute), version=version)


def holding(old: Template, *what: tuple[int, Requirement]) -> Held:
    held = Held()
    for minute, requirement in what:
        moment = START + timedelta(minutes=minute)
        matched = Matched(UUID(int=minute), moment, (Met(requirement),))
        held = advance(old, held=held, matched=matched).held
    return held


def test_nothing_changes_when_the_rules_are_the_same() -> None:
    old = template(A, B)
    held = attrs.evolve(holding(old, (1, A), (2, B)), resets={"a": START})
    assert held.complete
    assert carry_over(old, old, held=held) == held


def test_what_was_fulfilled_stays_so_although_more_is_demanded_now() -> None:
    old, new = template(A, B), template(attrs.evolve(A, demand=Demand(count=3)), B, version=2)
    held = holding(old, (1, A), (2, A))
    after = carry_over(old, new, held=held)
    assert after.pins == {"a": at(2)}
    assert after.pins["a"].version == 1
    assert standing(new, held=after).fulfilled == {"a"}
    assert standing(new, held=after).tallies["a"].counted == 3


def test_what_was_not_fulfilled_is_judged_anew() -> None:
    thrice = attrs.evolve(A, demand=Demand(count=3))
    old, new = template(thrice), template(A)
    held = holding(old, (1, thrice), (2, thrice))
    assert len(held.evidence["a"]) == 2
    assert not held.complete
    after = carry_over(old, new, held=held)
    assert after.evidence == {"a": (at(2),)}
    assert not after.pins
    assert after.complete


def test_evidence_for_other_events_counts_no_more() -> None:
    old = template(attrs.evolve(A, demand=Demand(count=2)))
    new = template(attrs.evolve(A, demand=Demand(count=2), event_type="other"))
    after = carry_over(old, new, held=holding(old, (1, A)))
    assert after == Held()


def test_what_was_removed_is_forgotten() -> None:
    old, new = template(A, B), template(A, C)
    held = attrs.evolve(
        holding(old, (1, A), (2, B)),
        resets={"a": START, "b": START},
        pins={"a": at(1), "b": at(2)},
    )
    after = carry_over(old, new, held=held)
    assert (set(after.resets), set(after.evidence), set(after.pins)) == ({"a"}, {"a"}, {"a"})


def test_evidence_of_a_requirement_that_others_wait_for_now_is_kept() -> None:
    twice = attrs.evolve(A, demand=Demand(count=2))
    old, new = template(twice, B), template(A, attrs.evolve(B, after=("a",)))
    held = holding(old, (1, twice), (2, twice))
    assert carry_over(old, new, held=held).evidence["a"] == (at(1), at(2))


def test_whoever_was_complete_stays_so() -> None:
    old, new = template(A), template(A, B)
    held = holding(old, (1, A))
    after = carry_over(old, new, held=held)
    assert after.complete
    assert not standing(new, held=after).complete
    assert not carry_over(old, new, held=Held()).complete


def test_evidence_can_be_taken_back() -> None:
    held = Held(evidence={"a": (at(1), at(2)), "b": (at(1),)}, resets={"a": START})
    left = without(held, {("a", at(1).event_id), ("b", at(1).event_id), ("b", at(2).event_id)})
    assert left == Held(evidence={"a": (at(2),)}, resets={"a": START})


class TestLooksFor:
    """The same events, told apart by the same value?"""

    one = compile_rule(DataRule("title", "eq", "x"), payload_type=Lesson)
    other = compile_rule(DataRule("title", "eq", "y"), payload_type=Lesson)

    def test_equal_rules_in_any_order(self) -> None:
        again = compile_rule(DataRule("title", "eq", "x"), payload_type=Lesson)
        here = attrs.evolve(A, conditions=(self.one, self.other))
        assert here.looks_for(attrs.evolve(A, conditions=(self.other, again)))

    def test_other_events(self) -> None:
        assert not A.looks_for(attrs.evolve(A, event_type="u"))

    def test_other_rules(self) -> None:
        assert not A.looks_for(attrs.evolve(A, conditions=(self.one,)))

    def test_other_values_to_tell_events_apart(self) -> None:
        by_title = attrs.evolve(A, distinct_by=compile_value("title", payload_type=Lesson))
        by_grade = attrs.evolve(A, distinct_by=compile_value("grade", payload_type=Lesson))
        again = attrs.evolve(A, distinct_by=compile_value("title", payload_type=Lesson))
        assert by_title.looks_for(again)
        assert not by_title.looks_for(by_grade)
        assert not by_title.looks_for(A)
        assert not A.looks_for(by_title)

    def test_a_count_changes_nothing(self) -> None:
        assert A.looks_for(attrs.evolve(A, demand=Demand(count=7)))
