"""A learner sits exams: the ledger, and the badges that come of it."""

import io
from typing import Any
from uuid import uuid4

import pytest
import redis as redis_client
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.utils import timezone
from opaque_keys.edx.keys import CourseKey, UsageKey
from openedx_events.learning.data import ExamAttemptData, UserData, UserPersonalData
from pytest_django import Settings

from badges.models import BadgeProgress
from credentials.models import Learner, OutboxEvent, UserCredential
from events.models import InboxEvent
from events.pipeline import process_batch
from events.registry import subscriptions
from events.wire import make_event
from exam_attempts.models import ExamAttempt
from tests.functional.conftest import Service
from tests.functional.exam_stories import (
    ANN,
    CK,
    PROCTORED,
    PROF,
    UK,
    exam,
    exam_type,
    penalty,
    proctored,
    requirement,
    rule,
)
from tests.servers import RedisServer

OTHER = "block-v1:edX+P1+2024+type@sequential+block@midterm"


def tell(service: Service, *events: dict[str, Any]) -> None:
    service.publish(list(events))
    assert service.consume() == 0


def status(service: Service, username: str = "ann") -> str | None:
    """Of the badge's credential; None without one."""
    badge = service.badge(username, PROCTORED)
    credential = badge["credential"] if badge else None
    return str(credential["status"]) if credential else None


def ledger() -> list[tuple[str, str]]:
    return list(ExamAttempt.objects.values_list("usage_key", "status"))


def test_ex_1_a_verified_exam_earns_the_badge(service: Service) -> None:
    service.load(proctored())

    tell(service, exam("verified", 1))

    assert status(service) == "awarded"
    (row,) = ExamAttempt.objects.all()
    assert (row.learner.username, row.course_key, row.usage_key) == ("ann", CK, UK)
    assert (row.status, row.exam_type, row.requested_by) == ("verified", "proctored", None)


def test_ex_2_a_reset_by_staff_is_about_the_student(service: Service) -> None:
    service.load(proctored())
    tell(service, exam("verified", 1))

    tell(service, exam("reset", 2, requested_by=PROF))

    assert status(service) == "revoked"
    assert ledger() == [(UK, "void")]
    assert ExamAttempt.objects.get().requested_by == PROF["id"]
    assert not Learner.objects.filter(username="prof").exists()
    assert not Learner.objects.filter(lms_user_id=PROF["id"]).exists()
    assert BadgeProgress.objects.count() == 1


def test_ex_3_another_exam_of_the_course_is_another_exam(service: Service) -> None:
    service.load(proctored())

    tell(service, exam("verified", 1, usage_key=OTHER))
    assert status(service) is None
    assert ledger() == [(OTHER, "verified")]

    tell(service, exam("verified", 2))
    assert status(service) == "awarded"


def test_ex_4_the_type_of_exam_is_compared_exactly(service: Service) -> None:
    service.load(proctored())

    tell(service, exam("verified", 1, kind="timed"), exam("verified", 2, kind="PROCTORED"))

    assert status(service) is None


def test_ex_5_what_comes_after_a_review(service: Service) -> None:
    service.load(proctored())
    tell(service, exam("verified", 1))
    tell(service, exam("submitted", 2))
    assert (ledger(), status(service)) == ([(UK, "verified")], "awarded")

    tell(service, exam("rejected", 3))
    assert (ledger(), status(service)) == ([(UK, "rejected")], "revoked")

    tell(service, exam("verified", 4))
    badge = service.badge("ann", PROCTORED)
    assert badge is not None
    assert badge["complete"]
    assert badge["credential"]["status"] == "revoked"
    assert badge["credential"]["blocked_by_revocation"]
    assert ledger() == [(UK, "verified")]
    assert [each.kind for each in OutboxEvent.objects.all()] == ["awarded", "revoked"]


def test_ex_6_an_error_counts_only_where_a_penalty_says_so(service: Service) -> None:
    service.load(proctored(requirements=[requirement(), requirement("again", count=2)]))
    tell(service, exam("verified", 1), exam("errored", 2))
    assert counts(service) == {"passed": 1, "again": 1}

    service.load(
        proctored(
            requirements=[requirement(), requirement("again", count=2)],
            penalties=[penalty("errored", "passed")],
        )
    )
    tell(service, exam("errored", 3))
    assert counts(service) == {"passed": 0, "again": 1}
    assert ledger() == [(UK, "errored")]


def counts(service: Service) -> dict[str, int]:
    badge = service.badge("ann", PROCTORED)
    assert badge is not None
    return {each["id"]: each["count"] for each in badge["requirements"]}


def test_ex_7_a_rule_on_nobody_is_false(service: Service) -> None:
    nobody = rule("requesting_user.pii.username", "prof", "ne")
    service.load(proctored(requirements=[requirement(rules=[nobody])], penalties=[]))

    tell(service, exam("verified", 1))
    assert status(service) is None

    tell(service, exam("verified", 2, requested_by={**PROF, "username": "dean"}))
    assert status(service) == "awarded"


