"""`manage.py look_before_issuing`: find what was issued before the database was restored."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from credentials import restored
from credentials.management.arguments import moment


class Command(BaseCommand):
    help = (
        "After a restored backup: have the worker look at the provider before it issues or drops "
        "what was recorded from a moment on."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--since",
            type=moment,
            metavar="T",
            required=True,
            help="ISO 8601 with time zone; the same as for rewind_streams",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        count = restored.look_first(since=options["since"], now=timezone.now())
        self.stdout.write(f"issuances to be looked up first: {count}")
