"""Public events on their way to the bus: written with the change, published in order, at least
once, with the same event id on every try.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from openedx_events.event_bus import NoEventBusProducer, get_producer
from openedx_events.event_bus.avro.serializer import serialize_event_data_to_bytes
from openedx_events.learning.data import (
    BadgeData,
    BadgeTemplateData,
    UserData,
    UserPersonalData,
)
from openedx_events.learning.signals import BADGE_AWARDED, BADGE_REVOKED
from openedx_events.tooling import EventsMetadata, OpenEdxPublicSignal

from credentials import bulk, dispatch, journal, news
from credentials.identity import derived
from credentials.lifecycle import Change, Verb
from credentials.models import Lease, OutboxEvent

log = structlog.get_logger(__name__)

_LEASE: Final = "publish"
_LEASE_LENGTH: Final = timedelta(minutes=2)
_LONGEST_CALL: Final = timedelta(seconds=90)  # connecting and the socket's time-out: 80
_SET_ASIDE: Final = timedelta(hours=1)
_PAGE: Final = 200
_KINDS: Final = {
    Verb.AWARDED: OutboxEvent.Kind.AWARDED,
    Verb.REVOKED: OutboxEvent.Kind.REVOKED,
}
_SIGNALS: Final[dict[str, OpenEdxPublicSignal]] = {
    OutboxEvent.Kind.AWARDED: BADGE_AWARDED,
    OutboxEvent.Kind.REVOKED: BADGE_REVOKED,
}


def announce(changes: Sequence[Change]) -> None:
    """One row per change, and news for the other apps. Requires the transaction of the changes.
    One statement.
    """
    if not changes:
        return
    bulk.insert_objects(
        [
            OutboxEvent(
                event_id=derived("public event", each.verb.value, each.credential.uuid),
                kind=_KINDS[each.verb],
                credential_id=each.credential.pk,
                occurred_at=each.at,
            )
            for each in changes
        ]
    )
    transaction.on_commit(dispatch.publish)
    news.tell(changes)


def publish_due(*, clock: Callable[[], datetime]) -> int:
    """Publish what waits, oldest first, and stop when the bus fails; returns how many went out.
    One process at a time; in another it returns 0 at once.

    A learner without an LMS id cannot be in a public event: those rows wait, visibly, and go out
    once an event tells the id. A row whose event cannot be built is set aside, with the later
    one of its credential; the others go on. Must not be called inside a transaction.
    """
    lease = Lease.take(_LEASE, now=clock(), length=_LEASE_LENGTH)
    if lease is None:
        return 0
    published = 0
    try:
        while rows := _waiting(now=clock()):
            sent, go_on = _publish_page(rows, lease=lease, clock=clock)
            OutboxEvent.objects.filter(pk__in=sent).update(
                published_at=clock(), last_error="", set_aside_until=None
            )
            published += len(sent)
            if not go_on:
                break
    finally:
        lease.release(now=clock())
    return published


def _publish_page(
    rows: Sequence[OutboxEvent], *, lease: Lease, clock: Callable[[], datetime]
) -> tuple[list[int], bool]:
    """The keys of what went out, and whether the bus takes more."""
    sent: list[int] = []
    set_aside: set[int] = set()
    for row in rows:
        if row.credential_id in set_aside:
            continue
        now = clock()
        # Renewed before each call that could outlast it: two processes that publish at once would
        # repeat one another's events. A lost lease means that another one has gone on.
        if lease.until - now < _LONGEST_CALL and not lease.extend(until=now + _LEASE_LENGTH):
            log.warning("lease lost, another process publishes")
            return sent, False
        error = _publish(row)
        if error is None:
            sent.append(row.pk)
            continue
        log.warning(
            "not published",
            correlation_id=_cause(row),
            event_id=str(row.event_id),
            error=repr(error),
        )
        row.last_error = repr(error)
        if not _can_be_built(row):
            row.set_aside_until = clock() + _SET_ASIDE
            set_aside.add(row.credential_id)
        row.save(update_fields=["last_error", "set_aside_until"])
        if row.credential_id not in set_aside:
            return sent, False
    return sent, True


def _publish(row: OutboxEvent) -> Exception | None:
    """What went wrong, if anything."""
    signal = _SIGNALS[row.kind]
    try:
        producer = get_producer()
        if isinstance(producer, NoEventBusProducer):
            # It swallows what it is given.
            return RuntimeError("no producer: look at EVENT_BUS_PRODUCER and REDIS_URL")
        producer.send(
            signal=signal,
            topic=settings.BADGES_TOPIC,
            event_key_field="badge.uuid",
            event_data={"badge": _badge(row)},
            event_metadata=EventsMetadata(
                event_type=signal.event_type,
                id=row.event_id,
                minorversion=signal.minor_version,
                time=row.occurred_at.astimezone(UTC),
            ),
        )
    except Exception as error:  # noqa: BLE001 -- any producer may be configured, with any errors
        return error
    return None


def _can_be_built(row: OutboxEvent) -> bool:
    """Tells an event that no bus would take from a bus that fails."""
    try:
        serialize_event_data_to_bytes({"badge": _badge(row)}, _SIGNALS[row.kind])
    except Exception:  # noqa: BLE001 -- fastavro raises anything
        return False
    return True


def _cause(row: OutboxEvent) -> str | None:
    revoked = row.kind == OutboxEvent.Kind.REVOKED
    return journal.cause_of(row.credential, revoked=revoked)


def _badge(row: OutboxEvent) -> BadgeData:
    credential = row.credential
    learner, template = credential.learner, credential.template
    return BadgeData(
        uuid=str(credential.uuid),
        user=UserData(
            id=learner.lms_user_id,
            is_active=learner.is_active,
            pii=UserPersonalData(username=learner.username, email=learner.email, name=learner.name),
        ),
        template=BadgeTemplateData(
            uuid=str(template.uuid),
            origin=",".join(template.providers),
            name=template.name,
            description=template.description,
            image_url=template.image_url,
        ),
    )


def _waiting(*, now: datetime) -> list[OutboxEvent]:
    unpublished = OutboxEvent.objects.filter(published_at__isnull=True)
    # All of their credential wait: what was awarded is not revoked before anybody heard of it.
    set_aside = unpublished.filter(credential=OuterRef("credential"), set_aside_until__gt=now)
    rows = unpublished.filter(~Exists(set_aside), credential__learner__lms_user_id__isnull=False)
    related = rows.select_related("credential__learner", "credential__template")
    return list(related.order_by("id")[:_PAGE])
