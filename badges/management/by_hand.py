"""What `award_badge` and `revoke_badge` share."""

from abc import ABC, abstractmethod
from argparse import ArgumentParser
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from badges.by_hand import NothingToDoError
from badges.management.choosing import find_learner, find_template
from credentials.models import BadgeTemplate, Learner, UserCredential

BY = "command line"


class ByHandCommand(BaseCommand, ABC):
    @abstractmethod
    def carry_out(
        self, learner: Learner, template: BadgeTemplate, *, now: datetime, options: dict[str, Any]
    ) -> UserCredential:
        """Requires a transaction. Raises NothingToDoError."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--learner", required=True, help="username")
        parser.add_argument("--template", required=True, type=UUID, help="uuid of the template")
        parser.add_argument("--reason", required=True, help="kept with the decision")

    def handle(self, *_args: Any, **options: Any) -> None:
        learner = find_learner(options["learner"])
        template = find_template(options["template"])
        try:
            with transaction.atomic():
                credential = self.carry_out(learner, template, now=timezone.now(), options=options)
        except NothingToDoError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{credential.uuid} {credential.status}")
