"""Schedules and their periodic tasks, options and times."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from celery import current_app
from django.test import Client
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, PeriodicTask
from django_celery_beat.schedulers import DatabaseScheduler
from pytest_django import Settings

from certificates import runs, schedules, tasks
from certificates.models import CredentialType, EligibilitySchedule, ScheduleRun
from certificates.platform.sandbox import World, serve
from credentials.models import BadgeTemplate, Learner, UserCredential
from tests.fakes.oracle import oracle
from tests.functional.schedule_stories import (
    ANN,
    BOB,
    CK,
    NOW,
    badge,
    counts,
    holders,
    kind,
    run,
    schedule,
)

pytestmark = pytest.mark.django_db(transaction=True)
State = ScheduleRun.State


def test_lc_1_saving_makes_one_disabled_task() -> None:
    made = schedule()
    task = PeriodicTask.objects.get(task=schedules.TASK)
    assert (task.enabled, json.loads(task.args), task.pk) == (
        False,
        [made.pk],
        made.periodic_task_id,
    )
    assert task.interval is not None
    assert (schedules.often(made), str(task.interval)) == ("day", "every day")


def test_lc_1_beat_calls_it_once_it_is_enabled() -> None:
    oracle.scores = {CK: {ANN: 0.95}}
    made = schedule()
    assert _called_by_beat() == []

    schedules.switch(made, on=True, often="hour")
    task = PeriodicTask.objects.get(pk=made.periodic_task_id)
    PeriodicTask.objects.filter(pk=task.pk).update(last_run_at=NOW - timedelta(days=400))
    ((name, args, task_id),) = _called_by_beat()
    assert (name, args) == (schedules.TASK, [made.pk])

    tasks.run_schedule.apply(args=tuple(args), task_id=task_id)
    assert holders(made.template) == [ANN]


def test_lc_14_two_schedules_of_one_course_run_on_their_own_times() -> None:
    hourly, weekly = schedule(badge("A")), schedule(badge("B"))
    schedules.switch(hourly, on=True, often="hour")
    schedules.switch(weekly, on=True, often="week")
    tasks_of_both = PeriodicTask.objects.filter(task=schedules.TASK)
    for hours, called in ((0.5, []), (2, [hourly]), (24 * 8, [hourly, weekly])):
        tasks_of_both.update(last_run_at=timezone.now() - timedelta(hours=hours))
        assert sorted(args for _, args, _ in _called_by_beat()) == [[each.pk] for each in called]


def _called_by_beat() -> list[tuple[str, list[int], str]]:
    """What beat sends to the workers when it looks at its tasks now."""
    with current_app.connection_for_write() as connection:
        queue = connection.SimpleQueue("celery")
        queue.clear()
        beat = DatabaseScheduler(app=current_app, lazy=False, producer=connection.Producer())
        while beat.tick() == 0:  # sends one of those that are due
            pass
        beat.sync()  # as it does when it ends: else at the end of Python, without a database
        called = []
        while queue.qsize():
            message = queue.get_nowait()
            message.ack()
            called.append((message.headers["task"], message.payload[0], message.headers["id"]))
    return [each for each in called if each[0] == schedules.TASK]


def test_lc_1_deleting_either_deletes_the_other() -> None:
    first, second, third = schedule(badge("A")), schedule(badge("B")), schedule(badge("C"))
    schedules.delete(EligibilitySchedule.objects.filter(pk=first.pk))
    assert not PeriodicTask.objects.filter(pk=first.periodic_task_id).exists()

    second.periodic_task.delete()
    assert list(EligibilitySchedule.objects.all()) == [third]
    assert PeriodicTask.objects.filter(task=schedules.TASK).count() == 1


def test_lc_1_deleting_the_task_in_beats_own_admin(admin_client: Client) -> None:
    made = schedule()
    url = f"/admin/django_celery_beat/periodictask/{made.periodic_task_id}/delete/"
    assert admin_client.post(url, {"post": "yes"}).status_code == 302
    assert not EligibilitySchedule.objects.exists()


def test_a_task_goes_with_the_badge_of_its_schedule() -> None:
    made = schedule()
    BadgeTemplate.objects.get(pk=made.template_id).delete()
    tasks.sweep()
    assert not PeriodicTask.objects.filter(task=schedules.TASK).exists()


def test_lc_1_a_name_of_510_characters_still_makes_a_unique_one() -> None:
    long_type = CredentialType.objects.create(name="n" * 255, retriever="oracle")
    context = "path-v1:" + "p" * 247
    made = [schedule(badge(each), type=long_type, context=context) for each in ("A", "B")]
    names = {each.periodic_task.name for each in made}
    assert len(names) == 2
    assert max(map(len, names)) == 200


def test_lc_2_options_of_the_type_those_of_the_schedule_over_them() -> None:
    of_type = {"retake": {"limit": 1, "note": "two"}, "weights": {"hw": 20}}
    of_schedule = {"retake": {"limit": 5}, "required_completion": 0.5}
    made = schedule(type=kind(**of_type), options=of_schedule)

    run(made)

    ((context, given),) = oracle.asked
    assert context == CK
    assert given == {
        "retake": {"limit": 5, "note": "two"},
        "weights": {"hw": 20},
        "required_completion": 0.5,
        "only_active": True,
    }
    made.refresh_from_db()
    assert (made.type.options, made.options) == (of_type, of_schedule)


def test_lc_7_options_that_do_not_fit_any_more_fail_the_run() -> None:
    made = schedule(options={"required_completion": 1.5})
    done = run(made)
    assert done.state == State.FAILED
    assert "required_completion must be at most 1" in done.error
    assert oracle.asked == []


def test_a_retriever_that_is_gone_fails_the_run() -> None:
    made = schedule()
    CredentialType.objects.update(retriever="lost")
    done = run(made)
    assert (done.state, "'lost' is not known" in done.error) == (State.FAILED, True)


def test_lc_12_before_it_begins_runs_are_skipped() -> None:
    made = schedule(not_before=NOW + timedelta(days=1))
    schedules.switch(made, on=True)
    done = run(made)
    assert (done.state, done.error) == (State.SKIPPED, "It begins on 2026-03-02 10:00 UTC.")
    assert PeriodicTask.objects.get(pk=made.periodic_task_id).enabled
    assert oracle.asked == []


def test_lc_12_after_it_ended_a_run_is_skipped_and_the_schedule_is_off() -> None:
    made = schedule(not_after=NOW - timedelta(days=1))
    schedules.switch(made, on=True)
    done = run(made)
    assert done.state == State.SKIPPED
    assert done.error == "It ended on 2026-02-28 10:00 UTC: switched off."
    assert not PeriodicTask.objects.get(pk=made.periodic_task_id).enabled
    assert oracle.asked == []


@pytest.fixture
def course(settings: Settings) -> Iterator[EligibilitySchedule]:
    """Of a platform that says when it ends: an hour after NOW."""
    end = (NOW + timedelta(hours=1)).isoformat()
    world = World.from_document({"courses": [{"id": CK, "name": "P1", "end": end}]})
    with serve(world) as running:
        settings.PLATFORM_API_BASE_URL = running.url
        settings.PLATFORM_API_CLIENT_ID = settings.PLATFORM_API_CLIENT_SECRET = "laurel"
        made = schedule()
        schedules.switch(made, on=True)
        yield made


def test_lc_12_after_the_end_of_the_course(course: EligibilitySchedule) -> None:
    oracle.scores = {CK: {ANN: 0.95}}
    assert run(course, at=NOW).state == State.DONE
    done = run(course, at=NOW + timedelta(hours=2))
    assert (done.state, done.error) == (
        State.SKIPPED,
        "The course ended on 2026-03-01 11:00 UTC: switched off.",
    )
    assert not PeriodicTask.objects.get(pk=course.periodic_task_id).enabled
    who = run(course, at=NOW + timedelta(hours=3), kind=ScheduleRun.Kind.REHEARSAL)
    assert who.state == State.DONE  # asking is always allowed


def test_lc_12_the_end_of_a_lessons_course(course: EligibilitySchedule) -> None:
    block = "block-v1:edX+P1+2024+type@sequential+block@final"
    done = run(schedule(badge("Lesson"), context=block), at=NOW + timedelta(hours=2))
    assert done.state == State.SKIPPED


def test_lc_12_a_course_that_the_platform_does_not_know(course: EligibilitySchedule) -> None:
    done = run(schedule(badge("Other"), context="course-v1:edX+P2+2024"))
    assert (done.state, "404" in done.error) == (State.FAILED, True)


def test_who_would_get_it_changes_nothing() -> None:
    oracle.scores = {CK: {ANN: 0.95, BOB: 0.95, 13: 0.1}}
    made = schedule()
    who = run(made, kind=ScheduleRun.Kind.REHEARSAL)
    assert counts(who) == (3, 2, 2, 0)
    assert list(who.findings.values_list("kind", "lms_user_id")) == [("award", ANN), ("award", BOB)]
    assert holders(made.template) == []

    run(made, at=NOW + timedelta(hours=1))
    again = run(made, kind=ScheduleRun.Kind.REHEARSAL, at=NOW + timedelta(hours=2))
    assert counts(again) == (3, 2, 0, 2)


def test_who_would_get_it_leaves_out_who_lost_it_before() -> None:
    oracle.scores = {CK: {ANN: 0.95, BOB: 0.95}}
    made = schedule()
    ann = Learner.objects.create(lms_user_id=ANN, username="ann", profile_time=NOW)
    lost = {"status": "revoked", "live": None, "revoked_at": NOW}
    UserCredential.objects.create(learner=ann, template=made.template, awarded_at=NOW, **lost)
    who = run(made, kind=ScheduleRun.Kind.REHEARSAL)
    assert list(who.findings.values_list("lms_user_id", flat=True)) == [BOB]
    assert run(made, at=NOW + timedelta(hours=1)).awarded == 1


def test_a_time_given_by_hand_is_kept() -> None:
    made = schedule()
    task = made.periodic_task
    task.interval, task.crontab = None, CrontabSchedule.objects.create(hour="3")
    task.save()
    schedules.switch(made, on=True)
    assert (schedules.often(made), task.crontab.hour) == ("", "3")
    schedules.switch(made, on=True, often="week")
    assert (schedules.often(made), task.crontab) == ("week", None)


def test_only_the_newest_runs_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "_KEPT", 3)
    made = schedule()
    for day in range(5):
        run(made, at=NOW + timedelta(days=day))
    assert ScheduleRun.objects.count() == 3
