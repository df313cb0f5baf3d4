"""Background tasks of the credentials app. Each is safe to run twice and at any time."""

from celery import shared_task
from django.utils import timezone

from credentials import dispatch, outbox, worker
from credentials.providers.credly import night, runs, webhook


@shared_task
def carry_out(issuance_ids: list[int]) -> int:
    """Carry out these issuances, one after the other."""
    return sum(worker.carry_out(each, clock=timezone.now) for each in issuance_ids)


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
    due = worker.due(timezone.now()).order_by("next_attempt_at", "id")
    dispatch.carry_out(list(due.values_list("pk", flat=True)[:1000]))
    webhook.work_due(clock=timezone.now)
    for run_id in runs.due(timezone.now()):
        dispatch.work_run(run_id)
    outbox.publish_due(clock=timezone.now)
