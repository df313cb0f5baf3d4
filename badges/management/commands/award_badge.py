"""`award_badge`: award a badge by hand, with a reason."""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from badges import by_hand
from badges.management.choosing import find_learner, find_template


class Command(BaseCommand):
    help = "Award a badge by hand."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--learner", required=True, help="username")
        parser.add_argument("--template", required=True, type=UUID, help="uuid of the template")
        parser.add_argument("--reason", required=True, help="kept with the decision")
        parser.add_argument(
            "--penalties-apply",
            action="store_true",
            help="a later penalty of the template may revoke it; without this none does",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        learner = find_learner(options["learner"])
        template = find_template(options["template"])
        try:
            with transaction.atomic():
                credential = by_hand.award(
                    learner,
                    template,
                    reason=options["reason"],
                    by="command line",
                    now=timezone.now(),
                    penalties_apply=options["penalties_apply"],
                )
        except by_hand.NothingToDoError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{credential.uuid} {credential.status}")
