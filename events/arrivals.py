"""Of which types any event ever arrived: a rule that waits for another may wait in vain, for the
platform sends none of it, or sends it where nobody reads.

The inbox could tell, but only by a walk through all of it: it has no index by type, which would
cost every event.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Final

import structlog
from django.db import DatabaseError

from events import eligibility
from events.models import EventArrival

log = structlog.get_logger(__name__)

_noted: Final[set[str]] = set()  # by this process


def note(types: Iterable[str], *, now: datetime) -> None:
    """Whatever became of the events. One statement for a type that this process never saw before,
    else none; beside the transactions of the events, and raises nothing.
    """
    new = sorted(set(types) - _noted)
    if not new:
        return
    rows = [EventArrival(event_type=each, first_at=now) for each in new]
    try:
        EventArrival.objects.bulk_create(rows, ignore_conflicts=True)
    except DatabaseError as error:
        log.warning("arrivals not noted", error=repr(error))
    else:
        _noted.update(new)


def never_arrived(types: Collection[str]) -> list[str]:
    """Those of `types` of which no event ever arrived. What our own schedules ask is none of them:
    nobody sends it. One statement.
    """
    arrived = EventArrival.objects.filter(event_type__in=types)
    known = {eligibility.EVENT_TYPE, *arrived.values_list("event_type", flat=True)}
    return sorted(set(types) - known)


def forget() -> None:
    """Know as little as a new process."""
    _noted.clear()
