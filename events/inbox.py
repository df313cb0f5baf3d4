"""The inbox: keeping what failed, and counting what was received. Claiming is in events.claims."""

import traceback
from collections.abc import Iterable
from datetime import datetime, timedelta

import attrs
from django.conf import settings
from django.db import transaction
from django.db.models import Q, Sum, Value

from credentials.database import storable
from credentials.identity import derived
from credentials.retry import backoff
from events.models import InboxEvent
from events.wire import Message

State = InboxEvent.State
_TEXT = 255
_REASON = 8_000
_RAW = 8 * 1024 * 1024  # half of what MySQL takes in one statement
UNDONE = (State.FAILED, State.DEAD)
# Written before a try, and replaced by what came of it.
ENDED = (
    "The process that worked on it ended in the middle: killed from outside, or by this message "
    "(no memory left, a fault in a library)."
)


@attrs.frozen
class Failure:
    """A message that could not be decoded or processed. `is_event`: it could be decoded."""

    message: Message
    reason: str
    is_event: bool = False


def keep_failed(failures: Iterable[Failure], *, now: datetime) -> list[Failure]:
    """Store messages that could not be decoded or processed, and when to try them again. Returns
    which were stored: one whose event was received soundly is a duplicate. Requires a transaction.
    """
    kept = []
    for failure in failures:
        row = _row_of(failure.message, now=now)
        if row.state in UNDONE:
            if failure.is_event:
                _prefer(failure.message, row)
            charge(row, reason=failure.reason, now=now)
            kept.append(failure)
        else:
            row.duplicates += 1
            row.save(update_fields=["duplicates"])
    return kept


def begin(message: Message, *, now: datetime) -> bool:
    """Record a message, as failed, before it is tried. False: the try before this one got no
    further than this record, so it ended the process; the message is kept. Opens a transaction.
    """
    with transaction.atomic():
        row = _row_of(message, now=now)
        if row.state not in UNDONE:
            return True  # a duplicate
        if row.reason == ENDED:
            return False
        charge(row, reason=ENDED, now=now)
    return True


def _row_of(message: Message, *, now: datetime) -> InboxEvent:
    """The row of a message, locked; a new one says that it failed."""
    raw = message.to_bytes()
    # Locked: another consumer may be about to replace it by an accepted one.
    row, _ = InboxEvent.objects.select_for_update().get_or_create(
        event_id=message.event_id or derived("message", message.origin),
        defaults={
            "origin": message.origin[:_TEXT],
            "event_type": message.event_type.replace("\x00", "")[:_TEXT],
            "state": State.FAILED,
            "raw": raw if len(raw) <= _RAW else None,
            "received_at": now,
        },
    )
    return row


def _prefer(message: Message, row: InboxEvent) -> None:
    """Try this copy again, not the one of the row: that may be one that does not decode."""
    raw = message.to_bytes()
    if row.raw is None or bytes(row.raw) != raw:
        row.raw, row.origin = raw, message.origin[:_TEXT]
        row.save(update_fields=["raw", "origin"])


def charge(row: InboxEvent, *, reason: str, now: datetime) -> None:
    """One more attempt: when the next one is, or that there is none. Requires a transaction."""
    row.attempts += 1
    row.reason = storable(reason, length=_REASON)
    if row.attempts >= settings.EVENT_MAX_ATTEMPTS or row.raw is None:
        row.state = State.DEAD
        row.next_attempt_at = None
    else:
        row.state = State.FAILED
        row.next_attempt_at = now + backoff(
            row.attempts, first=timedelta(seconds=30), longest=timedelta(hours=6)
        )
    row.save(update_fields=["attempts", "reason", "state", "next_attempt_at"])


def explain(row: InboxEvent, reason: str) -> None:
    """What came of the attempt that was charged before it was made."""
    row.reason = storable(reason, length=_REASON)
    row.save(update_fields=["reason"])


def describe(error: BaseException) -> str:
    """The reason kept with a failed message: the error and where it was raised."""
    return "".join(traceback.format_exception(error))[-_REASON:]


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
