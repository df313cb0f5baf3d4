"""The last of EVENT_HANDLERS in the fault tests: everything is written, nothing committed."""

import itertools
import os
import signal
from collections.abc import Iterator, Sequence
from typing import Final

from events.event import LearnerEvent

BUG: Final = "course-v1:Acme+BUG+2026"
DEADLY: Final = "course-v1:Acme+DEADLY+2026"
# Passes that are left; at 0 the process kills itself, inside the transaction.
_left: Iterator[int] = itertools.repeat(1)


def die_at(passes: int) -> None:
    global _left  # noqa: PLW0603 -- one life, one process
    _left = itertools.count(passes - 1, -1)


def trip(events: Sequence[LearnerEvent]) -> None:
    """Raises RuntimeError for events of one course, as a bug would; those of another end the
    process, as the system does when there is no memory left.
    """
    courses = {str(each.event.payload.course.course_key) for each in events}
    if next(_left) == 0 or DEADLY in courses:
        os.kill(os.getpid(), signal.SIGKILL)
    if BUG in courses:
        raise RuntimeError("a bug")
