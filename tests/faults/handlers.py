"""The last of EVENT_HANDLERS in the fault tests: everything is written, nothing committed."""

import itertools
import os
import signal
from collections.abc import Iterator, Sequence
from typing import Final

from events.event import LearnerEvent

BUG: Final = "course-v1:Acme+BUG+2026"
# Passes that are left; at 0 the process kills itself, inside the transaction.
_left: Iterator[int] = itertools.repeat(1)


def die_at(passes: int) -> None:
    global _left  # noqa: PLW0603 -- one life, one process
    _left = itertools.count(passes - 1, -1)


def trip(events: Sequence[LearnerEvent]) -> None:
    """Raises RuntimeError for events of one course, as a bug would."""
    if next(_left) == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    if any(str(each.event.payload.course.course_key) == BUG for each in events):
        raise RuntimeError("a bug")
