"""What is erased of a person who leaves."""

from datetime import datetime

from certificates.models import ScheduleFinding
from credentials.models import Learner


def erase(learner: Learner, *, now: datetime) -> dict[str, int]:  # noqa: ARG001 -- see LEARNER_ERASERS
    """Requires a transaction."""
    rows = ScheduleFinding.objects.none()
    if learner.lms_user_id is not None:
        rows = ScheduleFinding.objects.filter(lms_user_id=learner.lms_user_id)
    return {"findings of schedules deleted": rows.delete()[0]}
