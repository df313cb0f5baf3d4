"""One batch of messages: decoded, processed in one transaction, the bad ones kept aside."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

import attrs
import structlog
from django.conf import settings
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

    Note [What ends the process]
        A message that makes the process end (no memory left, a fault in a library) comes again and
        again, and takes its batch with it. So what was handed out too often comes last and alone,
        and is recorded before it is tried. Whoever finds that record has outlived such an end, and
        leaves the message to events.replay, which tries it ever more rarely and gives up.
    """
    suspects = [each for each in messages if each.deliveries > settings.EVENT_MAX_DELIVERIES]
    if not suspects:
        return _together(messages, clock=clock)
    others = [each for each in messages if each.deliveries <= settings.EVENT_MAX_DELIVERIES]
    report = _together(others, clock=clock)
    for each in suspects:
        report += _alone(each, clock=clock)
    return report


def _alone(message: Message, *, clock: Callable[[], datetime]) -> Report:
    """See Note [What ends the process]."""
    if not is_configured(message) or with_retries(partial(inbox.begin, message, now=clock())):
        return _together([message], clock=clock)
    log.warning("left to be replayed: it ended the process", correlation_id=str(message.event_id))
    return Report({(_label(message.event_type), "failed"): 1})


def _together(messages: Sequence[Message], *, clock: Callable[[], datetime]) -> Report:
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
