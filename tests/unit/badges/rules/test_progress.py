from datetime import UTC, datetime, timedelta
from itertools import permutations
from uuid import UUID

import attrs
import pytest

from badges.rules.book import Met, Penalty, Requirement, Template
from badges.rules.evidence import Demand, Evidence
from badges.rules.progress import Held, Matched, Outcome, Step, advance, standing

START = datetime(2026, 3, 1, tzinfo=UTC)


def requirement(key: str, group: str) -> Requirement:
    return Requirement(id=ord(key), key=key, event_type="t", group=group, conditions=())


A, B, C = requirement("a", "G"), requirement("b", "G"), requirement("c", "H")
RESET_A = Penalty(id=1, key="no-a", event_type="t", resets=("a",), conditions=())
RESET_ALL = Penalty(id=2, key="no", event_type="t", resets=("a", "b", "c"), conditions=())
TEMPLATE = Template(
    id=1, groups={"G": 1, "H": 1}, requirements=(A, B, C), penalties=(RESET_A, RESET_ALL)
)


def matched(minute: int, *what: Requirement | Penalty, number: int | None = None) -> Matched:
    return Matched(
        event_id=UUID(int=minute if number is None else number),
        at=START + timedelta(minutes=minute),
        met=tuple(Met(each) for each in what if isinstance(each, Requirement)),
        penalties=tuple(each for each in what if isinstance(each, Penalty)),
    )


def play(*events: Matched) -> list[Step]:
    held = Held()
    steps = []
    for each in events:
        steps.append(advance(TEMPLATE, held=held, matched=each))
        held = steps[-1].held
    return steps


def outcomes(step: Step) -> list[tuple[Requirement | Penalty, Outcome]]:
    return [(each.rule, each.outcome) for each in step.effects]


def test_every_group_must_be_met() -> None:
    first, second = play(matched(1, A), matched(2, C))
    assert not first.held.complete
    assert second.held.complete


def test_alternatives_count_once() -> None:
    assert standing(TEMPLATE, held=play(matched(1, A), matched(2, B))[-1].held).groups_met == 1


def test_a_penalty_on_one_alternative_undoes_nothing_else() -> None:
    steps = play(matched(1, A), matched(2, B), matched(3, C), matched(4, RESET_A))
    assert steps[-1].held.complete


def test_requirements_come_before_penalties_and_at_equal_times_the_reset_wins() -> None:
    (step,) = play(matched(1, A, C, RESET_ALL))
    assert not step.held.evidence
    assert [each.outcome for each in step.effects] == [
        Outcome.FULFILLED,
        Outcome.FULFILLED,
        Outcome.RESET,
    ]


def test_an_old_event_that_comes_late_is_stale() -> None:
    _, late = play(matched(5, RESET_A), matched(3, A))
    assert outcomes(late) == [(A, Outcome.STALE)]
    assert not late.held.evidence


def test_a_late_reset_undoes_only_what_was_before_it() -> None:
    _, _, reset = play(matched(1, A), matched(4, A), matched(2, RESET_A))
    assert outcomes(reset) == [(RESET_A, Outcome.RESET)]
    assert [each.at for each in reset.held.evidence["a"]] == [START + timedelta(minutes=4)]


def test_an_older_reset_changes_nothing() -> None:
    _, older = play(matched(5, RESET_A), matched(3, RESET_A))
    assert outcomes(older) == [(RESET_A, Outcome.STALE)]


def test_at_equal_times_a_second_reset_changes_nothing() -> None:
    _, again = play(matched(5, RESET_A), matched(5, RESET_A, number=6))
    assert outcomes(again) == [(RESET_A, Outcome.STALE)]


def test_a_penalty_resets_what_it_still_can() -> None:
    _, _, both = play(matched(2, B), matched(5, RESET_A), matched(4, RESET_ALL))
    assert outcomes(both) == [(RESET_ALL, Outcome.RESET)]
    assert both.held.resets == {
        "a": START + timedelta(minutes=5),
        "b": START + timedelta(minutes=4),
        "c": START + timedelta(minutes=4),
    }
    assert not both.held.evidence


def test_at_the_moment_of_the_reset_nothing_counts() -> None:
    moment = START + timedelta(minutes=4)
    known = Evidence(moment, UUID(int=4))
    held = Held(resets={"a": moment}, evidence={"a": (known,)}, pins={"a": known})
    assert standing(TEMPLATE, held=held).fulfilled == frozenset()
    later = Evidence(moment + timedelta(minutes=1), UUID(int=5))
    assert standing(TEMPLATE, held=attrs.evolve(held, pins={"a": later})).fulfilled == {"a"}
    assert standing(TEMPLATE, held=attrs.evolve(held, evidence={"a": (later,)})).fulfilled == {"a"}


def test_nothing_is_awaited_that_does_not_exist() -> None:
    template = attrs.evolve(TEMPLATE, requirements=(attrs.evolve(A, after=("gone",)), B, C))
    held = Held(evidence={"a": (Evidence(START, UUID(int=1)),)})
    assert standing(template, held=held).tallies["a"].counted == 0


class TestCompleteThroughAnEdit:
    """An edit left the badge although the present rules are not met."""

    held = Held(complete=True, evidence={"a": (Evidence(START, UUID(int=1)),)})

    def after(self, event: Matched) -> bool:
        return advance(TEMPLATE, held=self.held, matched=event).held.complete

    def test_events_alone_take_nothing_away(self) -> None:
        assert standing(TEMPLATE, held=self.held).groups_met == 1
        assert self.after(matched(2, A))
        assert self.after(matched(2, B))
        assert self.after(matched(2))

    def test_a_met_group_that_is_lost_does(self) -> None:
        assert not self.after(matched(2, RESET_A))

    def test_a_reset_that_loses_no_group_does_not(self) -> None:
        assert self.after(matched(2, B, attrs.evolve(RESET_A, resets=("c",))))

    def test_events_alone_give_nothing(self) -> None:
        step = advance(TEMPLATE, held=attrs.evolve(self.held, complete=False), matched=matched(2))
        assert not step.held.complete


