"""`manage.py badges_import`: templates, requirements and penalties from a file."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from badges.management.files import read_text
from badges.portable import importing
from badges.portable.importing import ImportRefusedError


class Command(BaseCommand):
    help = (
        "Import badge templates from a YAML or JSON file. Prints what is created, updated, left "
        "unchanged or deleted, then does all of it or nothing. Calls no provider."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", help="the file, - for standard input")
        parser.add_argument("--dry-run", action="store_true", help="only print the plan")
        parser.add_argument(
            "--prune",
            action="store_true",
            help="remove what the file does not name; templates that have credentials are only "
            "deactivated",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        text, dry_run = read_text(options["file"]), options["dry_run"]
        try:
            with transaction.atomic():
                plan = importing.prepare(text, source=options["file"], prune=options["prune"])
                for step in plan.steps:
                    self.stdout.write(str(step))
                for line in importing.in_words(importing.carry_out(plan, now=timezone.now())):
                    self.stdout.write(line)
                if dry_run:
                    transaction.set_rollback(True)
        except ImportRefusedError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(importing.outcome(plan, dry_run=dry_run))
