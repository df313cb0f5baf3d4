"""News of the badges app. `template_id` and `learner_id` are the keys of the rows; `event_id` is
the event that did it, None when it was an edit of the rules; `at` is the time of that event.
"""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from service_signals import ServiceSignal

_PROGRESS: Final[dict[str, Any]] = {
    "learner_id": int,
    "template_id": int,
    "event_id": UUID | None,
    "at": datetime,
}

# `requirement` is its id within the template.
requirement_fulfilled = ServiceSignal(
    "requirement_fulfilled", provides={**_PROGRESS, "requirement": str}
)
requirement_regressed = ServiceSignal(
    "requirement_regressed", provides={**_PROGRESS, "requirement": str}
)
progress_completed = ServiceSignal("progress_completed", provides=_PROGRESS)
progress_regressed = ServiceSignal("progress_regressed", provides=_PROGRESS)
