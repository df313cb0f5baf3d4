"""What is erased of a person who leaves."""

from datetime import datetime

from badges.models import BadgeProgress, Decision
from credentials.models import Learner


def erase(learner: Learner, *, now: datetime) -> dict[str, int]:  # noqa: ARG001 -- see LEARNER_ERASERS
    """Requires a transaction."""
    progress = BadgeProgress.objects.filter(learner=learner)
    done = {"badges' progress deleted": progress.count()}
    progress.delete()
    done["decisions deleted"] = Decision.objects.filter(learner=learner).delete()[0]
    return done
