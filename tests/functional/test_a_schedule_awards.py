"""A schedule asks who is eligible, and whoever is gets the badge."""

import io
from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.management import call_command
from pytest_django import Settings

from badges.models import BadgePenalty, BadgeRequirement
from certificates import runs, tasks
from certificates.models import ScheduleFinding, ScheduleRun
from certificates.retrievers.base import Evaluated
from credentials.models import Learner, Lease, UserCredential
from events.models import InboxEvent
from tests.fakes.oracle import oracle
from tests.functional.schedule_stories import (
    ANN,
    BOB,
    CID,
    CK,
    NOW,
    activate,
    badge,
    clock,
    counts,
    holders,
    run,
    schedule,
)

pytestmark = pytest.mark.django_db(transaction=True)
State = ScheduleRun.State
LESSON = "block-v1:edX+P1+2024+type@sequential+block@final"
OTHER_LESSON = "block-v1:edX+P1+2024+type@sequential+block@other"


def test_lc_3_whoever_completed_the_course_is_awarded_once() -> None:
    oracle.scores = {CK: {ANN: 0.95, BOB: 0.90, CID: 0.89}}
    completed = schedule()

    first, second = run(completed), run(completed, at=NOW + timedelta(days=1))

    assert counts(first) == (3, 2, 2, 0)
    assert counts(second) == (3, 2, 0, 2)
    assert [first.state, second.state] == [State.DONE, State.DONE]
    assert holders(completed.template) == [ANN, BOB]
    assert Learner.objects.get(lms_user_id=ANN).username == "ann"
    assert InboxEvent.objects.count() == 2  # nothing is told twice


def test_lc_11_a_page_that_fails_changes_nobody() -> None:
    oracle.scores = {CK: dict.fromkeys(range(1, 1_001), 0.95)}
    oracle.breaks_after = 900
    completed = schedule()
    penalty = BadgePenalty.objects.create(
        template=completed.template,
        key="not-any-more",
        event_type=BadgeRequirement.objects.get().event_type,
    )
    penalty.requirements.set(BadgeRequirement.objects.all())
    activate(completed.template)

    failed = run(completed)
    assert (failed.state, failed.error) == (State.FAILED, "GET page 2: HTTP 500")
    assert (failed.evaluated, failed.awarded) == (900, 0)
    assert not InboxEvent.objects.exists()
    assert not UserCredential.objects.exists()

    penalty.delete()
    activate(completed.template)
    oracle.breaks_after = None
    assert counts(run(completed, at=NOW + timedelta(days=1))) == (1_000, 1_000, 1_000, 0)


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        (None, "The retriever oracle failed: TypeError"),
        ("ann", "type str among its results"),
        ([(11, None)], "type tuple among its results"),
        ({"ann": {"is_eligible": True}}, "type str as an LMS user id"),
        ({0: {"is_eligible": True}}, "type int as an LMS user id"),
        ({2**63: {"is_eligible": True}}, "too large"),
    ],
)
def test_lc_11_garbage_of_nobody_fails_the_run(answers: object, error: str) -> None:
    oracle.answers = answers
    done = run(schedule())
    assert done.state == State.FAILED
    assert error in done.error
    assert not UserCredential.objects.exists()


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"is_eligible": "yes"},
        {"is_eligible": None},
        {"is_eligible": True, "seats": {1, 2}},
        {"is_eligible": True, "seats": 2**64},
        {"is_eligible": True, "seats": "\ud800"},
        {"is_eligible": True, "essay": "x" * 10_001},
        {"fault": "no category lab"},
    ],
)
def test_lc_11_garbage_of_one_learner_leaves_out_that_learner(told: dict[str, object]) -> None:
    oracle.answers = {ANN: told, BOB: {"is_eligible": True, "name": "Bob\x00 \ud800"}}
    completed = schedule()
    done = run(completed)
    assert (done.state, done.evaluated, done.failed, done.awarded) == (State.DONE, 2, 1, 1)
    assert holders(completed.template) == [BOB]
    assert ScheduleFinding.objects.get().lms_user_id == ANN


