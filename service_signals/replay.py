"""Handlers that failed, run again on the same news."""

from collections.abc import Iterable
from datetime import datetime
from enum import Enum

import attrs
from django.db import transaction
from django.db.models import QuerySet

from service_signals.delivery import Handler, News, Outcome, run, traceback_of
from service_signals.models import HandlerFailure
from service_signals.signal import declared

State = HandlerFailure.State


class Verdict(Enum):
    """What came of replaying one failure."""

    REPLAYED = "replayed"
    FAILED = "failed again"
    RESOLVED_BEFORE = "was resolved before"
    IMPOSSIBLE = "cannot be replayed"


@attrs.frozen
class Replayed:
    """`why` it failed again or is impossible; no personal data."""

    verdict: Verdict
    why: str = ""


def replay(failure_id: int, *, now: datetime) -> Replayed:
    """Run the handler again; the failure is resolved in the same transaction, so that it succeeds
    once. Opens a transaction, locks the row.
    """
    with transaction.atomic():
        row = HandlerFailure.objects.select_for_update().filter(pk=failure_id).first()
        if row is None or row.state != State.OPEN:
            return Replayed(Verdict.RESOLVED_BEFORE)
        found = _again(row)
        if isinstance(found, str):
            return Replayed(Verdict.IMPOSSIBLE, found)
        handler, news = found
        (outcome,) = run(handler, [news])
        row.attempts += 1
        if outcome.error is None:
            row.state, row.resolved_at = State.REPLAYED, now
        else:
            row.error = traceback_of(outcome)
        row.save(update_fields=["attempts", "state", "resolved_at", "error"])
    return _told(outcome, row)


def dismiss(failures: QuerySet[HandlerFailure], *, now: datetime) -> int:
    """Nothing more is to be done about them; returns how many were open."""
    return failures.filter(state=State.OPEN).update(state=State.DISMISSED, resolved_at=now)


def _told(outcome: Outcome, row: HandlerFailure) -> Replayed:
    if outcome.error is None:
        return Replayed(Verdict.REPLAYED)
    return Replayed(Verdict.FAILED, last_line(row.error))


def last_line(text: str) -> str:
    """Of a traceback that is the error itself."""
    return text.strip().rpartition("\n")[2]


def _again(row: HandlerFailure) -> tuple[Handler, News] | str:
    """What to run, or why that is not possible."""
    signal = declared().get(row.signal)
    if signal is None:
        return f"There is no signal {row.signal} any more."
    handler = _by_path(signal.handlers, row.handler)
    if handler is None:
        return f"SERVICE_SIGNALS does not name {row.handler} for {row.signal} any more."
    if row.arguments is None:
        return "Its arguments were personal and were not kept: have the news sent again."
    try:
        arguments = signal.arguments.from_json(row.arguments)
    except (TypeError, ValueError) as error:
        return f"Its arguments do not fit any more: {error}."
    return handler, News(
        signal=signal.path,
        title=signal.title,
        declared=signal.arguments,
        sender=row.sender,
        arguments=arguments,
        correlation_id=row.correlation_id,
    )


def _by_path(handlers: Iterable[Handler], path: str) -> Handler | None:
    return next((each for each in handlers if each.path == path), None)
