"""What a set of exam events says of one attempt: pure, and the same in whatever order they come.

Note [Three marks]
    There is no attempt id: a new attempt after a reset has the key of the former one, and events
    come late, twice and in any order. So an attempt remembers the newest event of each of three
    kinds: the reset, the review (verified, rejected, errored) and the submission. Each of them is
    a maximum, so no order of arrival and no repetition changes it. What is later than the newest
    reset counts; among that a review outranks any submission, because the source also sends
    "submitted" after "verified". Of two events of one time the higher rank wins: what takes away
    outranks what gives, as in the rules of badges.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from uuid import UUID

import attrs


class Status(StrEnum):
    """By rank: of two events of one time the later of this order wins."""

    SUBMITTED = "submitted"
    VERIFIED = "verified"
    ERRORED = "errored"
    REJECTED = "rejected"
    VOID = "void"


_PREFIX: Final = "org.openedx.learning.exam.attempt."
# What each public event makes of an attempt.
STATUS_OF: Final[Mapping[str, Status]] = MappingProxyType(
    {
        f"{_PREFIX}submitted.v1": Status.SUBMITTED,
        f"{_PREFIX}verified.v1": Status.VERIFIED,
        f"{_PREFIX}rejected.v1": Status.REJECTED,
        f"{_PREFIX}errored.v1": Status.ERRORED,
        f"{_PREFIX}reset.v1": Status.VOID,
    }
)
_RANKS: Final = tuple(Status)


@attrs.frozen
class Mark:
    """One exam event. `requested_by`: LMS user id of whoever caused it, if it says so."""

    at: datetime
    status: Status
    event_id: UUID
    exam_type: str
    requested_by: int | None = None

    @property
    def precedence(self) -> tuple[datetime, int, UUID]:
        """Greater wins. The id decides between twins, so that the order of arrival does not."""
        return self.at, _RANKS.index(self.status), self.event_id


@attrs.frozen
class Standing:
    """See Note [Three marks]."""

    reset: Mark | None = None
    review: Mark | None = None
    submission: Mark | None = None

    @property
    def deciding(self) -> Mark | None:
        """The event that says how the attempt stands; None before any event."""
        for mark in (self.review, self.submission):
            if mark is not None and (self.reset is None or mark.at > self.reset.at):
                return mark
        return self.reset


def advance(standing: Standing, mark: Mark) -> Standing:
    """With one more event. An outdated one changes nothing, or only what a later reset would lay
    bare.
    """
    if mark.status is Status.VOID:
        return attrs.evolve(standing, reset=_later(standing.reset, mark))
    if mark.status is Status.SUBMITTED:
        return attrs.evolve(standing, submission=_later(standing.submission, mark))
    return attrs.evolve(standing, review=_later(standing.review, mark))


def _later(known: Mark | None, other: Mark) -> Mark:
    return other if known is None or other.precedence > known.precedence else known
