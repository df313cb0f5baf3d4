from datetime import UTC, datetime, timedelta
from itertools import permutations
from uuid import UUID

import pytest

from badges.rules.evidence import MAX_COUNT, Demand, Evidence, Tally, keep, newest, tally

START = datetime(2026, 3, 1, tzinfo=UTC)
FIVE = timedelta(minutes=5)


def at(minute: int, value: str = "", *, number: int = 0) -> Evidence:
    return Evidence(START + timedelta(minutes=minute), UUID(int=number or minute), value)


def judged(demand: Demand, *evidence: Evidence, after: int | None = None) -> Tally:
    border = None if after is None else START + timedelta(minutes=after)
    return tally(demand, evidence=evidence, after=border)


def kept(demand: Demand, *evidence: Evidence, is_prerequisite: bool = False) -> list[Evidence]:
    return list(keep(demand, evidence=evidence, is_prerequisite=is_prerequisite))


def test_evidence_is_ordered_by_time_then_by_event_and_its_version_tells_nothing() -> None:
    early, late = at(1), at(2)
    assert sorted([late, early]) == [early, late]
    assert sorted([at(1, number=9), at(1, number=3)]) == [at(1, number=3), at(1, number=9)]
    assert Evidence(START, UUID(int=1), version=1) == Evidence(START, UUID(int=1), version=2)


def test_one_is_demanded_unless_more_is_said() -> None:
    assert Demand() == Demand(count=1, distinct=False, within=None)
    assert judged(Demand(), at(3)) == Tally(1, at(3))
    assert Tally() == Tally(0, None)
    assert MAX_COUNT == 10_000


@pytest.mark.parametrize("order", list(permutations([at(1), at(4), at(9)])))
def test_it_is_fulfilled_by_the_earliest_that_suffices(order: tuple[Evidence, ...]) -> None:
    assert judged(Demand(count=2), *order) == Tally(2, at(4))


def test_too_little_is_counted() -> None:
    assert judged(Demand(count=3), at(1), at(2)) == Tally(2, None)
    assert judged(Demand(count=3)) == Tally(0, None)


def test_only_what_is_later_than_the_border_counts() -> None:
    assert judged(Demand(), at(3), after=3) == Tally()
    assert judged(Demand(), at(3), at(4), after=3) == Tally(1, at(4))


def test_equal_values_count_once_where_they_have_to_differ() -> None:
    twice = Demand(count=2, distinct=True)
    assert judged(twice, at(1, "a"), at(2, "a")) == Tally(1)
    assert judged(twice, at(1, "a"), at(2, "a"), at(3, "b")) == Tally(2, at(3, "b"))


def test_a_window_holds_both_its_ends() -> None:
    twice = Demand(count=2, within=FIVE)
    assert judged(twice, at(1), at(6)) == Tally(2, at(6))
    assert judged(twice, at(1), at(7)) == Tally(1)


def test_the_window_slides_and_the_best_one_is_told() -> None:
    thrice = Demand(count=3, within=FIVE)
    assert judged(thrice, at(1), at(2), at(9)) == Tally(2)
    assert judged(thrice, at(1), at(9), at(11), at(14)) == Tally(3, at(14))
    assert judged(thrice, at(1), at(2), at(8), at(9)).counted == 2


def test_values_leave_the_window_too() -> None:
    demand = Demand(count=2, distinct=True, within=FIVE)
    assert judged(demand, at(1, "a"), at(9, "b")) == Tally(1)
    assert judged(demand, at(1, "a"), at(2, "a"), at(6, "b")) == Tally(2, at(6, "b"))
    # The first "a" leaves, the second is still there.
    assert judged(demand, at(1, "a"), at(3, "a"), at(8, "b")) == Tally(2, at(8, "b"))
    three = Demand(count=3, distinct=True, within=FIVE)
    assert judged(three, at(1, "a"), at(2, "b"), at(7, "c"), at(8, "d")) == Tally(2)


class TestWhatIsKept:
    def test_the_latest_as_many_as_are_demanded(self) -> None:
        assert kept(Demand(), at(5), at(1), at(3)) == [at(5)]
        assert kept(Demand(count=2), at(5), at(1), at(3)) == [at(3), at(5)]
        assert kept(Demand(count=9), at(5), at(1)) == [at(1), at(5)]

    def test_of_each_value_the_latest(self) -> None:
        twice = Demand(count=2, distinct=True)
        assert kept(twice, at(1, "a"), at(2, "b"), at(3, "a")) == [at(2, "b"), at(3, "a")]
        assert kept(twice, at(1, "a"), at(2, "b"), at(3, "c")) == [at(2, "b"), at(3, "c")]

    def test_everything_that_others_wait_for(self) -> None:
        assert kept(Demand(), at(5), at(1), is_prerequisite=True) == [at(1), at(5)]

    def test_everything_since_the_start_of_the_latest_full_window(self) -> None:
        twice = Demand(count=2, within=FIVE)
        assert kept(twice, at(1), at(2), at(3), at(9)) == [at(2), at(3), at(9)]
        assert kept(twice, at(1), at(3), at(8), at(13)) == [at(8), at(13)]
        assert kept(twice, at(1), at(20), at(25), at(40)) == [at(20), at(25), at(40)]

    def test_everything_while_no_window_is_full(self) -> None:
        assert kept(Demand(count=2, within=FIVE), at(1), at(9)) == [at(1), at(9)]
        assert kept(Demand(count=2, within=FIVE)) == []

    def test_a_window_of_different_values(self) -> None:
        demand = Demand(count=2, distinct=True, within=FIVE)
        assert kept(demand, at(1, "a"), at(2, "b"), at(3, "b")) == [
            at(1, "a"), at(2, "b"), at(3, "b"),
        ]  # fmt: skip
        assert kept(demand, at(1, "a"), at(2, "b"), at(6, "a"), at(12, "a")) == [
            at(2, "b"), at(6, "a"), at(12, "a"),
        ]  # fmt: skip
        assert kept(demand, at(1, "a"), at(2, "b"), at(12, "c")) == [
            at(1, "a"), at(2, "b"), at(12, "c"),
        ]  # fmt: skip
        # Seen from the end, "a" at 12 leaves before "b" comes, and "a" at 6 is still there.
        assert kept(demand, at(1, "b"), at(5, "a"), at(6, "a"), at(7, "a")) == [
            at(1, "b"), at(5, "a"), at(6, "a"), at(7, "a"),
        ]  # fmt: skip


def test_the_newest_of_some_moments() -> None:
    assert newest([None, START, START - FIVE]) == START
    assert newest([None]) is None
    assert newest([]) is None
