"""Deleting what is older than EVENT_RETENTION_DAYS and settled, in small steps.

What still asks for somebody stays, however old it is: failed and dead messages and webhooks,
public events that are not published, handlers whose failure stands open.

Note [Nobody waits for a deletion]
    Each step is one short statement of its own, and then a pause of some times its length, in
    which writers come first, also where a database has only one at a time. Rows are looked at in
    the order of their keys, which is that of their arrival, until a page holds nothing old: that
    needs no further index, which each insert of the consumer would have to pay for.
"""

import time
from datetime import datetime, timedelta
from typing import Any, Final

import attrs
import structlog
from django.conf import settings
from django.db.models import QuerySet

from credentials.database import with_retries
from credentials.models import CredlyWebhook, OutboxEvent
from events.models import InboxEvent
from service_signals.models import HandlerFailure

log = structlog.get_logger(__name__)

_PAUSE: Final = 4  # times the length of the step before


@attrs.frozen
class Settled:
    """Rows that nobody needs any more, `since` being the field of their age."""

    rows: QuerySet[Any]
    since: str


SETTLED: Final = (
    Settled(
        InboxEvent.objects.filter(state__in=[InboxEvent.State.ACCEPTED, InboxEvent.State.IGNORED]),
        since="received_at",
    ),
    Settled(
        CredlyWebhook.objects.filter(
            state__in=[CredlyWebhook.State.DONE, CredlyWebhook.State.IGNORED]
        ),
        since="received_at",
    ),
    Settled(OutboxEvent.objects.filter(published_at__isnull=False), since="published_at"),
    Settled(HandlerFailure.objects.exclude(state=HandlerFailure.State.OPEN), since="resolved_at"),
)


def delete_old(*, now: datetime, page: int = 1000, seconds: float = 60.0) -> int:
    """How many rows were deleted, at most `page` by one statement. Leaves after `seconds`; the
    next run goes on.

    Safe beside the consumer and beside itself: see Note [Nobody waits for a deletion].
    """
    before = now - timedelta(days=settings.EVENT_RETENTION_DAYS)
    until = time.monotonic() + seconds
    total = 0
    for settled in SETTLED:
        deleted = _delete(settled, before=before, until=until, size=page)
        if deleted:
            log.info("old rows deleted", model=settled.rows.model.__name__, rows=deleted)
        total += deleted
    return total


def _delete(settled: Settled, *, before: datetime, until: float, size: int) -> int:
    """`until`: of the monotonic clock."""
    rows = settled.rows.order_by("pk")
    last, deleted = 0, 0
    while time.monotonic() < until:
        start = time.monotonic()
        page = list(rows.filter(pk__gt=last).values_list("pk", settled.since)[:size])
        old = [key for key, moment in page if moment < before]
        if not old:
            break
        with_retries(rows.filter(pk__in=old).delete)
        last, deleted = page[-1][0], deleted + len(old)
        time.sleep(_PAUSE * (time.monotonic() - start))
    return deleted
