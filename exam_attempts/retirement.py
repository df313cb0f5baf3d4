"""What is erased of a person who leaves."""

from datetime import datetime

from credentials.models import Learner
from exam_attempts.models import ExamAttempt


def erase(learner: Learner, *, now: datetime) -> dict[str, int]:  # noqa: ARG001 -- see LEARNER_ERASERS
    """Requires a transaction. Staff who leave are also forgotten where they reset an exam."""
    done = {"exam attempts deleted": ExamAttempt.objects.filter(learner=learner).delete()[0]}
    if learner.lms_user_id is not None:
        asked = [
            row
            for row in ExamAttempt.objects.filter(requested_by=learner.lms_user_id)
            if row.learner_id != learner.pk
        ]
        for row in asked:
            row.requested_by = None
        ExamAttempt.objects.bulk_update(asked, ["requested_by"])
        done["exam attempts of others that named the person"] = len(asked)
    return done
