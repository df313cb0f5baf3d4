"""Public events on their way to the bus: written with the change, published in order, at least
once, with the same event id on every try.
"""

import itertools
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from django.conf import settings
from django.db import transaction
from openedx_events.event_bus import get_producer
from openedx_events.learning.data import (
    BadgeData,
    BadgeTemplateData,
    UserData,
    UserPersonalData,
)
from openedx_events.learning.signals import BADGE_AWARDED, BADGE_REVOKED
from openedx_events.tooling import EventsMetadata, OpenEdxPublicSignal

from credentials import dispatch, news
from credentials.lifecycle import Change, Verb
from credentials.models import Lease, OutboxEvent

log = structlog.get_logger(__name__)

_LEASE: Final = "publish"
_LEASE_LENGTH: Final = timedelta(minutes=2)
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
    OutboxEvent.objects.bulk_create(
        [
            OutboxEvent(
                kind=_KINDS[each.verb], credential_id=each.credential.pk, occurred_at=each.at
            )
            for each in changes
        ]
    )
    transaction.on_commit(dispatch.publish)
    news.tell(changes)


def publish_due(*, clock: Callable[[], datetime]) -> int:
    """Publish what waits, oldest first, and stop at the first that the bus refuses; returns how
    many went out. One process at a time; in another it returns 0 at once.

    A learner without an LMS id cannot be in a public event: those rows wait, visibly, and go out
    once an event tells the id. Must not be called inside a transaction.
    """
    if not Lease.take(_LEASE, now=clock(), length=_LEASE_LENGTH):
        return 0
    published = 0
    try:
        while rows := _waiting():
            sent = list(itertools.takewhile(_publish, rows))
            keys = [row.pk for row in sent]
            OutboxEvent.objects.filter(pk__in=keys).update(published_at=clock(), last_error="")
            published += len(sent)
            if len(sent) < len(rows):
                break
            Lease.objects.filter(name=_LEASE).update(until=clock() + _LEASE_LENGTH)
    finally:
        Lease.release(_LEASE, now=clock())
    return published


def _publish(row: OutboxEvent) -> bool:
    signal = _SIGNALS[row.kind]
    try:
        get_producer().send(
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
        log.warning("not published", event_id=str(row.event_id), error=repr(error))
        OutboxEvent.objects.filter(pk=row.pk).update(last_error=repr(error))
        return False
    return True


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


def _waiting() -> list[OutboxEvent]:
    rows = OutboxEvent.objects.filter(
        published_at__isnull=True, credential__learner__lms_user_id__isnull=False
    )
    related = rows.select_related("credential__learner", "credential__template")
    return list(related.order_by("id")[:_PAGE])
