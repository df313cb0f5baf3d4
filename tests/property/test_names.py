"""Names and the exam ledger are functions of the set of events: random exam and identity events,
in any order, cut into batches and repeated at random, leave the same rows.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opaque_keys.edx.keys import CourseKey, UsageKey
from openedx_events.learning.data import (
    ExamAttemptData,
    UserData,
    UserPersonalData,
    VerificationAttemptData,
)

from events.event import Event
from events.registry import subscriptions
from events.wire import make_event
from exam_attempts.models import ExamAttempt
from tests.functional.exam_stories import CK, UK, exam_type, idv_type
from tests.property.effort import THRICE
from tests.property.test_flow import deliver, rolled_back
from tests.property.worlds import START
from verified_names.models import NameFact, VerifiedName

pytestmark = pytest.mark.django_db
EXAMS: Final = (UK, UK.replace("final", "midterm"))
VERBS: Final = ("submitted", "verified", "rejected", "errored", "reset")
_learners = st.sampled_from([11, 11, 12])
_minutes = st.integers(0, 9)
_names = st.sampled_from(["Ann Lee", "Ann Lee", "Bob", "", "<b>", "ann lee"])
_exams = st.tuples(
    _learners,
    _minutes,
    st.sampled_from(VERBS),
    st.sampled_from(EXAMS),
    st.sampled_from(["proctored", "proctored", "onboarding", "timed"]),
    _names,
)
_identities = st.tuples(
    _learners,
    _minutes,
    st.sampled_from(["created", "pending", "approved", "approved", "denied"]),
    st.integers(7, 8),
    st.sampled_from([None, None, 3, 20]),  # minutes until it expires
    _names,
)
_cuts = st.lists(st.integers(1, 6), max_size=6)


def user(learner: int, name: str) -> UserData:
    pii = UserPersonalData(username=f"u{learner}", email="", name=name)
    return UserData(id=learner, is_active=True, pii=pii)


def event(event_type: str, minute: int, payload: Any, number: int) -> Event:
    return make_event(
        subscriptions()[event_type],
        payload=payload,
        event_id=UUID(int=number),
        time=START + timedelta(minutes=minute),
        source="",
        sourcehost="",
        origin="",
    )


@st.composite
def streams(draw: st.DrawFn) -> list[Event]:
    found: list[Event] = []
    for learner, minute, verb, exam, kind, name in draw(st.lists(_exams, max_size=9)):
        payload = ExamAttemptData(
            student_user=user(learner, name),
            course_key=CourseKey.from_string(CK),
            usage_key=UsageKey.from_string(exam),
            exam_type=kind,
        )
        found.append(event(exam_type(verb), minute, payload, len(found)))
    for learner, minute, verb, attempt, until, name in draw(st.lists(_identities, max_size=6)):
        check = VerificationAttemptData(
            attempt_id=attempt,
            user=user(learner, "Ann L"),
            status="whatever",
            name=name or None,
            expiration_date=None if until is None else START + timedelta(minutes=until),
        )
        found.append(event(idv_type(verb), minute, check, len(found)))
    return found


def left(events: Sequence[Event], cuts: Sequence[int]) -> tuple[Any, Any, Any]:
    """The rows of the ledger, of the names, and what was said."""
    with rolled_back():
        deliver(events, cuts)
        ledger = ExamAttempt.objects.order_by("learner__lms_user_id", "usage_key")
        names = VerifiedName.objects.order_by("learner__lms_user_id", "source", "attempt", "number")
        facts = NameFact.objects.order_by("event_id")
        return (
            _rows(ledger),
            _rows(names),
            list(facts.values("event_id", "source", "attempt", "status", "name", "refused")),
        )


def _rows(found: Any) -> list[dict[str, Any]]:
    """Everything but the keys of the rows themselves."""
    rows = []
    for row in found.values(
        "learner__lms_user_id",
        *(each.name for each in found.model._meta.concrete_fields if each.name != "learner"),
    ):
        del row["id"]
        rows.append(row)
    return rows


@THRICE
@given(streams(), _cuts, st.data())
def test_order_and_repetition_leave_no_trace(
    events: list[Event], cuts: list[int], data: st.DataObject
) -> None:
    whole = left(events, [])
    again = data.draw(st.lists(st.sampled_from(events), max_size=4)) if events else []
    assert left(data.draw(st.permutations([*events, *again])), cuts) == whole


@THRICE
@given(streams(), _cuts)
def test_the_ledger_is_as_the_reference(events: list[Event], cuts: list[int]) -> None:
    rows, _, _ = left(events, cuts)
    exams = [each for each in events if each.type.startswith("org.openedx.learning.exam.")]
    expected = {}
    for each in exams:
        key = (each.payload.student_user.id, str(each.payload.usage_key))
        same = [
            (other.time, verb(other))
            for other in exams
            if (other.payload.student_user.id, str(other.payload.usage_key)) == key
        ]
        expected[key] = stands(same)
    assert {(row["learner__lms_user_id"], row["usage_key"]): row["status"] for row in rows} == (
        expected
    )


def verb(each: Event) -> str:
    return each.type.split(".")[-2]


def stands(happened: list[tuple[Any, str]]) -> str:
    """Slow and plain: what is after the last reset counts, a review before a submission, the
    latest of them; of one time the one that takes more away.
    """
    resets = [time for time, what in happened if what == "reset"]
    since = [each for each in happened if not resets or each[0] > max(resets)]
    if not since:
        return "void"
    reviews = [each for each in since if each[1] != "submitted"]
    if not reviews:
        return "submitted"
    latest = max(time for time, _ in reviews)
    at_last = {what for time, what in reviews if time == latest}
    return next(what for what in ("rejected", "errored", "verified") if what in at_last)
