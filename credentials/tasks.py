"""Background tasks of the credentials app. Each is safe to run twice and at any time."""

from typing import Final

from celery import shared_task
from django.utils import timezone

from credentials import dispatch, outbox, worker
from credentials.providers.credly import night, runs, webhook

_TURN: Final = 10.0  # seconds: then other tasks have theirs


@shared_task
def issue() -> int:
    """Carry out what is due, whoever asked for it."""
    taken = worker.carry_out_due(clock=timezone.now, seconds=_TURN)
    if taken and worker.due(timezone.now()).exists():
        dispatch.issue()
    return taken


@shared_task
def publish() -> int:
    """Publish the events that wait in the outbox."""
    return outbox.publish_due(clock=timezone.now)


@shared_task
def work_webhook(webhook_id: int) -> bool:
    return webhook.work(webhook_id, clock=timezone.now)


# Hours: a comparison of a hundred thousand badges asks for two thousand pages.
@shared_task(time_limit=6 * 3600)
def work_run(run_id: int) -> bool:
    return runs.work(run_id, clock=timezone.now)


@shared_task(time_limit=3600)
def nightly() -> None:
    """Of every organization in use: how long its key lives, its templates, its badges."""
    night.begin(now=timezone.now())


@shared_task
def sweep() -> None:
    """Find everything that is due: what failed and waits, and what no task came for."""
    if worker.due(timezone.now()).exists():
        dispatch.issue()
    webhook.work_due(clock=timezone.now)
    for run_id in runs.due(timezone.now()):
        dispatch.work_run(run_id)
    outbox.publish_due(clock=timezone.now)
