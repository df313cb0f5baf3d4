"""From what the sources said of a learner's names to the names: pure.

Note [Names are folded]
    Events come late, twice and in any order; a name must not depend on that. So everything a
    source ever said is kept as a fact, and the names of a learner are folded anew from all of
    them in the order of their own times whenever one is added. A learner has a handful of facts.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

import attrs

from verified_names import wording


class Status(StrEnum):
    """By rank: of two facts of one time the later of this order is applied last, so that what
    takes away wins.
    """

    PENDING = "pending"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    DENIED = "denied"
    VOID = "void"


class Outcome(StrEnum):
    """What became of one fact."""

    COUNTED = "counted"
    STALE = "stale"  # counted, but something later was known already
    OUTRANKED = "outranked"  # the attempt was decided, or void
    NOTHING = "nothing to void"
    NO_NAME = "no name"
    REFUSED = "refused"
    MISMATCH = "mismatch"  # another approved name stands against it


_UNDECIDED: Final = frozenset({Status.PENDING, Status.SUBMITTED})
_TAKES_AWAY: Final = frozenset({Status.DENIED, Status.VOID})
_RANKS: Final = tuple(Status)


@attrs.frozen
class Fact:
    """One thing that a source said of one attempt at verifying a name.

    `attempt` is unique within the source and the learner. `name` is empty when it said none, and
    when it was `refused`: then that says why. `defers`: it has no say against an approved name of
    another attempt (an exam shows who sat it, it does not change what somebody is called).
    `reopens`: after it was void, the attempt starts anew, in a row of its own (an exam that was
    reset). `by` is the staff member who said it:
    that outranks everything before.
    """

    source: str
    attempt: str
    status: Status
    at: datetime
    event_id: UUID
    name: str = ""
    refused: str = ""
    profile_name: str = ""
    valid_until: datetime | None = None
    defers: bool = False
    reopens: bool = False
    by: str = ""

    @property
    def by_staff(self) -> bool:
        return bool(self.by)

    @property
    def key(self) -> tuple[str, str]:
        return self.source, self.attempt

    @property
    def precedence(self) -> tuple[datetime, int, UUID]:
        return self.at, _RANKS.index(self.status), self.event_id


@attrs.frozen
class Name:
    """One name of a learner. `number` counts the attempts that share a key; `at` and `event_id`
    are of the newest fact that counted; `approved_at` only while it is approved.
    """

    source: str
    attempt: str
    number: int
    name: str
    profile_name: str
    status: Status
    at: datetime
    event_id: UUID
    valid_until: datetime | None = None
    approved_at: datetime | None = None

    @property
    def identity(self) -> tuple[str, str, int]:
        return self.source, self.attempt, self.number


@attrs.frozen
class Folded:
    names: Mapping[tuple[str, str, int], Name]
    outcomes: Mapping[UUID, Outcome]


def fold(facts: Iterable[Fact]) -> Folded:
    """The names of one learner; see Note [Names are folded]."""
    newest: dict[tuple[str, str], Name] = {}  # of each attempt
    names: dict[tuple[str, str, int], Name] = {}
    outcomes: dict[UUID, Outcome] = {}
    tombstones: set[tuple[str, str]] = set()  # deleted before anything was known of them
    for fact in sorted(facts, key=lambda each: each.precedence):
        current = newest.get(fact.key)
        others = [each for key, each in newest.items() if key != fact.key]
        if fact.key in tombstones and not fact.by_staff:
            outcome = Outcome.OUTRANKED
        elif current is None and fact.status is Status.VOID:
            outcome = Outcome.NOTHING
            if not fact.reopens:
                tombstones.add(fact.key)
        else:
            outcome = _judge(fact, current, others)
        outcomes[fact.event_id] = outcome
        if outcome is Outcome.COUNTED:
            name = _with(fact, current)
            newest[fact.key] = names[name.identity] = name
    return Folded(names, outcomes)


def in_force(names: Iterable[Name], *, at: datetime) -> Name | None:
    """The newest approved name that has not expired."""
    valid = (
        each
        for each in names
        if each.status is Status.APPROVED and (each.valid_until is None or each.valid_until > at)
    )
    return max(valid, key=lambda each: (each.approved_at, each.event_id), default=None)


def _judge(fact: Fact, current: Name | None, others: Iterable[Name]) -> Outcome:
    if current is not None and not _starts_anew(fact, current):
        if not fact.by_staff and _is_outranked(fact.status, current.status):
            return Outcome.OUTRANKED
        if fact.status in _TAKES_AWAY:
            return Outcome.COUNTED  # whatever name it says: it takes away
    if fact.refused:
        return Outcome.REFUSED
    if not fact.name:
        known = current is not None and not _starts_anew(fact, current)
        return Outcome.COUNTED if known else Outcome.NO_NAME
    other = in_force(others, at=fact.at) if fact.defers else None
    if other is not None and not wording.same(other.name, fact.name):
        return Outcome.MISMATCH
    return Outcome.COUNTED


def _starts_anew(fact: Fact, current: Name) -> bool:
    return current.status is Status.VOID and fact.reopens and fact.status is not Status.VOID


def _is_outranked(status: Status, current: Status) -> bool:
    """What is decided does not become undecided; what is void stays void."""
    return current is Status.VOID or (status in _UNDECIDED and current not in _UNDECIDED)


def _with(fact: Fact, current: Name | None) -> Name:
    former = None if current is None or _starts_anew(fact, current) else current
    number = 0 if current is None else current.number + (former is None)
    keeps = former is not None and fact.defers and fact.status in _TAKES_AWAY
    return Name(
        source=fact.source,
        attempt=fact.attempt,
        number=number,
        name=(former.name if former and (keeps or not fact.name) else fact.name),
        profile_name=fact.profile_name or (former.profile_name if former else ""),
        status=fact.status,
        at=fact.at,
        event_id=fact.event_id,
        valid_until=fact.valid_until or (former.valid_until if former else None),
        approved_at=fact.at if fact.status is Status.APPROVED else None,
    )