def test_lc_11_a_bug_of_a_retriever_is_told_without_its_words() -> None:
    def buggy() -> Iterator[Evaluated]:
        yield Evaluated(ANN, is_eligible=True)
        raise LookupError("ann@example.com")

    oracle.answers = buggy()
    assert run(schedule()).error == "The retriever oracle failed: LookupError"
    assert not UserCredential.objects.exists()


def test_lc_14_a_lesson_counts_for_itself() -> None:
    oracle.scores = {LESSON: {ANN: 0.9}, OTHER_LESSON: {BOB: 0.5}}
    lesson, other = schedule(badge("A"), context=LESSON), schedule(badge("B"), context=OTHER_LESSON)
    assert counts(run(other)) == (1, 0, 0, 0)
    assert counts(run(lesson)) == (1, 1, 1, 0)
    assert (holders(lesson.template), holders(other.template)) == ([ANN], [])


def test_lc_14_two_schedules_of_one_course_are_told_apart() -> None:
    oracle.scores = {CK: {ANN: 0.6, BOB: 0.95}}
    easy = schedule(badge("Half way"), options={"required_completion": 0.5})
    hard = schedule(badge("Completed"))

    assert counts(run(easy)) == (2, 2, 2, 0)
    assert (holders(easy.template), holders(hard.template)) == ([ANN, BOB], [])
    assert counts(run(hard)) == (2, 1, 1, 0)
    assert holders(hard.template) == [BOB]


def test_not_eligible_any_more_takes_it_away_only_by_a_penalty() -> None:
    oracle.scores = {CK: {ANN: 0.95}}
    completed = schedule()
    run(completed)
    oracle.scores = {CK: {ANN: 0.2, BOB: 0.2}}

    run(completed, at=NOW + timedelta(days=1))
    assert holders(completed.template) == [ANN]

    requirement = BadgeRequirement.objects.get()
    penalty = BadgePenalty.objects.create(
        template=completed.template, key="fell-behind", event_type=requirement.event_type
    )
    penalty.requirements.set([requirement])
    penalty.rules.create(path="is_eligible", operator="eq", value="false")
    activate(completed.template)

    run(completed, at=NOW + timedelta(days=2))
    assert holders(completed.template) == []
    told = InboxEvent.objects.count()
    run(completed, at=NOW + timedelta(days=3))
    assert InboxEvent.objects.count() == told == 2  # bob had nothing to lose, ann has no more


@pytest.mark.parametrize(
    ("path", "operator", "value", "awarded"),
    [
        ("details", "contains", '"completion":0.95', [ANN]),
        ("user.pii.username", "eq", "bob", [BOB]),
        ("user.id", "in", "12, 13", [BOB, CID]),
        ("is_eligible", "eq", "false", [77]),
        ("metadata.source", "ends_with", "/0", []),
    ],
)
def test_rules_reach_everything_that_it_found(
    path: str, operator: str, value: str, awarded: list[int]
) -> None:
    oracle.scores = {CK: {77: 0.1, ANN: 0.95, BOB: 0.9, CID: 0.91}}
    completed = schedule()
    requirement = BadgeRequirement.objects.get()
    requirement.rules.all().delete()
    requirement.rules.create(path=path, operator=operator, value=value)
    activate(completed.template)
    assert run(completed).awarded == len(awarded)
    assert holders(completed.template) == awarded


def test_a_requirement_counts_different_details() -> None:
    oracle.scores = {CK: {ANN: 0.95}}
    completed = schedule()
    BadgeRequirement.objects.update(count=2, distinct_by="details")
    activate(completed.template)
    for day, score in enumerate((0.95, 0.95, 0.96)):
        assert holders(completed.template) == []
        oracle.scores[CK][ANN] = score
        run(completed, at=NOW + timedelta(days=day))
    assert holders(completed.template) == [ANN]


