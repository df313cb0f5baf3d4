"""The inbox: claiming events exactly once, keeping what failed, archiving what was accepted."""

import traceback
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import attrs
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Case, F, Q, Sum, Value, When

from credentials import bulk
from credentials.database import in_chunks
from credentials.retry import backoff
from events.builders import archiver
from events.event import Event
from events.models import InboxEvent
from events.registry import subscriptions
from events.wire import Message

State = InboxEvent.State
NO_LEARNER = "The payload names no learner: no user, or neither an id nor a username."
_TEXT = 255
_UNDONE = (State.FAILED, State.DEAD)


@attrs.frozen
class Sifted:
    """A batch without the events that are in the inbox already."""

    fresh: tuple[Event, ...]
    duplicates: int
    failed: frozenset[UUID]  # fresh events of which a failed row exists


@attrs.frozen
class Failure:
    """A message that could not be decoded or processed."""

    message: Message
    reason: str


def sift(events: Sequence[Event]) -> Sifted:
    """Drop what was received before, and all but the first of equal events in the batch. A row
    that failed is no obstacle: another copy of its event may be sound.

    Requires a transaction. Two statements, the second only when there are duplicates.
    """
    copies = Counter(event.id for event in events)
    states: dict[UUID | None, str] = {}
    for chunk in in_chunks(list(copies)):
        found = InboxEvent.objects.filter(event_id__in=chunk)
        states.update(found.values_list("event_id", "state"))
    failed = {key for key, state in states.items() if state in _UNDONE}
    known = set(states) - failed
    fresh: dict[UUID, Event] = {}
    for event in events:
        if event.id not in known:
            fresh.setdefault(event.id, event)
    _count_duplicates({key: count for key, count in copies.items() if key in known})
    return Sifted(
        fresh=tuple(fresh.values()),
        duplicates=len(events) - len(fresh),
        failed=frozenset(fresh) & failed,
    )


def claim(
    sifted: Sifted,
    *,
    learner_ids: Sequence[int | None],
    copies: Mapping[UUID, int],
    now: datetime,
) -> frozenset[UUID]:
    """Insert one row per event and return the ids of those that are ours to process.

    `learner_ids` runs along the fresh events; None means ignored. `copies` counts deliveries in the
    batch. Another consumer may insert the same event meanwhile: its row wins, ours is skipped,
    and the column `claim` says which is which. The failed rows may have been replaced meanwhile
    too: only what still is a failed row is removed. Requires a transaction. Two statements, three
    when a failed row is replaced.
    """
    ours = uuid4()
    for chunk in in_chunks(list(sifted.failed)):
        InboxEvent.objects.filter(event_id__in=chunk, state__in=_UNDONE).delete()
    rows = [
        _row(event, learner_id=learner_id, duplicates=copies[event.id] - 1, now=now, ours=ours)
        for event, learner_id in zip(sifted.fresh, learner_ids, strict=True)
    ]
    ids = [event.id for event in sifted.fresh]
    try:
        with transaction.atomic():
            bulk.insert(InboxEvent, _COLUMNS, rows)
    except IntegrityError:
        bulk.insert_missing(InboxEvent, _COLUMNS, rows)
        return _claimed(ids, ours=ours)
    return frozenset(ids)


def _claimed(ids: Sequence[UUID], *, ours: UUID) -> frozenset[UUID]:
    """Those of `ids` whose row is ours."""
    claimed: set[UUID | None] = set()
    for chunk in in_chunks(ids):
        rows = InboxEvent.objects.filter(event_id__in=chunk, claim=ours)
        claimed.update(rows.values_list("event_id", flat=True))
    return frozenset(event_id for event_id in claimed if event_id is not None)


_COLUMNS: Final = (
    "event_id",
    "origin",
    "event_type",
    "event_time",
    "source",
    "sourcehost",
    "learner_id",
    "state",
    "reason",
    "payload",
    "duplicates",
    "received_at",
    "claim",
    "attempts",
)


def _row(
    event: Event, *, learner_id: int | None, duplicates: int, now: datetime, ours: UUID
) -> tuple[Any, ...]:
    """Along _COLUMNS."""
    ignored = learner_id is None
    return (
        event.id,
        event.origin[:_TEXT],
        event.type,
        event.time,
        event.source[:_TEXT],
        event.sourcehost[:_TEXT],
        learner_id,
        State.IGNORED if ignored else State.ACCEPTED,
        NO_LEARNER if ignored else "",
        archiver(subscriptions()[event.type].payload_type)(event.payload),
        duplicates,
        now,
        ours,
        0,
    )


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


def keep_failed(failures: Iterable[Failure], *, now: datetime) -> None:
    """Store messages that could not be decoded or processed, and when to try them again.

    A message whose event was accepted meanwhile is left alone. Requires a transaction.
    """
    for failure in failures:
        message = failure.message
        event_id = message.event_id
        identity = (
            {"sole_origin": message.origin[:_TEXT]} if event_id is None else {"event_id": event_id}
        )
        # Locked: another consumer may be about to replace it by an accepted one.
        row, _ = InboxEvent.objects.select_for_update().get_or_create(
            **identity,
            defaults={
                "origin": message.origin[:_TEXT],
                "event_type": message.event_type.replace("\x00", "")[:_TEXT],
                "state": State.FAILED,
                "raw": message.to_bytes(),
                "received_at": now,
                "claim": uuid4(),
            },
        )
        if row.state in _UNDONE:
            _charge(row, reason=failure.reason, now=now)


def _charge(row: InboxEvent, *, reason: str, now: datetime) -> None:
    row.attempts += 1
    row.reason = reason.replace("\x00", "")
    if row.attempts >= settings.EVENT_MAX_ATTEMPTS:
        row.state = State.DEAD
        row.next_attempt_at = None
    else:
        row.state = State.FAILED
        row.next_attempt_at = now + backoff(
            row.attempts, first=timedelta(seconds=30), longest=timedelta(hours=6)
        )
    row.save(update_fields=["attempts", "reason", "state", "next_attempt_at"])


def describe(error: BaseException) -> str:
    """The reason kept with a failed message: the error and where it was raised."""
    return "".join(traceback.format_exception(error))[-8_000:]


def summary() -> dict[str, int]:
    """Counts by state, and `duplicate`: how many further deliveries were dropped."""
    counts = dict.fromkeys((State.ACCEPTED, State.IGNORED, State.FAILED, State.DEAD), 0)
    duplicates = 0
    rows = InboxEvent.objects.order_by().values("state")
    for row in rows.annotate(count=Sum(Value(1)), dropped=Sum("duplicates")):
        counts[State(row["state"])] = row["count"]
        duplicates += row["dropped"]
    return {
        "accepted": counts[State.ACCEPTED],
        "ignored": counts[State.IGNORED],
        "duplicate": duplicates,
        "failed": counts[State.FAILED],
        "dead": counts[State.DEAD],
    }


def due(now: datetime) -> Q:
    """Failed rows whose next try has come."""
    return Q(state=State.FAILED, next_attempt_at__lte=now)
