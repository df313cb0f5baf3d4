"""Background tasks of the events app."""

from celery import shared_task
from django.utils import timezone

from events import replay


@shared_task
def retry_failed() -> int:
    """Failed messages whose next try has come."""
    return replay.retry_due(now=timezone.now())
