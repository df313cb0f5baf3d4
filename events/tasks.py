"""Background tasks of the events app."""

from celery import shared_task
from django.utils import timezone

from events import replay, retention


@shared_task
def retry_failed() -> int:
    """Failed messages whose next try has come."""
    return replay.retry_due(now=timezone.now())


@shared_task
def delete_old() -> int:
    """What is settled and older than EVENT_RETENTION_DAYS."""
    return retention.delete_old(now=timezone.now())
