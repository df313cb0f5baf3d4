"""`award_badge`: award a badge by hand, with a reason."""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from badges import by_hand
from badges.management.by_hand import BY, ByHandCommand
from credentials.models import BadgeTemplate, Learner, UserCredential


class Command(ByHandCommand):
    help = "Award a badge by hand."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--penalties-apply",
            action="store_true",
            help="a later penalty of the template may revoke it; without this none does",
        )

    def carry_out(
        self, learner: Learner, template: BadgeTemplate, *, now: datetime, options: dict[str, Any]
    ) -> UserCredential:
        return by_hand.award(
            learner,
            template,
            reason=options["reason"],
            by=BY,
            now=now,
            penalties_apply=options["penalties_apply"],
        )
