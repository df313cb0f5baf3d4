"""`sync_badge_templates`: take over the badge templates of Credly organizations."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from credentials.management import credly_runs
from credentials.models import CredlyRun


class Command(BaseCommand):
    help = "Create and update badge templates from Credly; new ones come inactive."

    def add_arguments(self, parser: ArgumentParser) -> None:
        credly_runs.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        credly_runs.work_all(
            self,
            organization=options["organization"],
            kind=CredlyRun.Kind.SYNC,
        )
