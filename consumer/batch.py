"""One batch of messages: decoded, processed in one transaction, the bad ones kept aside."""

from collections.abc import Callable, Sequence
from datetime import datetime

import attrs
import structlog
from django.db import transaction

from credentials.database import DatabaseGoneError, with_retries
from events import inbox
from events.event import Event
from events.inbox import Failure
from events.pipeline import process_batch
from events.wire import Message, UndecodableError, decode, is_configured

log = structlog.get_logger(__name__)


@attrs.frozen
class Report:
    """What became of the messages of one batch."""

    accepted: int = 0
    ignored: int = 0
    duplicates: int = 0
    skipped: int = 0  # types that nobody configured
    failed: int = 0

    def __add__(self, other: "Report") -> "Report":
        return Report(
            *(
                getattr(self, field.name) + getattr(other, field.name)
                for field in attrs.fields(Report)
            )
        )


@attrs.frozen
class _Decoded:
    message: Message
    event: Event


def process(messages: Sequence[Message], *, clock: Callable[[], datetime]) -> Report:
    """When it returns, everything is committed: events with their effects, bad messages as failed
    rows of the inbox. Raises DatabaseGoneError; then nothing may be acknowledged.
    """
    decoded: list[_Decoded] = []
    failures: list[Failure] = []
    wanted = [message for message in messages if is_configured(message)]
    for message in wanted:
        try:
            decoded.append(_Decoded(message, decode(message)))
        except UndecodableError as error:
            failures.append(Failure(message=message, reason=str(error)))
    report = Report(skipped=len(messages) - len(wanted)) + _store(failures, clock=clock)
    return report + _process(decoded, clock=clock)


def _process(decoded: Sequence[_Decoded], *, clock: Callable[[], datetime]) -> Report:
    """Note [Split until the bad one is alone]: a batch that fails is halved until one event is
    left, and only that one is kept as failed; all others commit.
    """
    if not decoded:
        return Report()
    try:
        result = with_retries(lambda: process_batch([e.event for e in decoded], now=clock()))
    except DatabaseGoneError:
        raise
    except Exception as error:  # noqa: BLE001 -- any bug or bad value; see the note
        if len(decoded) > 1:
            middle = len(decoded) // 2
            first = _process(decoded[:middle], clock=clock)
            return first + _process(decoded[middle:], clock=clock)
        bad = decoded[0]
        log.warning("event failed", event_id=str(bad.event.id), error=repr(error))
        failure = Failure(message=bad.message, reason=inbox.describe(error))
        return _store([failure], clock=clock)
    return Report(accepted=result.accepted, ignored=result.ignored, duplicates=result.duplicates)


def _store(failures: Sequence[Failure], *, clock: Callable[[], datetime]) -> Report:
    if failures:
        with_retries(lambda: _keep(failures, now=clock()))
    return Report(failed=len(failures))


def _keep(failures: Sequence[Failure], *, now: datetime) -> None:
    with transaction.atomic():
        inbox.keep_failed(failures, now=now)
