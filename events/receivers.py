"""Events that do not come through our own consumer: sent in this process, or sent on by another
bus's consumer. A receiver on the signal of each configured type hands them to the same flow.

Note [An event of a transaction counts when that commits]
    Open edX code sends signals inside the transaction of a request. What is rolled back did not
    happen, and our locks must not be held until a request ends. The price, and what to do where
    it is too high: docs/decisions/0010-events-as-signals.md.
"""

from typing import Any, Final

import structlog
from django.db import connection, transaction
from django.utils import timezone
from edx_event_bus_redis.internal.message import RedisMessage
from openedx_events.data import EventsMetadata
from openedx_events.event_bus.avro.serializer import serialize_event_data_to_bytes
from openedx_events.tooling import OpenEdxPublicSignal

from credentials.database import DatabaseGoneError, with_retries
from events import arrivals, inbox
from events.event import FROM_SIGNAL
from events.inbox import Failure
from events.pipeline import process_batch
from events.registry import Subscription, subscriptions
from events.resending import is_resent
from events.wire import Message, make_event

log = structlog.get_logger(__name__)

_ID: Final = "laurel"


def connect() -> None:
    """Listen to the configured types. Again is no harm."""
    for subscription in subscriptions().values():
        subscription.signal.connect(receive, dispatch_uid=_ID)


def receive(*, signal: OpenEdxPublicSignal, metadata: EventsMetadata, **data: Any) -> None:
    """Process one event as a batch of one; in a transaction, once that is committed.

    An event that fails ends as a failed row of the inbox, the sender never hears of it. Raises
    DatabaseGoneError when it cannot even be kept, but not into a transaction that is committed.
    """
    if is_resent(metadata.id):
        return
    subscription = subscriptions()[signal.event_type]
    payload = data[subscription.argument]

    def take() -> None:
        _take(subscription, payload, metadata)

    if connection.in_atomic_block:
        # See Note [An event of a transaction counts when that commits].
        transaction.on_commit(take, robust=True)
    else:
        take()


def _take(subscription: Subscription, payload: Any, metadata: EventsMetadata) -> None:
    try:
        _process_or_keep(subscription, payload, metadata)
        arrivals.note([subscription.event_type], now=timezone.now())
    except DatabaseGoneError:
        log.error("event lost: no database", event_id=str(metadata.id))  # noqa: TRY400 -- raised
        raise


def _process_or_keep(subscription: Subscription, payload: Any, metadata: EventsMetadata) -> None:
    try:
        event = make_event(
            subscription,
            payload=payload,
            event_id=metadata.id,
            time=metadata.time,
            source=metadata.source,
            sourcehost=metadata.sourcehost,
            origin=FROM_SIGNAL,
        )
        with_retries(lambda: process_batch([event], now=timezone.now()))
    except DatabaseGoneError:
        raise
    except Exception as error:  # noqa: BLE001 -- any bug or bad value is kept with the event
        log.warning("event failed", event_id=str(metadata.id), error=repr(error))
        failure = _failure(subscription, payload, metadata, error=error)
        with_retries(lambda: _keep(failure))


def _keep(failure: Failure) -> None:
    with transaction.atomic():
        inbox.keep_failed([failure], now=timezone.now())


def _failure(
    subscription: Subscription, payload: Any, metadata: EventsMetadata, *, error: Exception
) -> Failure:
    """With the message as it would lie on the bus, so that it can be replayed. A payload that does
    not serialise is left out, and replaying says so.
    """
    reason = inbox.describe(error)
    try:
        data = serialize_event_data_to_bytes({subscription.argument: payload}, subscription.signal)
    except Exception as unserialisable:  # noqa: BLE001 -- fastavro raises anything
        reason += f"\nIt cannot be replayed, because it does not serialise: {unserialisable!r}"
        data = b""
    fields = RedisMessage(topic="", event_data=data, event_metadata=metadata).to_binary_dict()
    message = Message(origin=FROM_SIGNAL, fields=fields)
    return Failure(message=message, reason=reason, is_event=bool(data))