def test_a_retired_learner_is_named_no_more() -> None:
    oracle.scores = {CK: {ANN: 0.95, BOB: 0.95}}
    completed = schedule()
    run(completed, kind=ScheduleRun.Kind.REHEARSAL)
    run(completed, at=NOW + timedelta(hours=1))
    call_command("retire_learner", "--learner", "ann", stdout=io.StringIO())
    assert list(ScheduleFinding.objects.values_list("username", flat=True)) == ["bob"]


def test_nobody_waits_for_what_it_found() -> None:
    oracle.scores = {CK: {ANN: 0.95}}
    completed = schedule()
    completed.template.is_active = False
    completed.template.save()
    activate(badge("Another"))
    done = run(completed)
    assert (done.state, done.error, counts(done)) == (State.DONE, runs.NOTHING_WAITS, (1, 1, 0, 0))
    assert not InboxEvent.objects.exists()


def test_the_event_type_was_taken_out(settings: Settings) -> None:
    from events.registry import subscriptions

    oracle.scores = {CK: {ANN: 0.95}}
    completed = schedule()
    settings.BADGES_CONFIG = {"events": ["org.openedx.learning.certificate.created.v1"]}
    subscriptions.cache_clear()
    try:
        assert "BADGES_CONFIG" in run(completed).error
    finally:
        subscriptions.cache_clear()


# The worker dies


def test_a_run_that_lost_its_worker_is_done_again_under_the_same_ids() -> None:
    oracle.scores = {CK: dict.fromkeys(range(1, 1_201), 0.95)}
    completed = schedule()
    asked = runs.request(completed, now=NOW, queued=False)
    _die_while_feeding(asked)
    assert 0 < UserCredential.objects.count() < 1_200

    assert runs.due(NOW) == []  # the lease of the dead worker is still held
    later = NOW + timedelta(hours=1)
    assert runs.due(later) == [asked.pk]
    assert runs.work(asked.pk, clock=clock(later))

    done = ScheduleRun.objects.get()
    assert counts(done) == (1_200, 1_200, 1_200, 0)
    assert UserCredential.objects.count() == 1_200
    assert InboxEvent.objects.count() == 1_200


def _die_while_feeding(asked: ScheduleRun) -> None:
    """As SIGKILL leaves it: two batches are committed, the run is running, the lease is held."""
    from certificates import feeding
    from certificates.feeding import Source
    from certificates.spool import Finding

    Lease.take(f"schedule-{asked.schedule_id}", now=NOW, length=timedelta(minutes=10))
    ScheduleRun.objects.update(state=State.RUNNING, started_at=NOW, attempts=1)
    source = Source.of(asked.schedule, run=asked.uuid, at=NOW)
    batch = [Finding(each, is_eligible=True) for each in range(1, 1_001)]
    assert list(feeding.feed([batch], source=source, clock=clock()))


def test_a_run_that_keeps_losing_its_worker_ends() -> None:
    asked = runs.request(schedule(), now=NOW, queued=False)
    ScheduleRun.objects.update(state=State.RUNNING, attempts=3)
    assert runs.work(asked.pk, clock=clock())
    done = ScheduleRun.objects.get()
    assert (done.state, oracle.asked) == (State.FAILED, [])
    assert "ended 3 times" in done.error
    assert runs.due(NOW + timedelta(days=1)) == []


def test_the_same_task_again_is_the_same_run() -> None:
    oracle.scores = {CK: {ANN: 0.95}}
    completed = schedule()
    ticket = str(uuid4())
    assert tasks.run_schedule.apply(args=(completed.pk,), task_id=ticket).get() is True
    assert tasks.run_schedule.apply(args=(completed.pk,), task_id=ticket).get() is False
    assert counts(ScheduleRun.objects.get()) == (1, 1, 1, 0)


def test_a_task_of_a_deleted_schedule_does_nothing() -> None:
    assert tasks.run_schedule.apply(args=(4711,)).get() is False
