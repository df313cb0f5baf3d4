from datetime import UTC, datetime, timedelta
from itertools import permutations
from uuid import UUID

import pytest

from badges.rules.book import Penalty, Requirement, Template
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
        requirements=tuple(each for each in what if isinstance(each, Requirement)),
        penalties=tuple(each for each in what if isinstance(each, Penalty)),
    )


def play(*events: Matched) -> list[Step]:
    held = Held()
    steps = []
    for each in events:
        steps.append(advance(TEMPLATE, held=held, matched=each))
        held = steps[-1].held
    return steps


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
    assert [outcome for _, outcome in step.outcomes] == [
        Outcome.FULFILLED,
        Outcome.FULFILLED,
        Outcome.RESET,
    ]


def test_an_old_event_that_comes_late_is_stale() -> None:
    _, late = play(matched(5, RESET_A), matched(3, A))
    assert late.outcomes == ((A, Outcome.STALE),)
    assert not late.held.evidence


def test_a_late_reset_undoes_only_what_was_before_it() -> None:
    _, _, reset = play(matched(1, A), matched(4, A), matched(2, RESET_A))
    assert reset.outcomes == ((RESET_A, Outcome.RESET),)
    assert reset.held.evidence["a"].at == START + timedelta(minutes=4)


def test_an_older_reset_changes_nothing() -> None:
    _, older = play(matched(5, RESET_A), matched(3, RESET_A))
    assert older.outcomes == ((RESET_A, Outcome.STALE),)


def test_repeats_are_told_apart_from_the_first() -> None:
    assert [step.outcomes[0][1] for step in play(matched(1, A), matched(2, A))] == [
        Outcome.FULFILLED,
        Outcome.ALREADY,
    ]


def test_a_template_that_demands_nothing_is_never_complete() -> None:
    empty = Template(id=2, groups={}, requirements=(), penalties=())
    assert not standing(empty, held=Held()).complete


@pytest.mark.parametrize("resets", [(RESET_A,), (RESET_ALL,)])
def test_progress_does_not_depend_on_the_order_of_arrival(resets: tuple[Penalty, ...]) -> None:
    events = [matched(1, A), matched(2, C), matched(3, *resets), matched(3, B, number=9)]
    outcomes = {
        (tuple(sorted(held.evidence.items())), tuple(sorted(held.resets.items())), held.complete)
        for order in permutations(events)
        for held in [play(*order)[-1].held]
    }
    assert len(outcomes) == 1