def test_ex_8_bad_exams_are_kept_with_their_reason(service: Service, redis: RedisServer) -> None:
    service.load(proctored())
    foreign = exam("verified", 2, usage_key=UK.replace("P1", "P2"))
    service.publish([exam("verified", 1), foreign])
    with redis_client.Redis.from_url(redis.url) as bus:
        ((_, sound), _) = bus.xrange(service.topic)
        bus.xtrim(service.topic, maxlen=1)  # the first was only sent to be spoilt
        naive = {b"time": b"2026-03-01T10:04:00", b"id": str(uuid4()).encode()}
        empty = {b"event_data": b"", b"id": str(uuid4()).encode()}
        for spoilt in (naive, empty):
            bus.xadd(service.topic, {**sound, **spoilt})

    tell(service, exam("verified", 3))

    reasons = [row.reason for row in InboxEvent.objects.filter(state="failed").order_by("id")]
    assert len(reasons) == 3
    assert any("is no part of the course" in reason for reason in reasons)
    assert any("has no time zone" in reason for reason in reasons)
    assert any("event_data is missing" in reason for reason in reasons)
    assert status(service) == "awarded"
    assert ExamAttempt.objects.count() == 1


def test_ex_8_an_exam_of_nobody_is_ignored_with_its_reason(service: Service) -> None:
    """It cannot go over the bus, but another source may bring it."""
    pii = UserPersonalData(username="", email="", name="")
    payload = ExamAttemptData(
        student_user=UserData(id=None, is_active=True, pii=pii),
        course_key=CourseKey.from_string(CK),
        usage_key=UsageKey.from_string(UK),
        exam_type="proctored",
    )
    event = make_event(
        subscriptions()[exam_type("verified")],
        payload=payload,
        event_id=uuid4(),
        time=timezone.now(),
        source="",
        sourcehost="",
        origin="",
    )

    assert process_batch([event], now=timezone.now()).ignored == 1

    row = InboxEvent.objects.get()
    assert (row.state, "names no learner" in row.reason) == ("ignored", True)
    assert not ExamAttempt.objects.exists()


def test_ex_9_the_learner_follows_the_newest_event(service: Service) -> None:
    tell(service, exam("submitted", 1))
    newer = {**ANN, "name": "Ann Lee", "email": "lee@example.com"}
    tell(service, exam("verified", 3, newer), exam("submitted", 2))
    tell(service, exam("submitted", 4, {**PROF, "email": "lee@example.com"}))

    ann, prof = Learner.objects.order_by("lms_user_id")
    assert (ann.lms_user_id, ann.name, ann.email) == (11, "Ann Lee", "lee@example.com")
    assert (prof.lms_user_id, prof.email) == (99, "lee@example.com")


def test_ex_10_a_reset_that_came_first_still_resets(service: Service) -> None:
    service.load(proctored())

    tell(service, exam("reset", 3))
    tell(service, exam("verified", 2))

    assert status(service) is None
    assert ledger() == [(UK, "void")]

    tell(service, exam("verified", 4))
    assert status(service) == "awarded"
    assert ledger() == [(UK, "verified")]


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["exam_attempt", "exam_attempt.user"])
def test_ex_11_a_wrong_learner_is_refused_with_the_choices(path: str, settings: Settings) -> None:
    entry = {"type": exam_type("verified"), "learner": path}
    settings.BADGES_CONFIG = {"events": [entry]}

    with pytest.raises(SystemCheckError) as refused:
        call_command("check", stdout=io.StringIO(), stderr=io.StringIO())

    assert "exam_attempt.student_user" in str(refused.value)
    assert "exam_attempt.requesting_user" in str(refused.value)


def test_x_9_a_reset_by_prof_changes_only_ann(service: Service) -> None:
    service.load(proctored())
    tell(service, exam("verified", 1), exam("verified", 2, PROF))

    tell(service, exam("reset", 3, requested_by=PROF))

    assert (status(service, "ann"), status(service, "prof")) == ("revoked", "awarded")
    assert [(row.learner.username, row.status) for row in ExamAttempt.objects.order_by("id")] == [
        ("ann", "void"),
        ("prof", "verified"),
    ]
    assert UserCredential.objects.get(live=True).learner.username == "prof"


def test_everything_twice_changes_nothing(service: Service) -> None:
    service.load(proctored())
    events = [exam("submitted", 1), exam("verified", 2), exam("reset", 3), exam("submitted", 4)]
    tell(service, *events)
    before = list(ExamAttempt.objects.values())

    tell(service, *reversed(events))

    assert list(ExamAttempt.objects.values()) == before
    assert before[0]["status"] == "submitted"
