"""What is erased of a person who leaves."""

from datetime import datetime

from credentials.models import Learner
from verified_names.models import NameFact, VerifiedName, VerifiedNameConfig


def erase(learner: Learner, *, now: datetime) -> dict[str, int]:  # noqa: ARG001 -- see LEARNER_ERASERS
    """Requires a transaction."""
    return {
        "verified names deleted": VerifiedName.objects.filter(learner=learner).delete()[0],
        "lines of the names' history deleted": NameFact.objects.filter(learner=learner).delete()[0],
        "choices of name deleted": VerifiedNameConfig.objects.filter(learner=learner).delete()[0],
    }
