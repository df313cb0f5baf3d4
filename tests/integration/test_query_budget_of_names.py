"""Exams and names cost a batch a fixed number of statements, and nothing where there are none."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from opaque_keys.edx.keys import CourseKey, UsageKey
from openedx_events.learning.data import (
    ExamAttemptData,
    UserData,
    UserPersonalData,
    VerificationAttemptData,
)

from credentials.learners import LearnerFacts, upsert
from credentials.models import BadgeTemplate, Issuance, Learner, UserCredential
from events.event import Event, LearnerEvent
from events.registry import subscriptions
from events.wire import make_event
from exam_attempts import ledger
from exam_attempts.models import ExamAttempt
from tests.functional.exam_stories import CK, UK, exam_type, idv_type
from tests.integration.test_query_budget import PASSING
from tests.integration.test_query_budget import event as passing
from verified_names import lifecycle
from verified_names.models import VerifiedName

NOW = timezone.now()
SIZES = (1, 50, 200)
pytestmark = pytest.mark.django_db


def make(event_type: str, number: int, payload: Any) -> LearnerEvent:
    event: Event = make_event(
        subscriptions()[event_type],
        payload=payload,
        event_id=UUID(int=number),
        time=NOW,
        source="",
        sourcehost="",
        origin="",
    )
    return LearnerEvent(event, number, NOW)


def user(number: int) -> UserData:
    pii = UserPersonalData(username=f"u{number}", email="", name=f"Name {number}")
    return UserData(id=number, is_active=True, pii=pii)


def sitting(number: int, verb: str = "verified") -> LearnerEvent:
    payload = ExamAttemptData(
        student_user=user(number),
        course_key=CourseKey.from_string(CK),
        usage_key=UsageKey.from_string(f"{UK}{number % 3}"),
        exam_type="proctored",
    )
    return make(exam_type(verb), number, payload)


def check(number: int) -> LearnerEvent:
    payload = VerificationAttemptData(
        attempt_id=number, user=user(number), status="", name=f"True Name {number}"
    )
    return make(idv_type("approved"), number, payload)


def learners() -> None:
    """Each has a badge that waits for a name, and one that was issued in the profile's."""
    policies = ["verified_required", "verified_if_available"]
    waiting, issued = (BadgeTemplate.objects.create(name=p, name_policy=p) for p in policies)
    for number in range(1, 1 + sum(SIZES)):
        learner = Learner.objects.create(
            pk=number, lms_user_id=number, username=f"u{number}", profile_time=NOW
        )
        for template, state in ((waiting, "held"), (issued, "pending")):
            credential = UserCredential.objects.create(
                learner=learner,
                template=template,
                awarded_at=NOW,
                issued_name="" if state == "held" else "Old",
                issued_name_source="" if state == "held" else "profile",
            )
            Issuance.objects.create(credential=credential, provider="credly", state=state)


def spent(
    handler: Callable[[Sequence[LearnerEvent]], object], event: Callable[[int], LearnerEvent]
) -> list[int]:
    """Statements of batches of each of SIZES."""
    found, first = [], 1
    for size in SIZES:
        with CaptureQueriesContext(connection) as captured:
            handler([event(number) for number in range(first, first + size)])
        found.append(len(captured))
        first += size
    return found


def test_the_ledger_of_new_and_of_known_attempts() -> None:
    learners()
    fresh = spent(ledger.record, sitting)
    known = spent(ledger.record, lambda number: sitting(number, "reset"))
    again = spent(ledger.record, lambda number: sitting(number, "reset"))
    assert ExamAttempt.objects.filter(status="void").count() == sum(SIZES)
    assert (set(fresh), set(known), set(again)) == ({2}, {2}, {1})


def test_names_that_are_new_release_and_drift() -> None:
    learners()
    found = spent(lifecycle.apply, check)
    assert VerifiedName.objects.filter(status="approved").count() == sum(SIZES)
    assert not Issuance.objects.filter(state="held").exists()
    assert Issuance.objects.filter(name_drift=True).count() == sum(SIZES)
    assert len(set(found)) == 1, found
    assert found[0] <= 14


def test_names_that_change_nothing() -> None:
    learners()
    spent(lifecycle.apply, check)
    found = spent(lifecycle.apply, check)
    assert len(set(found)) == 1, found
    assert found[0] <= 4


def test_other_names_in_the_profile() -> None:
    """Six statements for all of a batch; none for who keeps the name."""
    learners()

    def told(number: int, name: str) -> LearnerFacts:
        return LearnerFacts(number, f"u{number}", email="", name=name, is_active=True, as_of=NOW)

    found, first = [], 1
    for size in SIZES:
        people = range(first, first + size)
        for name in ("Old", "New", "New"):
            with CaptureQueriesContext(connection) as captured:
                upsert([told(number, name) for number in people], now=NOW)
            found.append(len(captured))
        first += size
    assert Issuance.objects.filter(name_drift=True).count() == sum(SIZES)
    assert found[:3] == found[3:6] == found[6:]
    assert found[1] - found[2] <= 6 + 1  # and the row that holds the name


def test_other_events_cost_nothing() -> None:
    batch = [
        LearnerEvent(passing(number, learner=number, which=1), number, NOW)
        for number in range(1, 50)
    ]
    assert {each.event.type for each in batch} == {PASSING}
    with CaptureQueriesContext(connection) as captured:
        ledger.record(batch)
        lifecycle.apply(batch)
    assert len(captured) == 0
