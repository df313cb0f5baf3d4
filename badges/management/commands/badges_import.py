"""`manage.py badges_import`: templates, requirements and penalties from a file."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction
from django.utils import timezone

from badges.management.files import read_document, read_text
from badges.portable import apply as applying
from badges.portable import plan as planning
from badges.portable.plan import Plan, Verb
from credentials.models import DefinitionsVersion


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
        text = read_text(options["file"])
        with transaction.atomic():
            # One import at a time: two that create the same template would collide.
            DefinitionsVersion.objects.select_for_update().filter(
                pk=DefinitionsVersion.SOLE
            ).first()
            document = read_document(text, source=options["file"], alone=options["prune"])
            plan = planning.plan(document, prune=options["prune"])
            for step in plan.steps:
                self.stdout.write(str(step))
            # A dry run does all of it, to say what it does to learners, and takes it back.
            for name, effect in applying.apply(plan, now=timezone.now()):
                self.stdout.write(f"learners of {name}: {effect}")
            if options["dry_run"]:
                transaction.set_rollback(True)
        outcome = "dry run, nothing was written; would be" if options["dry_run"] else "done"
        self.stdout.write(f"{outcome}: {_summary(plan)}")


def _summary(plan: Plan) -> str:
    names = {
        Verb.CREATE: "created",
        Verb.UPDATE: "updated",
        Verb.UNCHANGED: "unchanged",
        Verb.DELETE: "deleted",
    }
    return ", ".join(f"{plan.count(verb)} {name}" for verb, name in names.items())
