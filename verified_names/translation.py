"""What the sources' words mean for a name. The event decides; the status text that a payload
carries besides does not. Pure but for the log.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

import structlog

from events.event import LearnerEvent
from exam_attempts.standing import STATUS_OF
from exam_attempts.standing import Status as Exam
from verified_names import wording
from verified_names.folding import Fact, Status

log = structlog.get_logger(__name__)

IDV: Final = "idv"
EXAM: Final = "exam"
PROCTORING: Final = "proctoring"

_IDV: Final[Mapping[str, Status]] = MappingProxyType(
    {
        "org.openedx.learning.idv_attempt.created.v1": Status.PENDING,
        "org.openedx.learning.idv_attempt.pending.v1": Status.SUBMITTED,
        "org.openedx.learning.idv_attempt.approved.v1": Status.APPROVED,
        "org.openedx.learning.idv_attempt.denied.v1": Status.DENIED,
    }
)
_EXAM: Final[Mapping[Exam, Status]] = MappingProxyType(
    {
        Exam.SUBMITTED: Status.SUBMITTED,
        Exam.VERIFIED: Status.APPROVED,
        Exam.REJECTED: Status.DENIED,
        Exam.ERRORED: Status.DENIED,
        Exam.VOID: Status.VOID,
    }
)
_NAMED_EXAMS: Final = frozenset({"proctored", "onboarding"})  # somebody looks at who sits there
_NAMELESS_EXAMS: Final = frozenset({"timed", "practice"})
_PROCTORING: Final[Mapping[str, Status]] = MappingProxyType(
    {
        "created": Status.PENDING,
        "submitted": Status.SUBMITTED,
        "verified": Status.APPROVED,
        "rejected": Status.DENIED,
        "error": Status.DENIED,
        "deleted": Status.VOID,
    }
)
# (is practice, is proctored, backend supports onboarding): an onboarding exam, a proctored exam
# that followed one. In no other case the proctor has compared a face with a document.
_COMPARED: Final = frozenset({(True, True, True), (False, True, True)})


def fact_of(each: LearnerEvent) -> Fact | None:
    """None when the event says nothing of a name."""
    if each.event.type in _IDV:
        return _of_idv(each, _IDV[each.event.type])
    if each.event.type in STATUS_OF:
        return _of_exam(each, _EXAM[STATUS_OF[each.event.type]])
    return None


def _of_idv(each: LearnerEvent, status: Status) -> Fact:
    attempt = each.event.payload
    name, refused = read_name(attempt.name)
    profile, _ = read_name(each.event.learner.name if each.event.learner else "")
    return Fact(
        source=IDV,
        attempt=str(attempt.attempt_id),
        status=status,
        at=each.event.time,
        event_id=each.event.id,
        name=name,
        refused=refused,
        profile_name=profile,
        valid_until=_aware(attempt.expiration_date),
    )


def _of_exam(each: LearnerEvent, status: Status) -> Fact | None:
    attempt = each.event.payload
    if attempt.exam_type not in _NAMED_EXAMS:
        if attempt.exam_type not in _NAMELESS_EXAMS:
            log.warning(
                "unknown exam type", event_id=str(each.event.id), exam_type=attempt.exam_type
            )
        return None
    name, refused = read_name(each.event.learner.name if each.event.learner else "")
    return Fact(
        source=EXAM,
        attempt=str(attempt.usage_key),
        status=status,
        at=each.event.time,
        event_id=each.event.id,
        name=name,
        refused=refused,
        profile_name=name,
        defers=True,
        reopens=True,
    )


def of_proctoring(
    attempt_id: int,
    *,
    status: str,
    full_name: str | None,
    profile_name: str | None,
    is_practice_exam: bool,
    is_proctored: bool,
    backend_supports_onboarding: bool,
    at: datetime,
    event_id: UUID,
) -> Fact | None:
    """None when the proctoring says nothing of a name."""
    kind = (is_practice_exam, is_proctored, backend_supports_onboarding)
    if status not in _PROCTORING or kind not in _COMPARED:
        return None
    name, refused = read_name(full_name)
    return Fact(
        source=PROCTORING,
        attempt=str(attempt_id),
        status=_PROCTORING[status],
        at=at,
        event_id=event_id,
        name=name,
        refused=refused,
        profile_name=read_name(profile_name)[0],
        defers=True,
    )


def read_name(text: Any) -> tuple[str, str]:
    """The usable name and "", or "" and why it cannot be used."""
    try:
        return wording.clean(text), ""
    except wording.NameRefusedError as error:
        return "", str(error)


def _aware(moment: datetime | None) -> datetime | None:
    """A naive time is UTC, as in the rules of badges."""
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)
