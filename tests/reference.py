"""A slow, obvious evaluator, to compare the engine with. It keeps every event for ever and judges
the whole set anew each time; it shares no code with `badges`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import attrs


@attrs.frozen
class Rule:
    """A requirement."""

    key: str
    group: str
    count: int = 1
    distinct: bool = False
    within: timedelta | None = None
    after: tuple[str, ...] = ()


@attrs.frozen
class Badge:
    """`groups`: label -> how many of it. `penalties`: name -> keys that it resets."""

    rules: tuple[Rule, ...]
    groups: Mapping[str, int]
    penalties: Mapping[str, tuple[str, ...]]


@attrs.frozen
class Happening:
    """One event of one learner, already matched: keys of requirements with the value of their
    distinct_by, and names of penalties.
    """

    id: Any
    at: datetime
    requirements: Mapping[str, str]
    penalties: tuple[str, ...] = ()


@attrs.frozen
class Outcome:
    complete: bool
    fulfilled: Mapping[str, bool]
    counts: Mapping[str, int]
    groups_met: int


def judge(badge: Badge, happenings: Sequence[Happening]) -> Outcome:
    """From the whole set, whatever its order; equal ids are one event."""
    events = list({each.id: each for each in happenings}.values())
    moments: dict[str, datetime | None] = {}
    counts: dict[str, int] = {}
    waiting = list(badge.rules)
    while waiting:
        rule = next(each for each in waiting if all(key in moments for key in each.after))
        waiting.remove(rule)
        moments[rule.key], counts[rule.key] = _judge_rule(badge, rule, events, moments)
    met = [
        sum(moments[rule.key] is not None for rule in badge.rules if rule.group == label) >= needed
        for label, needed in badge.groups.items()
    ]
    return Outcome(
        complete=bool(met) and all(met),
        fulfilled={key: moment is not None for key, moment in moments.items()},
        counts=counts,
        groups_met=sum(met),
    )


def _judge_rule(
    badge: Badge,
    rule: Rule,
    events: Sequence[Happening],
    moments: Mapping[str, datetime | None],
) -> tuple[datetime | None, int]:
    borders = [
        each.at for each in events for name in each.penalties if rule.key in badge.penalties[name]
    ]
    for key in rule.after:
        moment = moments[key]
        if moment is None:
            return None, 0
        borders.append(moment)
    found = [
        (each.at, each.requirements[rule.key])
        for each in events
        if rule.key in each.requirements and all(each.at > border for border in borders)
    ]
    fulfilled, best = [], 0
    for end, _ in found:
        inside = [
            value
            for at, value in found
            if at <= end and (rule.within is None or end - at <= rule.within)
        ]
        number = len(set(inside)) if rule.distinct else len(inside)
        best = max(best, number)
        if number >= rule.count:
            fulfilled.append(end)
    return min(fulfilled, default=None), min(best, rule.count)


def transitions(badge: Badge, happenings: Sequence[Happening]) -> list[tuple[bool, Any]]:
    """(complete, id of the event) for each change, in the order of delivery."""
    found = []
    complete = False
    for number, happening in enumerate(happenings, start=1):
        now = judge(badge, happenings[:number]).complete
        if now != complete:
            found.append((now, happening.id))
            complete = now
    return found