def test_repeats_are_told_apart_from_the_first() -> None:
    assert [step.effects[0].outcome for step in play(matched(1, A), matched(2, A))] == [
        Outcome.FULFILLED,
        Outcome.ALREADY,
    ]


def test_a_template_that_demands_nothing_is_never_complete() -> None:
    empty = Template(id=2, groups={}, requirements=(), penalties=())
    assert not standing(empty, held=Held()).complete


@pytest.mark.parametrize("resets", [(RESET_A,), (RESET_ALL,)])
def test_progress_does_not_depend_on_the_order_of_arrival(resets: tuple[Penalty, ...]) -> None:
    events = [matched(1, A), matched(2, C), matched(3, *resets), matched(3, B, number=9)]
    left = {
        (tuple(sorted(held.evidence.items())), tuple(sorted(held.resets.items())), held.complete)
        for order in permutations(events)
        for held in [play(*order)[-1].held]
    }
    assert len(left) == 1


class TestRepetition:
    def test_counts_up_to_what_is_demanded(self) -> None:
        thrice = attrs.evolve(A, demand=Demand(count=3))
        steps = play_with(thrice, matched(1, thrice), matched(2, thrice), matched(3, thrice))
        assert [
            (each.outcome, each.counted, each.demanded) for s in steps for each in s.effects
        ] == [
            (Outcome.COUNTED, 1, 3),
            (Outcome.COUNTED, 2, 3),
            (Outcome.FULFILLED, 3, 3),
        ]

    def test_the_same_event_counts_once(self) -> None:
        twice = attrs.evolve(A, demand=Demand(count=2))
        steps = play_with(twice, matched(1, twice), matched(1, twice))
        assert steps[-1].effects[0].counted == 1

    def test_keeps_no_more_than_it_needs(self) -> None:
        twice = attrs.evolve(A, demand=Demand(count=2))
        steps = play_with(twice, *(matched(minute, twice) for minute in range(9)))
        assert len(steps[-1].held.evidence["a"]) == 2

    def test_waits_for_its_prerequisite_and_counts_anew_from_there(self) -> None:
        waiting = attrs.evolve(B, after=("a",))
        template = attrs.evolve(TEMPLATE, requirements=(A, waiting, C))
        events = [matched(1, waiting), matched(2, A), matched(3, waiting)]
        found = []
        held = Held()
        for each in events:
            step = advance(template, held=held, matched=each)
            held = step.held
            found.append(step.standing.tallies["b"].counted)
        assert found == [0, 0, 1]

    def test_keeps_everything_that_others_wait_for(self) -> None:
        template = attrs.evolve(TEMPLATE, requirements=(A, attrs.evolve(B, after=("a",)), C))
        held = Held()
        for minute in range(3):
            held = advance(template, held=held, matched=matched(minute, A)).held
        assert len(held.evidence["a"]) == 3

    def test_what_was_pinned_is_reset_at_its_own_moment_too(self) -> None:
        held = Held(pins={"a": Evidence(START, UUID(int=1)), "b": Evidence(START, UUID(int=1))})
        step = advance(TEMPLATE, held=held, matched=matched(0, RESET_A))
        assert set(step.held.pins) == {"b"}
        earlier = matched(-1, RESET_A, number=3)
        assert set(advance(TEMPLATE, held=held, matched=earlier).held.pins) == {"a", "b"}

    def test_what_was_pinned_stays_until_it_is_reset(self) -> None:
        thrice = attrs.evolve(A, demand=Demand(count=3))
        template = attrs.evolve(TEMPLATE, requirements=(thrice, B, C))
        pin = Evidence(START, UUID(int=1), version=1)
        held = Held(pins={"a": pin})
        assert standing(template, held=held).tallies["a"].fulfilled == pin
        step = advance(template, held=held, matched=matched(1, RESET_A))
        assert not step.held.pins
        assert not step.standing.tallies["a"].fulfilled


def play_with(requirement: Requirement, *events: Matched) -> list[Step]:
    template = attrs.evolve(TEMPLATE, requirements=(requirement, B, C))
    held = Held()
    steps = []
    for each in events:
        steps.append(advance(template, held=held, matched=each))
        held = steps[-1].held
    return steps


def test_what_penalties_take_is_told_once() -> None:
    """What was fulfilled and is no more, at the first penalty that resets."""
    twice = Penalty(id=3, key="no-c", event_type="t", resets=("c",), conditions=())
    held = play(matched(1, A), matched(2, C))[-1].held
    stale, both, again = (
        advance(TEMPLATE, held=held, matched=matched(minute, *penalties)).effects
        for minute, penalties in ((0, (RESET_ALL,)), (3, (RESET_A, twice)), (3, (RESET_ALL,)))
    )
    assert [each.lost for each in stale] == [()]
    assert [each.lost for each in both] == [("a", "c"), ()]
    assert [each.lost for each in again] == [("a", "c")]


def test_what_waited_for_a_reset_requirement_is_lost_with_it() -> None:
    later = attrs.evolve(C, after=("a",))
    template = attrs.evolve(TEMPLATE, requirements=(A, B, later))
    held = Held()
    for each in (matched(1, A), matched(2, later)):
        held = advance(template, held=held, matched=each).held
    (effect,) = advance(template, held=held, matched=matched(3, RESET_A)).effects
    assert effect.lost == ("a", "c")
