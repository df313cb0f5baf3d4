"""One batch of events, in one transaction: inbox, learners, handlers."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache

import attrs
from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from credentials import learners
from events import claims, resending
from events.claims import Sifted
from events.event import Event, LearnerEvent

Handler = Callable[[Sequence[LearnerEvent]], None]


@attrs.frozen
class BatchResult:
    """What became of the events of one batch."""

    accepted: int = 0
    ignored: int = 0
    duplicates: int = 0


def process_batch(events: Sequence[Event], *, now: datetime) -> BatchResult:
    """Claim the events, find their learners, hand them to each of EVENT_HANDLERS.

    One transaction: all of it happens or nothing. An event is a duplicate when its id is in the
    inbox; its effects are there too, because they were committed with it.
    """
    try:
        return _process(events, sift=claims.suppose_new, now=now)
    except claims.SomeAreKnownError:  # see Note [Suppose that all are new]
        return _process(events, sift=claims.sift, now=now)


def _process(
    events: Sequence[Event], *, sift: Callable[[Sequence[Event]], Sifted], now: datetime
) -> BatchResult:
    with transaction.atomic():
        sifted = sift(events)
        people = [event.learner for event in sifted.fresh if event.learner is not None]
        found = iter(learners.upsert(people, now=now))
        learner_ids = [None if event.learner is None else next(found) for event in sifted.fresh]
        claimed = claims.claim(sifted, learner_ids=learner_ids, now=now)
        accepted = [
            LearnerEvent(event, learner_id, now)
            for event, learner_id in zip(sifted.fresh, learner_ids, strict=True)
            if learner_id is not None and (claimed is None or event.id in claimed)
        ]
        if accepted:
            for handler in handlers():
                handler(accepted)
            resending.after_commit(accepted)
    lost = 0 if claimed is None else len(sifted.fresh) - len(claimed)
    return BatchResult(
        accepted=len(accepted),
        ignored=learner_ids.count(None),
        duplicates=sifted.duplicates + lost,
    )


@cache
def handlers() -> tuple[Handler, ...]:
    return tuple(import_string(path) for path in settings.EVENT_HANDLERS)
