"""Claiming the events of a batch: each is ours to process exactly once.

Note [Suppose that all are new]
    Nearly every batch holds nothing that was received before, and the insert finds out by itself:
    the event id is unique. So nobody looks first. When the insert is refused, the transaction is
    rolled back and the batch comes again, and then the inbox is looked into. Likewise for people
    who were just not found: only when another consumer adds one of them at the same moment, or
    somebody retired was known under the same identity, is each row looked at.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

import attrs
from django.db import IntegrityError
from django.db.models import Case, F, Value, When

from credentials import bulk
from credentials.database import in_chunks
from events.builders import archiver
from events.event import Event
from events.inbox import UNDONE
from events.models import InboxEvent
from events.registry import subscriptions

State = InboxEvent.State
NO_LEARNER: Final = "The payload names no learner: no user, or neither an id nor a username."
_TEXT: Final = 255


class SomeAreKnownError(Exception):
    """Not all events of the batch are new. Roll back, and look: `sift(events)`."""


@attrs.frozen
class Sifted:
    """The events of a batch, each once, without those that are in the inbox already."""

    fresh: tuple[Event, ...]
    copies: Mapping[UUID, int]  # deliveries in this batch, where there are more than one
    duplicates: int = 0  # deliveries left out
    failed: frozenset[UUID] = frozenset()  # fresh events of which a failed row exists
    is_supposed: bool = False  # nobody has looked; see the note


def suppose_new(events: Sequence[Event]) -> Sifted:
    """Each event once. No statement."""
    fresh: dict[UUID, Event] = {}
    for event in events:
        fresh.setdefault(event.id, event)
    copies: Mapping[UUID, int] = {}
    if len(fresh) < len(events):
        copies = Counter(event.id for event in events)
    return Sifted(
        fresh=tuple(fresh.values()),
        copies=copies,
        duplicates=len(events) - len(fresh),
        is_supposed=True,
    )


def sift(events: Sequence[Event]) -> Sifted:
    """Drop what was received before. A row that failed is no obstacle: another copy of its event
    may be sound.

    Requires a transaction. Two statements, the second only when there are duplicates.
    """
    supposed = suppose_new(events)
    states: dict[UUID, str] = {}
    for chunk in in_chunks([event.id for event in supposed.fresh]):
        found = InboxEvent.objects.filter(event_id__in=chunk)
        states.update(found.values_list("event_id", "state"))
    failed = {key for key, state in states.items() if state in UNDONE}
    known = set(states) - failed
    fresh = tuple(event for event in supposed.fresh if event.id not in known)
    _count_duplicates({key: supposed.copies.get(key, 1) for key in known})
    return Sifted(
        fresh=fresh,
        copies=supposed.copies,
        duplicates=len(events) - len(fresh),
        failed=frozenset(event.id for event in fresh if event.id in failed),
    )


def claim(
    sifted: Sifted, *, learner_ids: Sequence[int | None], now: datetime
) -> frozenset[UUID] | None:
    """Insert one row per event; returns the ids of those that are ours to process, or None: all.

    `learner_ids` runs along the fresh events; None means ignored. Another consumer may insert the
    same event meanwhile: its row wins, ours is skipped, and the column `claim` says which is
    which. The failed rows may have been replaced meanwhile too: only what still is a failed row is
    removed. Requires a transaction. One statement, three when the inbox was looked into.

    Raises SomeAreKnownError for events that were only supposed to be new.
    """
    columns = _columns(sifted, learner_ids=learner_ids, now=now)
    number = len(sifted.fresh)
    if sifted.is_supposed:
        try:
            bulk.insert_columns(InboxEvent, columns, number=number)
        except IntegrityError as error:
            raise SomeAreKnownError from error
        return None
    for chunk in in_chunks(list(sifted.failed)):
        InboxEvent.objects.filter(event_id__in=chunk, state__in=UNDONE).delete()
    ours = uuid4()
    columns["claim"] = bulk.Same(ours)
    bulk.insert_columns(InboxEvent, columns, number=number, but_known=True)
    claimed: set[UUID] = set()
    for chunk in in_chunks([event.id for event in sifted.fresh]):
        found = InboxEvent.objects.filter(event_id__in=chunk, claim=ours)
        claimed.update(found.values_list("event_id", flat=True))
    return frozenset(claimed)


def _columns(
    sifted: Sifted, *, learner_ids: Sequence[int | None], now: datetime
) -> dict[str, Sequence[Any] | bulk.Same]:
    """Of the rows to insert; by column, because there are many. What all rows have is left to the
    database.
    """
    events, copies = sifted.fresh, sifted.copies
    archivers = {
        event_type: archiver(subscriptions()[event_type].payload_type)
        for event_type in {event.type for event in events}
    }
    accepted, ignored = State.ACCEPTED.value, State.IGNORED.value
    columns: dict[str, Sequence[Any] | bulk.Same] = {
        "event_id": [event.id for event in events],
        "origin": [event.origin[:_TEXT] for event in events],
        "event_type": [event.type for event in events],
        "event_time": [event.time for event in events],
        "source": [event.source[:_TEXT] for event in events],
        "sourcehost": [event.sourcehost[:_TEXT] for event in events],
        "learner_id": learner_ids,
        "state": [ignored if each is None else accepted for each in learner_ids],
        "payload": [archivers[event.type](event.payload) for event in events],
        "received_at": bulk.Same(now),
    }
    if None in learner_ids:
        columns["reason"] = [NO_LEARNER if each is None else "" for each in learner_ids]
    if copies:
        columns["duplicates"] = [copies[event.id] - 1 for event in events]
    return columns


def _count_duplicates(dropped: dict[UUID, int]) -> None:
    if not dropped:
        return
    by_count: dict[int, list[UUID]] = {}
    for event_id, count in dropped.items():
        by_count.setdefault(count, []).append(event_id)
    whens = [When(event_id__in=ids, then=Value(count)) for count, ids in by_count.items()]
    InboxEvent.objects.filter(event_id__in=list(dropped)).update(
        duplicates=F("duplicates") + Case(*whens, default=Value(0))
    )
