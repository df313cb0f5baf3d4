"""From what a platform knows to a file with a page: schedules, rules and certificates together."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from badges import by_hand
from badges.models import BadgePenalty, BadgeRequirement
from certificates import runs, tasks
from certificates.models import Certificate, CredentialType, EligibilitySchedule, ScheduleRun
from certificates.platform.sandbox import Running
from credentials.models import BadgeTemplate, Issuance, Learner, UserCredential
from tests.fakes.oracle import oracle
from tests.functional.certificates.conftest import MailServer, certificate, public_file, stored
from tests.functional.conftest import Service
from tests.functional.platform.academy import (
    CK,
    END,
    FINAL,
    LAB,
    POLICY,
    course,
    section,
    world,
)
from tests.functional.platform.conftest import platform
from tests.functional.schedule_stories import (
    ANN,
    BOB,
    NOW,
    activate,
    badge,
    counts,
    holders,
    run,
    schedule,
)

__all__ = ["platform"]
LATER = NOW + timedelta(days=1)


def asks(
    retriever: str, *, context: str = CK, name: str = "Completed", **options: Any
) -> EligibilitySchedule:
    """A schedule for a certificate."""
    kind = CredentialType.objects.create(name=name, retriever=retriever, options=options)
    return schedule(badge(name, providers=["pdf"]), type=kind, context=context)


def printed_names() -> list[str]:
    rows = Certificate.objects.filter(state="available").order_by("name")
    return list(rows.values_list("name", flat=True))


def test_lc_3_whoever_completed_the_course_has_a_certificate_once(
    service: Service, platform: Running
) -> None:
    people = course(ann={"completion": 0.95}, bob={"completion": 0.90}, cid={"completion": 0.89})
    platform.sandbox.load(world(people))
    completed = asks("completions", required_completion=0.9)

    assert counts(run(completed)) == (3, 2, 2, 0)
    service.issue()
    assert printed_names() == ["Ann of the Academy", "Bob of the Academy"]
    standing = service.badge("ann", str(completed.template.uuid))
    assert standing is not None
    assert [each["fulfilled"] for each in standing["requirements"]] == [True]

    assert counts(run(completed, at=LATER)) == (3, 2, 0, 2)
    service.issue()
    assert len(stored("certificates/public")) == Issuance.objects.count() == 2


def test_lc_4_grades_by_the_policy_and_one_learner_who_cannot_be_judged(
    service: Service, platform: Running
) -> None:
    platform.sandbox.load(
        world(
            course(
                ann={"grades": [section("hw", 0.8), section("exam", 0.95)]},  # no lab
                bob={"grades": [section("hw", 0.3), section("exam", 0.95)]},
                cid={"grades": [section("hw", 0.8)]},
                dan={"grades": [section("quiz", 1.0), section("exam", 0.95)]},
            )
        )
    )
    assert {each["assignment_type"]: each["weight"] for each in POLICY} == {
        "hw": 0.2,
        "lab": 0.1,
        "exam": 0.7,
    }
    harder = asks("grades", name="Harder", required_grades={"total": 0.826})
    assert counts(run(harder)) == (4, 0, 0, 0)  # nobody has more than ann's 82.5 %
    graded = asks("grades", required_grades={"hw": 0.4, "exam": 0.9, "total": 0.8})
    done = run(graded)
    assert (counts(done), done.failed) == ((4, 1, 1, 0), 1)
    (finding,) = done.findings.all()
    assert (finding.username, "'quiz' is not in the grading policy" in finding.reason) == (
        "dan",
        True,
    )
    service.issue()
    assert printed_names() == ["Ann of the Academy"]


def test_lc_9_what_was_revoked_no_schedule_brings_back(
    service: Service, platform: Running, client: Client
) -> None:
    platform.sandbox.load(world(course(ann={"completion": 0.95})))
    completed = asks("completions")
    run(completed)
    service.issue()
    assert public_file(client) is not None
    with transaction.atomic():
        by_hand.revoke(
            Learner.objects.get(),
            BadgeTemplate.objects.get(),
            reason="Handed in the report of somebody else.",
            by="prof",
            now=timezone.now(),
        )
    service.issue()
    assert counts(run(completed, at=LATER)) == (1, 1, 0, 1)
    service.issue()
    assert public_file(client) is None
    assert UserCredential.objects.count() == Issuance.objects.count() == 1
    assert client.get(f"/verify/{certificate().verify_uuid}.json").json()["reason"]


def test_lc_10_two_runs_and_the_button_are_one_file_and_one_mail(
    service: Service, mail_server: MailServer
) -> None:
    oracle.answers = {ANN: {"is_eligible": True, "email": "ann@example.com"}}
    completed = schedule(badge(providers=["pdf"]))
    by_clock = runs.request(completed, now=timezone.now(), ticket=str(uuid4()), queued=False)

    def pressed() -> None:
        runs.request(completed, now=timezone.now())
        tasks.run_schedule.apply(args=(completed.pk,), task_id=str(uuid4()))  # the clock again

    oracle.meanwhile = pressed
    assert tasks.work_run(by_clock.pk)
    service.issue()
    for waiting in runs.due(timezone.now()):
        assert tasks.work_run(waiting)
    service.issue()
    assert UserCredential.objects.count() == 1
    assert stored("certificates/public") == [f"{certificate().verify_uuid}.pdf"]
    assert [each["To"] for each in mail_server.box.mails] == ["ann@example.com"]


def crowd(completion: float) -> dict[str, Any]:
    """150 learners: two pages."""
    people = [
        {"id": number, "username": f"u{number}", "email": f"u{number}@example.com"}
        for number in range(1, 151)
    ]
    enrolled = [{"username": each["username"], "completion": completion} for each in people]
    of_all = {"id": CK, "name": "P1", "end": END, "policy": POLICY, "enrollments": enrolled}
    return {"people": people, "courses": [of_all]}


def test_lc_11_a_page_that_fails_changes_nobody(service: Service, platform: Running) -> None:
    platform.sandbox.load(crowd(0.95))
    completed = asks("completions")
    requirement = BadgeRequirement.objects.get()
    penalty = BadgePenalty.objects.create(
        template=completed.template, key="fell-behind", event_type=requirement.event_type
    )
    penalty.requirements.set([requirement])
    penalty.rules.create(path="is_eligible", operator="eq", value="false")
    activate(completed.template)

    def failing(at: timedelta) -> ScheduleRun:
        platform.sandbox.fault("status", api="completion", page=2, status=500, retry_after="0")
        done = run(completed, at=NOW + at)
        platform.sandbox.reset()
        return done

    done = failing(timedelta(0))
    assert (done.state, done.evaluated, "500" in done.error) == ("failed", 100, True)
    assert holders(completed.template) == []
    assert counts(run(completed, at=NOW + timedelta(hours=1))) == (150, 150, 150, 0)

    platform.sandbox.load(crowd(0.2))
    assert failing(timedelta(hours=2)).state == "failed"
    assert len(holders(completed.template)) == 150
    assert counts(run(completed, at=NOW + timedelta(hours=3))) == (150, 0, 0, 0)
    assert holders(completed.template) == []


@pytest.mark.parametrize("retriever", ["completions", "grades"])
def test_lc_14_a_lesson_counts_for_itself(
    service: Service, platform: Running, retriever: str
) -> None:
    options: dict[str, Any] = (
        {} if retriever == "completions" else {"required_grades": {"total": 0.9}}
    )
    platform.sandbox.load(
        world(
            course(
                ann={
                    "blocks": {FINAL: 0.9, LAB: 0.1},
                    "grades": [section("exam", 0.9, FINAL), section("lab", 0.1, LAB)],
                },
                bob={
                    "blocks": {FINAL: 0.1, LAB: 0.9},
                    "grades": [section("exam", 0.1, FINAL), section("lab", 0.9, LAB)],
                },
            )
        )
    )
    final = asks(retriever, context=FINAL, name="Final", **options)
    lab = asks(retriever, context=LAB, name="Lab", **options)
    assert counts(run(final)) == (2, 1, 1, 0)
    assert (holders(final.template), holders(lab.template)) == ([ANN], [])
    assert counts(run(lab)) == (2, 1, 1, 0)
    assert (holders(final.template), holders(lab.template)) == ([ANN], [BOB])
