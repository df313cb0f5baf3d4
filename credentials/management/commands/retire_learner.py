"""`manage.py retire_learner`: erase a person."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from credentials.models import Learner
from credentials.retirement import retire


class Command(BaseCommand):
    help = (
        "Erase a person: profile, progress, exams, names and the payloads of events. Credentials "
        "are revoked and kept under a made-up name; the worker tells the providers. Prints what "
        "was done."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        who = parser.add_mutually_exclusive_group(required=True)
        who.add_argument("--learner", metavar="USERNAME")
        who.add_argument("--lms-user-id", type=int, metavar="ID")
        parser.add_argument("--dry-run", action="store_true", help="only print what would be done")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["lms_user_id"] is not None:
            found = Learner.objects.filter(lms_user_id=options["lms_user_id"])
        else:
            found = Learner.objects.filter(username=options["learner"])
        keys = list(found.values_list("pk", flat=True)[:2])
        if not keys:
            raise CommandError("No such learner is known.")
        if len(keys) > 1:
            raise CommandError("More than one learner has this username: use --lms-user-id.")
        with transaction.atomic():
            done = retire(keys[0], now=timezone.now())
            if options["dry_run"]:
                transaction.set_rollback(True)
        for what, count in done.items():
            self.stdout.write(f"{count:>5}  {what}")
        if options["dry_run"]:
            self.stdout.write("dry run, nothing was written")
