"""Failed messages, tried again."""

from datetime import datetime

import structlog
from django.db import DatabaseError, InterfaceError, OperationalError, transaction

from events import inbox
from events.models import InboxEvent
from events.pipeline import process_batch
from events.wire import Message, UndecodableError, decode

log = structlog.get_logger(__name__)


def retry_due(*, now: datetime, limit: int = 500) -> int:
    """Try what is due; returns how many were processed. Each in a transaction of its own."""
    keys = InboxEvent.objects.filter(inbox.due(now)).order_by("id").values_list("pk", flat=True)
    return sum(retry(key, now=now) for key in list(keys[:limit]))


def retry(key: int, *, now: datetime) -> bool:
    """Decode and process one failed or dead row again. True when it was processed, False when it
    failed again (the row says why) or somebody else took it.
    """
    try:
        with transaction.atomic():
            row = (
                InboxEvent.objects.select_for_update()
                .filter(pk=key, state__in=[InboxEvent.State.FAILED, InboxEvent.State.DEAD])
                .first()
            )
            if row is None or row.raw is None:
                return False
            message = Message.from_bytes(bytes(row.raw), origin=row.origin)
            event = decode(message)
            process_batch([event], now=now)
            # Claiming replaced the row of an event with an id; this one had none of its own.
            InboxEvent.objects.filter(pk=key, event_id__isnull=True).delete()
    except UndecodableError as error:
        _fail(message, str(error), now=now)
    except (OperationalError, InterfaceError):
        raise  # the database is gone: that is not the message's fault
    except (DatabaseError, Exception) as error:  # noqa: BLE001 -- any bug of a handler is kept
        log.warning("event failed again", inbox=key, error=repr(error))
        _fail(message, inbox.describe(error), now=now)
    else:
        return True
    return False


def _fail(message: Message, reason: str, *, now: datetime) -> None:
    with transaction.atomic():
        inbox.keep_failed([inbox.Failure(message=message, reason=reason)], now=now)
