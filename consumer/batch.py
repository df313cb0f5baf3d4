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
class Decoded:
    """What was in the messages of a batch. `events` run along `messages`."""

    messages: Sequence[Message] = ()
    events: Sequence[Event] = ()
    failures: Sequence[Failure] = ()
    skipped: int = 0  # of types that nobody configured
    suspects: Sequence[Message] = ()  # see Note [What ends the process]; not decoded

    def part(self, start: int, end: int | None) -> "Decoded":
        """Some of the events, without what is counted once."""
        return Decoded(self.messages[start:end], self.events[start:end])


def decode_all(messages: Sequence[Message]) -> Decoded:
    """No statement."""
    wanted = [message for message in messages if is_configured(message)]
    skipped = len(messages) - len(wanted)
    most = settings.EVENT_MAX_DELIVERIES
    suspects = [each for each in wanted if each.deliveries > most]
    if suspects:
        wanted = [each for each in wanted if each.deliveries <= most]
    return attrs.evolve(_decode(wanted), skipped=skipped, suspects=suspects)


def _decode(messages: Sequence[Message]) -> Decoded:
    sound: list[Message] = []
    events: list[Event] = []
    failures: list[Failure] = []
    with timed("decode"):
        for message in messages:
            try:
                events.append(decode(message))
            except UndecodableError as error:
                failures.append(Failure(message=message, reason=str(error)))
            else:
                sound.append(message)
    return Decoded(sound, events, failures)


def process(decoded: Decoded, *, clock: Callable[[], datetime]) -> Report:
    """When it returns, everything is committed: events with their effects, bad messages as failed
    rows of the inbox. Raises DatabaseGoneError; then nothing may be acknowledged.

    Note [What ends the process]
        A message that makes the process end (no memory left, a fault in a library) comes again and
        again, and takes its batch with it. So what was handed out too often comes last and alone,
        and is recorded before it is tried. Whoever finds that record has outlived such an end, and
        leaves the message to events.replay, which tries it ever more rarely and gives up.
    """
    skipped = decoded.skipped
    report = Report({(OTHER, "skipped"): skipped} if skipped else {})
    report += _together(decoded, clock=clock)
    for each in decoded.suspects:
        report += _alone(each, clock=clock)
    return report


def _together(decoded: Decoded, *, clock: Callable[[], datetime]) -> Report:
    return _store(decoded.failures, clock=clock) + _process(decoded, clock=clock)


def _alone(message: Message, *, clock: Callable[[], datetime]) -> Report:
    """See Note [What ends the process]."""
    if with_retries(partial(inbox.begin, message, now=clock())):
        return _together(_decode([message]), clock=clock)
    log.warning("left to be replayed: it ended the process", correlation_id=str(message.event_id))
    return Report({(_label(message.event_type), "failed"): 1})


def _process(decoded: Decoded, *, clock: Callable[[], datetime]) -> Report:
    """Note [Split until the bad one is alone]: a batch that fails is halved until one event is
    left, and only that one is kept as failed; all others commit.
    """
    if not decoded.events:
        return Report()
    try:
        result = with_retries(lambda: process_batch(decoded.events, now=clock()))
    except DatabaseGoneError:
        raise
    except Exception as error:  # noqa: BLE001 -- any bug or bad value; see the note
        if len(decoded.events) > 1:
            middle = len(decoded.events) // 2
            first = _process(decoded.part(0, middle), clock=clock)
            return first + _process(decoded.part(middle, None), clock=clock)
        (event,), (message,) = decoded.events, decoded.messages
        log.warning("event failed", correlation_id=str(event.id), error=repr(error))
        failure = Failure(message=message, reason=inbox.describe(error), is_event=True)
        return _store([failure], clock=clock)
    return Report(result.outcomes)


def _store(failures: Sequence[Failure], *, clock: Callable[[], datetime]) -> Report:
    if not failures:
        return Report()
    kept = _by_type(with_retries(lambda: _keep(failures, now=clock())))
    again = _by_type(failures) - kept
    counts = {(event_type, "failed"): count for event_type, count in kept.items()}
    return Report(
        counts | {(event_type, "duplicate"): count for event_type, count in again.items()}
    )


def _by_type(failures: Sequence[Failure]) -> Counter[str]:
    return Counter(_label(failure.message.event_type) for failure in failures)


def _label(event_type: str) -> str:
    return event_type if event_type in subscriptions() else OTHER


def _keep(failures: Sequence[Failure], *, now: datetime) -> list[Failure]:
    with transaction.atomic():
        return inbox.keep_failed(failures, now=now)
