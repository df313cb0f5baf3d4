"""When a requirement was fulfilled: a pure function of its evidence, whatever order it came in.

Note [What has to be kept]
    Resets and prerequisites only ever say "nothing at or before this moment counts", and they may
    say so late. So evidence matters as long as some such moment leaves a different answer with it
    than without it:
    - whose moment others wait for (a prerequisite): all of it, because the earliest that is left
      decides;
    - count n: the latest n; with distinct_by: the latest of each value, of those the latest n;
    - within a duration: everything not earlier than the start of the latest window that holds
      them all; what came before that start dies no later than the window does.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import attrs

MAX_COUNT: Final = 10_000


@attrs.frozen(order=True)
class Evidence:
    """One event that counts towards one requirement, ordered by its time. `value` is that of the
    requirement's distinct_by; `version` the rules version under which it matched.
    """

    at: datetime
    event_id: UUID
    value: str = ""
    version: int = attrs.field(default=0, order=False, eq=False)


@attrs.frozen
class Demand:
    """How much evidence is demanded: `count` times, of different values if `distinct`, all of
    them inside some window of the length `within` (both ends count).
    """

    count: int = 1
    distinct: bool = False
    within: timedelta | None = None


@attrs.frozen
class Tally:
    """How far it got: counted so far (at most the demand), and since when it is fulfilled."""

    counted: int = 0
    fulfilled: Evidence | None = None  # the evidence that completed it


def tally(demand: Demand, *, evidence: Iterable[Evidence], after: datetime | None) -> Tally:
    """Judge `evidence` (in any order) as far as it is later than `after`."""
    counting = sorted(each for each in evidence if after is None or each.at > after)
    best = 0
    for last, inside in _windows(demand, counting):
        best = max(best, inside)
        if inside >= demand.count:
            return Tally(demand.count, last)
    return Tally(best)


def keep(
    demand: Demand, *, evidence: Iterable[Evidence], is_prerequisite: bool
) -> tuple[Evidence, ...]:
    """The part of `evidence` that can still change an answer, in the order of time. See Note
    [What has to be kept].
    """
    known = sorted(evidence)
    if is_prerequisite:
        return tuple(known)
    if demand.within is None:
        return tuple(sorted(_latest(demand, known)))
    start = _latest_start(demand, known)
    return tuple(known if start is None else (each for each in known if each.at >= start))


def _latest(demand: Demand, known: Sequence[Evidence]) -> list[Evidence]:
    if not demand.distinct:
        return list(known[-demand.count :])
    of_value = {each.value: each for each in known}  # the later one overwrites
    return sorted(of_value.values())[-demand.count :]


def _windows(demand: Demand, counting: Sequence[Evidence]) -> Iterable[tuple[Evidence, int]]:
    """For each evidence, how many count in the window that ends with it."""
    values: Counter[str] = Counter()
    first = 0
    for last, each in enumerate(counting):
        values[each.value] += 1
        while demand.within is not None and each.at - counting[first].at > demand.within:
            values[counting[first].value] -= 1
            if not values[counting[first].value]:
                del values[counting[first].value]
            first += 1
        yield each, len(values) if demand.distinct else last - first + 1


def _latest_start(demand: Demand, known: Sequence[Evidence]) -> datetime | None:
    """Start of the latest window that holds the whole demand; None when none does. The same
    sliding window, seen from the end: time runs backwards.
    """
    values: Counter[str] = Counter()
    last = len(known) - 1
    for first in range(len(known) - 1, -1, -1):
        each = known[first]
        values[each.value] += 1
        while demand.within is not None and known[last].at - each.at > demand.within:
            values[known[last].value] -= 1
            if not values[known[last].value]:
                del values[known[last].value]
            last -= 1
        if (len(values) if demand.distinct else last - first + 1) >= demand.count:
            return each.at
    return None


def newest(moments: Iterable[datetime | None]) -> datetime | None:
    return max((each for each in moments if each is not None), default=None)
