"""Several want the same run at the same time."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from certificates import runs, tasks
from certificates.models import ScheduleRun
from credentials.models import Lease, UserCredential
from events.models import InboxEvent
from tests.fakes.oracle import oracle
from tests.functional.schedule_stories import ANN, BOB, CK, NOW, clock, counts, schedule

pytestmark = pytest.mark.django_db(transaction=True)
LATER = NOW + timedelta(hours=1)


def test_lc_10_two_runs_and_the_button_give_one_credential() -> None:
    oracle.scores = {CK: {ANN: 0.95, BOB: 0.95}}
    completed = schedule()
    by_clock = runs.request(completed, now=timezone.now(), ticket=str(uuid4()), queued=False)

    def pressed() -> None:
        assert tasks.work_run(by_clock.pk) is False  # the same run, another worker
        by_button = runs.request(completed, now=timezone.now())
        assert by_button.pk != by_clock.pk
        assert runs.request(completed, now=timezone.now()).pk == by_button.pk  # pressed twice
        assert tasks.work_run(by_button.pk) is False
        tasks.run_schedule.apply(args=(completed.pk,), task_id=str(uuid4()))  # the clock again

    oracle.meanwhile = pressed
    assert tasks.work_run(by_clock.pk)
    (waiting,) = runs.due(timezone.now())
    assert tasks.work_run(waiting)

    first, second = ScheduleRun.objects.order_by("id")
    assert (counts(first), counts(second)) == ((2, 2, 2, 0), (2, 2, 0, 2))
    assert UserCredential.objects.count() == InboxEvent.objects.count() == 2


def test_lc_10_a_slow_run_that_was_overtaken_awards_nobody_again() -> None:
    oracle.scores = {CK: {ANN: 0.95, BOB: 0.95}}
    completed = schedule()
    slow = runs.request(completed, now=NOW, queued=False)

    def overtaken() -> None:
        Lease.objects.all().update(until=NOW)  # it took longer than the lease
        fresh = runs.request(completed, now=NOW, queued=False)
        assert runs.work(fresh.pk, clock=clock())

    oracle.meanwhile = overtaken
    runs.work(slow.pk, clock=clock())
    assert UserCredential.objects.count() == InboxEvent.objects.count() == 2


def test_a_schedule_deleted_while_it_runs_leaves_nothing_behind() -> None:
    from certificates import schedules
    from certificates.models import EligibilitySchedule

    oracle.scores = {CK: {ANN: 0.95}}
    completed = schedule()
    asked = runs.request(completed, now=NOW, queued=False)
    oracle.meanwhile = lambda: schedules.delete(EligibilitySchedule.objects.all())
    assert runs.work(asked.pk, clock=clock())
    assert not ScheduleRun.objects.exists()


def test_who_would_get_it_and_a_run_take_turns() -> None:
    oracle.scores = {CK: {ANN: 0.95}}
    completed = schedule()
    who = runs.request(completed, kind=ScheduleRun.Kind.REHEARSAL, now=NOW)
    assert runs.request(completed, now=NOW).pk != who.pk
    assert len(runs.due(LATER)) == 2
