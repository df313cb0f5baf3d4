"""`manage.py badges_state`: what learners have reached, as JSON."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from badges.state import UnknownLearnerError, state


class Command(BaseCommand):
    help = "Print progress, credentials and issuances of all learners, or of one, as JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--learner", metavar="USERNAME", help="only learners of that username")

    def handle(self, *args: Any, **options: Any) -> None:
        username = options["learner"]
        try:
            found = state(username=username)
        except UnknownLearnerError:
            raise CommandError(f"no learner has the username {username!r}") from None
        self.stdout.write(json.dumps(found, indent=2))
