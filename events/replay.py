"""Failed messages, tried again."""

from datetime import datetime
from functools import partial

import structlog
from django.db import transaction

from credentials.database import DatabaseGoneError, with_retries
from credentials.models import DefinitionsVersion
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
    failed again (the row says why) or somebody else took it. Raises DatabaseGoneError.

    The attempt is charged before it is made: see Note [What ends the process] in consumer.batch.
    """
    message = with_retries(partial(_begin, key, now=now))
    if message is None:
        return False
    try:
        return with_retries(partial(_process, key, message, now=now))
    except DatabaseGoneError:
        raise  # that is not the message's fault
    except UndecodableError as error:
        reason = str(error)
    except Exception as error:  # noqa: BLE001 -- any bug of a handler is kept
        log.warning("event failed again", inbox=key, error=repr(error))
        reason = inbox.describe(error)
    with_retries(partial(_explain, key, reason))
    return False


def _begin(key: int, *, now: datetime) -> Message | None:
    with transaction.atomic():
        row = _undone(key)
        if row is None or row.raw is None:
            return None
        inbox.charge(row, reason=inbox.ENDED, now=now)
        return Message.from_bytes(bytes(row.raw), origin=row.origin)


def _process(key: int, message: Message, *, now: datetime) -> bool:
    with transaction.atomic():
        DefinitionsVersion.lock_for_reading()  # before all other locks: see its note
        if _undone(key) is None:
            return False
        process_batch([decode(message)], now=now)  # its claim replaces the failed row
    return True


def _explain(key: int, reason: str) -> None:
    with transaction.atomic():
        row = _undone(key)
        if row is not None:
            inbox.explain(row, reason)


def _undone(key: int) -> InboxEvent | None:
    """Locked."""
    rows = InboxEvent.objects.select_for_update()
    return rows.filter(pk=key, state__in=inbox.UNDONE).first()
