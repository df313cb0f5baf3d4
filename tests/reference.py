"""A slow, obvious evaluator, to compare the engine with. It keeps every event for ever and judges
the whole set anew each time; it shares no code with `badges`.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

import attrs

# Which operator fits which kind of value.
FITS: Mapping[str, tuple[str, ...]] = {
    "text": (
        "eq", "ne", "lt", "le", "gt", "ge", "in", "not_in", "contains", "not_contains",
        "starts_with", "ends_with", "matches", "exists", "is_missing",
    ),
    "key": (
        "eq", "ne", "in", "not_in", "contains", "not_contains", "starts_with", "ends_with",
        "matches", "exists", "is_missing",
    ),
    "number": (
        "eq", "ne", "lt", "le", "gt", "ge", "in", "not_in", "exists", "is_missing",
    ),
    "datetime": (
        "eq", "ne", "lt", "le", "gt", "ge", "in", "not_in", "exists", "is_missing",
    ),
    "boolean": ("eq", "ne", "exists", "is_missing"),
    "object": ("exists", "is_missing"),
}  # fmt: skip
_SIGNS = {"eq": {0}, "ne": {-1, 1}, "lt": {-1}, "le": {-1, 0}, "gt": {1}, "ge": {0, 1}}
_WORDS = {
    **dict.fromkeys(("true", "yes", "1", "+"), 1),
    **dict.fromkeys(("false", "no", "0", "-"), 0),
}


# --- One data rule ----------------------------------------------------------------------------
def holds(kind: str, operator: str, expected: str, actual: Any) -> bool:
    """`actual` is the value at the path, None where there is none. A list in `expected` is
    separated by commas. `matches` understands what Python's `re` and RE2 have in common.
    """
    if actual is None:
        return operator == "is_missing"
    if operator in {"exists", "is_missing"}:
        return operator == "exists"
    if kind == "text" and operator in {"lt", "le", "gt", "ge"} and _number(expected) is not None:
        kind = "number"
    mine = _readable(kind, actual)
    return mine is not None and _compare(kind, operator, expected, mine)


def _compare(kind: str, operator: str, expected: str, mine: Any) -> bool:
    match operator:
        case "in" | "not_in":
            members = [_readable(kind, each.strip()) for each in expected.split(",")]
            return (mine in members) == (operator == "in")
        case "contains" | "not_contains":
            return bool((mine.find(expected) >= 0) == (operator == "contains"))
        case "starts_with":
            return bool(mine[: len(expected)] == expected)
        case "ends_with":
            return bool(mine[max(0, len(mine) - len(expected)) :] == expected)
        case "matches":
            return re.search(expected, mine) is not None
    other = _readable(kind, expected)
    return (mine > other) - (mine < other) in _SIGNS[operator]


def _readable(kind: str, value: Any) -> Any:
    """Something that Python compares exactly; None when `value` is not of that kind."""
    match kind:
        case "number":
            return _number(value)
        case "boolean":
            return _WORDS.get(str(value).strip().lower())
        case "datetime":
            return _microseconds(value)
    return str(value)


def _number(value: Any) -> Fraction | None:
    try:
        if not isinstance(value, str):
            return Fraction(value)
        plain = value.strip()
        written = Decimal(plain) if plain.isascii() and "_" not in plain else Decimal("nan")
        if not written.is_finite():
            return None
        return Fraction(int(plain) if plain.lstrip("+-").isdigit() else float(plain))
    except (InvalidOperation, TypeError, ValueError, OverflowError):
        return None


def _microseconds(value: Any) -> int | None:
    """Since the year 0, in UTC; a time without a time zone is one in UTC."""
    try:
        moment = datetime.fromisoformat(value.strip()) if isinstance(value, str) else value
        offset = moment.replace(tzinfo=moment.tzinfo or UTC).utcoffset() or timedelta()
        seconds = moment.hour * 3600 + moment.minute * 60 + moment.second
        whole = (moment.toordinal() * 86_400 + seconds) * 1_000_000 + moment.microsecond
    except (AttributeError, ValueError):
        return None
    return int(whole - offset // timedelta(microseconds=1))


# --- Progress ---------------------------------------------------------------------------------


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

    @property
    def sizes(self) -> Mapping[str, int]:
        """Label -> how many requirements the group has."""
        return Counter(each.group for each in self.rules)


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


def awards(
    changes: Sequence[tuple[bool, Any]], *, reissue: bool
) -> tuple[list[tuple[str, Any]], list[list[Any]]]:
    """What `transitions` lead to: (awarded, revoked or blocked, event) for each, and the
    credentials: [event that awarded it, event that revoked it or None].
    """
    told: list[tuple[str, Any]] = []
    credentials: list[list[Any]] = []
    for complete, event in changes:
        live = bool(credentials) and credentials[-1][1] is None
        if complete and credentials and not reissue:
            told.append(("blocked", event))
        elif complete:
            credentials.append([event, None])
            told.append(("awarded", event))
        elif live:
            credentials[-1][1] = event
            told.append(("revoked", event))
    return told, credentials
