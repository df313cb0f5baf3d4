"""`reconcile_credly`: compare the badges at Credly with those recorded here, and fix them."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from credentials.management import credly_runs
from credentials.models import CredlyRun


class Command(BaseCommand):
    help = "Compare the badges at Credly with those recorded here; the admin shows differences."

    def add_arguments(self, parser: ArgumentParser) -> None:
        credly_runs.add_arguments(parser)
        parser.add_argument("--fix", action="store_true", help="fix what can be fixed")
        parser.add_argument(
            "--limit-share",
            type=float,
            metavar="SHARE",
            help="change nothing when more than this share of the badges would change "
            "(CREDLY_FIX_SHARE); 1 takes the brake off",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        share = options["limit_share"]
        if share is not None and not 0 <= share <= 1:
            raise CommandError("--limit-share is a number from 0 to 1.")
        credly_runs.work_all(
            self,
            organization=options["organization"],
            kind=CredlyRun.Kind.FIX if options["fix"] else CredlyRun.Kind.COMPARE,
            limit_share=share,
        )
