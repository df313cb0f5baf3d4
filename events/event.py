"""The Event: one message of a public openedx-events signal.

Note [Tuples, where there are many]
    Every event makes these few values, and a frozen attrs object takes twice as long to make as a
    tuple with names: together a twentieth of the way from the stream to the commit.
"""

from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from credentials.learners import LearnerFacts

# The origin of an event that came as a signal: whoever listens to that signal knows it already.
FROM_SIGNAL: Final = "signal"


class Event(NamedTuple):
    """`payload` is the one attrs object of the signal (CoursePassingStatusData, ...). `learner`
    is None when the payload says of nobody usable whom it is about. `origin` is where it came
    from: `topic/entry id`, FROM_SIGNAL, or what called.
    """

    id: UUID
    type: str
    time: datetime  # aware, UTC
    source: str
    sourcehost: str
    payload: Any
    learner: LearnerFacts | None
    origin: str = ""


class LearnerEvent(NamedTuple):
    """An accepted event and the row of the learner it is about."""

    event: Event
    learner_id: int
    received_at: datetime
