"""`revoke_badge`: revoke a badge by hand, with a reason."""

from datetime import datetime
from typing import Any

from badges import by_hand
from badges.management.by_hand import BY, ByHandCommand
from credentials.models import BadgeTemplate, Learner, UserCredential


class Command(ByHandCommand):
    help = "Revoke a badge by hand."

    def carry_out(
        self, learner: Learner, template: BadgeTemplate, *, now: datetime, options: dict[str, Any]
    ) -> UserCredential:
        return by_hand.revoke(learner, template, reason=options["reason"], by=BY, now=now)
