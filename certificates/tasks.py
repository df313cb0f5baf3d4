"""Background tasks of certificates. Each is safe to run twice and at any time."""

from celery import shared_task
from django.utils import timezone

from certificates import delivery
from certificates.delivery import mail


@shared_task
def send_mails() -> int:
    """Started when a certificate is available."""
    return mail.send_due(clock=timezone.now)


@shared_task
def work_due() -> int:
    """What failed and waits, and what no task came for."""
    return delivery.work_due(clock=timezone.now)
