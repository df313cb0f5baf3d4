"""Background tasks of the certificates app. Each is safe to run twice and at any time."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from certificates import delivery, runs, schedules
from certificates.delivery import mail
from certificates.models import EligibilitySchedule

_HOURS = 6 * 3600


@shared_task(bind=True, time_limit=_HOURS)
def run_schedule(task: Any, schedule_id: int) -> bool:
    """What a schedule's periodic task calls. The same task delivered again is the same run."""
    schedule = EligibilitySchedule.objects.filter(pk=schedule_id).first()
    if schedule is None:  # deleted since it was queued
        return False
    run = runs.request(schedule, now=timezone.now(), ticket=task.request.id, queued=False)
    return runs.work(run.pk, clock=timezone.now)


@shared_task(time_limit=_HOURS)
def work_run(run_id: int) -> bool:
    return runs.work(run_id, clock=timezone.now)


@shared_task
def sweep() -> None:
    """Runs that no task came for, or whose worker died; tasks without a schedule."""
    for run_id in runs.due(timezone.now()):
        runs.tell(run_id)
    schedules.delete_orphans()


@shared_task
def send_mails() -> int:
    """Started when a certificate is available."""
    return mail.send_due(clock=timezone.now)


@shared_task
def work_due() -> int:
    """What failed and waits, and what no task came for."""
    return delivery.work_due(clock=timezone.now)
