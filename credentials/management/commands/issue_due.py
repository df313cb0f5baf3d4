"""`issue_due`: carry out issuances, webhooks, outbox rows and what ALSO_DUE names, in this
process.
"""

import time
from argparse import ArgumentParser
from datetime import timedelta
from importlib import import_module
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db.models import Q
from django.utils import timezone

from credentials import outbox, worker
from credentials.models import CredlyWebhook
from credentials.providers.credly import webhook

_HORIZON: Final = timedelta(seconds=30)


class Command(BaseCommand):
    help = "Carry out what is due at the providers and publish waiting events, in this process."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--until-idle",
            action="store_true",
            help="go on until nothing is due and nothing becomes due within 30 seconds",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        issued = published = webhooks = 0
        while True:
            issued += worker.carry_out_due(clock=timezone.now)
            webhooks += webhook.work_due(clock=timezone.now)
            published += outbox.publish_due(clock=timezone.now)
            for path in settings.ALSO_DUE:
                import_module(path).work_due(clock=timezone.now)
            if not options["until_idle"] or not _pause_until_next():
                break
        self.stdout.write(
            f"issuances: {issued}, webhooks: {webhooks}, events published: {published}"
        )


def _pause_until_next() -> bool:
    """Wait for what becomes due soon; False when nothing does."""
    now = timezone.now()
    soon = Q(next_attempt_at__lte=now + _HORIZON)
    rows = [
        worker.due(now + _HORIZON).order_by("next_attempt_at"),
        CredlyWebhook.objects.filter(soon).order_by("next_attempt_at"),
    ]
    times = [query.values_list("next_attempt_at", flat=True).first() for query in rows]
    times += [import_module(path).next_due(before=now + _HORIZON) for path in settings.ALSO_DUE]
    waiting = [each for each in times if each is not None]
    if not waiting:
        return False
    time.sleep(min(max((min(waiting) - now).total_seconds(), 0.05), 2.0))
    return True
