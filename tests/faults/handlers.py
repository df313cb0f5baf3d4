"""The last of EVENT_HANDLERS in the fault tests: everything is written, nothing committed."""

import itertools
import os
import signal
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Final

from events.event import LearnerEvent

BUG: Final = "course-v1:Acme+BUG+2026"
DEADLY: Final = "course-v1:Acme+DEADLY+2026"
DIES_IN: Final = "FAULTS_DIES_IN"  # which transaction, from 1; without it, in none


@cache
def _left() -> Iterator[int]:
    """Transactions before the one in which the process kills itself, counted down."""
    return itertools.count(int(os.environ.get(DIES_IN, "0")) - 1, -1)


def trip(events: Sequence[LearnerEvent]) -> None:
    """Raises RuntimeError for events of one course, as a bug would; those of another end the
    process, as the system does when there is no memory left.
    """
    courses = {str(each.event.payload.course.course_key) for each in events}
    if next(_left()) == 0 or DEADLY in courses:
        os.kill(os.getpid(), signal.SIGKILL)
    if BUG in courses:
        raise RuntimeError("a bug")
