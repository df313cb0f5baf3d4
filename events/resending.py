"""Events of the bus, sent on to the receivers that other apps connected to the public signals.

Note [Receivers are called at most once]
    They are called after the commit, because what they do must not be undone with a batch that is
    tried again, and a slow one must not hold locks. So a crash between the commit and the call
    loses the call: the event is a duplicate when it is delivered again. Who must not miss an event
    is named in EVENT_HANDLERS, which are part of the transaction.
"""

import traceback
from collections.abc import Sequence
from contextvars import ContextVar
from functools import partial
from typing import Any, Final
from uuid import UUID

import structlog
from django.db import Error, transaction
from openedx_events.data import EventsMetadata
from openedx_events.tooling import prepare_for_new_work_cycle

from events.event import FROM_SIGNAL, Event, LearnerEvent
from events.models import InboxEvent
from events.registry import Subscription, subscriptions

log = structlog.get_logger(__name__)

# The event that is being sent on. Not a flag: a receiver may send an event of its own meanwhile.
_resent: ContextVar[UUID | None] = ContextVar("resent", default=None)
_OURS: Final = 1  # receivers of each configured signal that are Laurel's own


def is_resent(event_id: UUID) -> bool:
    """Is it us who send this event now?"""
    return _resent.get() == event_id


def after_commit(accepted: Sequence[LearnerEvent]) -> None:
    """Send the events on once they are committed, but for those that came as a signal. Costs
    nothing where no other app listens. See Note [Receivers are called at most once].
    """
    listened_to = {
        event_type: each
        for event_type, each in subscriptions().items()
        if len(each.signal.receivers) > _OURS
    }
    if not listened_to:
        return
    for each in accepted:
        event = each.event
        if event.type in listened_to and event.origin != FROM_SIGNAL:
            transaction.on_commit(partial(_send, event, listened_to[event.type]))


def _send(event: Event, subscription: Subscription) -> None:
    """Never raises: the event is accepted, whatever others do with it."""
    metadata = EventsMetadata(
        event_type=event.type,
        id=event.id,
        minorversion=subscription.signal.minor_version,
        source=event.source,
        sourcehost=event.sourcehost,
        time=event.time,
    )
    token = _resent.set(event.id)
    try:
        prepare_for_new_work_cycle()  # as the stock consumers do for their receivers
        responses = subscription.signal.send_event_with_custom_metadata(
            metadata, **{subscription.argument: event.payload}
        )
    except Exception as error:  # noqa: BLE001 -- with DEBUG the library lets the first one through
        responses = [(subscription.signal, error)]
    finally:
        _resent.reset(token)
    for receiver, answer in responses:
        if isinstance(answer, Exception):
            _note(event, receiver, answer)


def _note(event: Event, receiver: Any, error: Exception) -> None:
    """In the log, and on the event's row of the inbox: where it failed, but not the error's own
    words, because they may name people and the row is part of the archive.
    """
    name = f"{receiver.__module__}.{getattr(receiver, '__qualname__', receiver)}"
    log.error("receiver failed", event_id=str(event.id), receiver=name, error=repr(error))
    frames = "".join(traceback.format_tb(error.__traceback__))[-8_000:]
    reason = f"Accepted, but the receiver {name} failed:\n{frames}{type(error).__qualname__}"
    try:
        InboxEvent.objects.filter(event_id=event.id).update(reason=reason)
    except Error as gone:
        log.warning("failure not noted", event_id=str(event.id), error=repr(gone))
