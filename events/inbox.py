"""The inbox: keeping what failed, and counting what was received. Claiming is in events.claims."""

import traceback
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import uuid4

import attrs
from django.conf import settings
from django.db.models import Q, Sum, Value

from credentials.retry import backoff
from events.models import InboxEvent
from events.wire import Message

State = InboxEvent.State
_TEXT = 255
_REASON = 8_000
UNDONE = (State.FAILED, State.DEAD)


@attrs.frozen
class Failure:
    """A message that could not be decoded or processed."""

    message: Message
    reason: str


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
        if row.state in UNDONE:
            _charge(row, reason=failure.reason, now=now)


def _charge(row: InboxEvent, *, reason: str, now: datetime) -> None:
    row.attempts += 1
    row.reason = reason.replace("\x00", "")[:_REASON]
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
