"""Keeping the ledger: the first handler of a batch, before names and rules."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import attrs

from credentials import bulk
from credentials.database import in_chunks, is_new
from events.event import LearnerEvent
from exam_attempts.models import ExamAttempt
from exam_attempts.standing import STATUS_OF, Mark, Standing, Status, advance

_Key = tuple[int, str, str]  # learner, course key, usage key
_WRITTEN: Final = ("exam_type", "status", "event_id", "event_time", "requested_by", "marks")


class ForeignUsageKeyError(ValueError):
    """The usage key of an exam event belongs to another course than its course key. The sender
    has to mend it; the event is kept as failed.
    """


def record(events: Sequence[LearnerEvent]) -> None:
    """Bring the ledger up to date. Requires the transaction that claimed the events, in which the
    rows of their learners are locked.

    Three statements at most, none for a batch without an exam event. Raises ForeignUsageKeyError.
    """
    marks = [
        (_key(each), _mark(each, status))
        for each in events
        if (status := STATUS_OF.get(each.event.type)) is not None
    ]
    if not marks:
        return
    rows = _rows({key for key, _ in marks})
    standings = {key: _read(row.marks) for key, row in rows.items()}
    before = dict(standings)
    for key, mark in marks:
        standings[key] = advance(standings.get(key, Standing()), mark)
    _write(
        [
            _updated(rows.get(key), key, standing)
            for key, standing in sorted(standings.items())
            if standing != before.get(key)
        ]
    )


def _key(each: LearnerEvent) -> _Key:
    attempt = each.event.payload
    course_key, usage_key = attempt.course_key, attempt.usage_key
    home = usage_key.course_key
    if home.run is None:  # a key of the old form names no run
        home = home.replace(run=course_key.run)
    if home != course_key:
        raise ForeignUsageKeyError(f"The exam {usage_key} is no part of the course {course_key}.")
    return each.learner_id, str(course_key), str(usage_key)


def _mark(each: LearnerEvent, status: Status) -> Mark:
    attempt = each.event.payload
    return Mark(
        at=each.event.time,
        status=status,
        event_id=each.event.id,
        exam_type=attempt.exam_type,
        requested_by=attempt.requesting_user.id if attempt.requesting_user else None,
    )


def _rows(keys: Iterable[_Key]) -> dict[_Key, ExamAttempt]:
    """The rows of these learners at these exams, and perhaps of others of them."""
    exams = sorted({usage_key for _, _, usage_key in keys})
    found: dict[_Key, ExamAttempt] = {}
    for chunk in in_chunks(sorted({learner_id for learner_id, _, _ in keys}), reserve=len(exams)):
        for row in ExamAttempt.objects.filter(learner_id__in=chunk, usage_key__in=exams):
            found[row.learner_id, row.course_key, row.usage_key] = row
    return found


def _updated(row: ExamAttempt | None, key: _Key, standing: Standing) -> ExamAttempt:
    learner_id, course_key, usage_key = key
    row = row or ExamAttempt(learner_id=learner_id, course_key=course_key, usage_key=usage_key)
    deciding = standing.deciding
    assert deciding is not None, key  # noqa: S101 -- there was an event
    row.status = deciding.status
    row.exam_type = deciding.exam_type
    row.event_id = deciding.event_id
    row.event_time = deciding.at
    row.requested_by = deciding.requested_by
    row.marks = _written(standing)
    return row


def _write(rows: Sequence[ExamAttempt]) -> None:
    bulk.update_objects([row for row in rows if not is_new(row)], _WRITTEN)
    bulk.insert_objects([row for row in rows if is_new(row)])


def _read(marks: Mapping[str, Mapping[str, Any]]) -> Standing:
    return Standing(**{kind: _read_mark(each) for kind, each in marks.items()})


def _read_mark(each: Mapping[str, Any]) -> Mark:
    return Mark(
        at=datetime.fromisoformat(each["at"]),
        status=Status(each["status"]),
        event_id=UUID(each["event_id"]),
        exam_type=each["exam_type"],
        requested_by=each["requested_by"],
    )


def _written(standing: Standing) -> dict[str, Any]:
    return {
        kind: {
            "at": mark.at.isoformat(),
            "status": mark.status.value,
            "event_id": str(mark.event_id),
            "exam_type": mark.exam_type,
            "requested_by": mark.requested_by,
        }
        for kind in attrs.fields_dict(Standing)
        if (mark := getattr(standing, kind)) is not None
    }
