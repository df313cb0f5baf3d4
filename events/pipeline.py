"""One batch of events, in one transaction: inbox, learners, handlers."""

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache, partial

import attrs
import structlog
from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from credentials import learners
from credentials.models import DefinitionsVersion
from events import claims, resending
from events.claims import Sifted
from events.event import Event, LearnerEvent
from events.timing import timed

log = structlog.get_logger(__name__)

Handler = Callable[[Sequence[LearnerEvent]], None]


@attrs.frozen
class BatchResult:
    """What became of the events of one batch."""

    accepted: int = 0
    ignored: int = 0
    duplicates: int = 0
    # The same by type and outcome ("accepted", "ignored", "duplicate"), for the metrics.
    outcomes: Mapping[tuple[str, str], int] = attrs.field(factory=dict, eq=False, repr=False)


def process_batch(events: Sequence[Event], *, now: datetime) -> BatchResult:
    """Claim the events, find their learners, hand them to each of EVENT_HANDLERS.

    One transaction: all of it happens or nothing. An event is a duplicate when its id is in the
    inbox; its effects are there too, because they were committed with it.
    """
    try:
        return _process(events, sift=claims.suppose_new, now=now)
    # See Note [Suppose that all are new].
    except (claims.SomeAreKnownError, learners.SomeAreThereError):
        return _process(events, sift=claims.sift, now=now)


def _process(
    events: Sequence[Event], *, sift: Callable[[Sequence[Event]], Sifted], now: datetime
) -> BatchResult:
    with timed("commit") as committing, transaction.atomic():
        DefinitionsVersion.lock_for_reading()  # before all other locks: see its note
        sifted = sift(events)
        people = [event.learner for event in sifted.fresh if event.learner is not None]
        with timed("learners"):
            found = iter(learners.upsert(people, now=now, suppose_new=sifted.is_supposed))
        learner_ids = [None if event.learner is None else next(found) for event in sifted.fresh]
        with timed("inbox"):
            claimed = claims.claim(sifted, learner_ids=learner_ids, now=now)
        accepted = [
            LearnerEvent(event, learner_id, now)
            for event, learner_id in zip(sifted.fresh, learner_ids, strict=True)
            if learner_id is not None and (claimed is None or event.id in claimed)
        ]
        if accepted:
            transaction.on_commit(partial(_log, accepted))  # before what they lead to
            for path, handler in handlers():
                with timed(path):
                    handler(accepted)
            resending.after_commit(accepted)
        committing.restart()
    lost = 0 if claimed is None else len(sifted.fresh) - len(claimed)
    return BatchResult(
        accepted=len(accepted),
        ignored=learner_ids.count(None),
        duplicates=sifted.duplicates + lost,
        outcomes=_outcomes(events, accepted=accepted, fresh=sifted.fresh),
    )


def _outcomes(
    events: Sequence[Event], *, accepted: Sequence[LearnerEvent], fresh: Sequence[Event]
) -> dict[tuple[str, str], int]:
    total = Counter(event.type for event in events)
    done = Counter(each.event.type for each in accepted)
    idle = Counter(event.type for event in fresh if event.learner is None)
    found = {(event_type, "accepted"): count for event_type, count in done.items()}
    found |= {(event_type, "ignored"): count for event_type, count in idle.items()}
    again = total - done - idle
    return found | {(event_type, "duplicate"): count for event_type, count in again.items()}


def _log(accepted: Sequence[LearnerEvent]) -> None:
    if log.isEnabledFor(logging.DEBUG):
        for each in accepted:
            log.debug("event accepted", type=each.event.type, correlation_id=str(each.event.id))


@cache
def handlers() -> tuple[tuple[str, Handler], ...]:
    """Path and function of each."""
    return tuple((path, import_string(path)) for path in settings.EVENT_HANDLERS)
