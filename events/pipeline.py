"""One batch of events, in one transaction: inbox, learners, handlers."""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache, partial

import attrs
import structlog
from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from credentials import learners
from events import inbox
from events.event import Event, LearnerEvent

log = structlog.get_logger(__name__)

Handler = Callable[[Sequence[LearnerEvent]], None]


@attrs.frozen
class BatchResult:
    """What became of the events of one batch."""

    accepted: int = 0
    ignored: int = 0
    duplicates: int = 0


def process_batch(events: Sequence[Event], *, now: datetime) -> BatchResult:
    """Claim the events, find their learners, hand them to each of EVENT_HANDLERS.

    Opens one transaction: all of it happens or nothing. An event is a duplicate when its id is in
    the inbox; its effects are there too, because they were committed with it.
    """
    with transaction.atomic():
        sifted = inbox.sift(events)
        people = [event.learner for event in sifted.fresh if event.learner is not None]
        found = iter(learners.upsert(people))
        learner_ids = [None if event.learner is None else next(found) for event in sifted.fresh]
        claimed = inbox.claim(
            sifted,
            learner_ids=learner_ids,
            copies=Counter(event.id for event in events),
            now=now,
        )
        accepted = [
            LearnerEvent(event, learner_id, now)
            for event, learner_id in zip(sifted.fresh, learner_ids, strict=True)
            if learner_id is not None and event.id in claimed
        ]
        if accepted:
            transaction.on_commit(partial(_log, accepted))  # before what they lead to
            for handler in handlers():
                handler(accepted)
    return BatchResult(
        accepted=len(accepted),
        ignored=learner_ids.count(None),
        duplicates=sifted.duplicates + len(sifted.fresh) - len(claimed),
    )


def _log(accepted: Sequence[LearnerEvent]) -> None:
    if log.isEnabledFor(logging.DEBUG):
        for each in accepted:
            log.debug("event accepted", type=each.event.type, correlation_id=str(each.event.id))


@cache
def handlers() -> tuple[Handler, ...]:
    return tuple(import_string(path) for path in settings.EVENT_HANDLERS)
