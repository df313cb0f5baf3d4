"""What is erased of a person who leaves."""

from collections.abc import Iterator
from datetime import datetime

from credentials.models import Learner
from events.models import InboxEvent
from events.wire import Message

State = InboxEvent.State
ERASED = "Erased: the learner was retired."


def erase(learner: Learner, *, now: datetime) -> dict[str, int]:  # noqa: ARG001 -- see LEARNER_ERASERS
    """Requires a transaction. The rows stay with their ids alone, so that an event that comes
    again is a duplicate. Messages that could not be read are searched for the person's username
    and e-mail address.
    """
    archived = InboxEvent.objects.filter(learner=learner).exclude(payload=None)
    done = {"payloads of events deleted": archived.update(payload=None)}
    kept = InboxEvent.objects.filter(pk__in=list(_unread_of(learner)))
    done["unread messages deleted"] = kept.update(
        raw=None, reason=ERASED, state=State.DEAD, next_attempt_at=None
    )
    return done


def _unread_of(learner: Learner) -> Iterator[int]:
    sought = [text.encode() for text in (learner.username, learner.email) if text]
    for row in InboxEvent.objects.exclude(raw=None).only("pk", "raw", "origin").iterator():
        fields = Message.from_bytes(bytes(row.raw or b""), origin=row.origin).fields
        if any(text in value for text in sought for value in fields.values()):
            yield row.pk
