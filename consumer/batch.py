"""One batch of messages: decoded, processed in one transaction, the bad ones kept aside."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime

import attrs
import structlog
from django.db import transaction

from consumer.tally import OTHER, Report
from credentials.database import DatabaseGoneError, with_retries
from events import inbox
from events.event import Event
from events.inbox import Failure
from events.pipeline import process_batch
from events.registry import subscriptions
from events.timing import timed
from events.wire import Message, UndecodableError, decode, is_configured

log = structlog.get_logger(__name__)


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
    with timed("decode"):
        wanted = [message for message in messages if is_configured(message)]
        for message in wanted:
            try:
                decoded.append(_Decoded(message, decode(message)))
            except UndecodableError as error:
                failures.append(Failure(message=message, reason=str(error)))
    skipped = len(messages) - len(wanted)
    report = Report({(OTHER, "skipped"): skipped} if skipped else {})
    report += _store(failures, clock=clock)
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
        log.warning("event failed", correlation_id=str(bad.event.id), error=repr(error))
        failure = Failure(message=bad.message, reason=inbox.describe(error))
        return _store([failure], clock=clock)
    return Report(result.outcomes)


def _store(failures: Sequence[Failure], *, clock: Callable[[], datetime]) -> Report:
    if failures:
        with_retries(lambda: _keep(failures, now=clock()))
    types = Counter(_label(failure.message.event_type) for failure in failures)
    return Report({(event_type, "failed"): count for event_type, count in types.items()})


def _label(event_type: str) -> str:
    return event_type if event_type in subscriptions() else OTHER


def _keep(failures: Sequence[Failure], *, now: datetime) -> None:
    with transaction.atomic():
        inbox.keep_failed(failures, now=now)
