"""Messages as they lie on the bus, and the Events in them.

A message is what `edx_event_bus_redis` writes: eight fields, `event_data` in Avro without its
schema, and the headers of a CloudEvent (source: openedx_events.data.EventsMetadata).
"""

import base64
import io
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final, NamedTuple
from uuid import UUID

import fastavro
from django.conf import settings
from openedx_events.event_bus.avro.schema import schema_from_signal

from credentials.learners import LearnerFacts
from events.builders import Build, builder, without_nul
from events.event import Event
from events.registry import Subscription, by_header, subscriptions

_TYPE: Final = b"type"
_ID: Final = b"id"
_TIME: Final = b"time"
_SOURCE: Final = b"source"
_SOURCEHOST: Final = b"sourcehost"
_DATA: Final = b"event_data"


class UndecodableError(ValueError):
    """A message is no event. It is kept with its bytes and this reason, and can be replayed once
    the cause (usually the sender, or a newer openedx-events here) is mended.
    """


class Message(NamedTuple):
    """One entry of a stream. `origin` is `topic/entry id`; `deliveries`: how often it was handed to
    a consumer, this time included.
    """

    origin: str
    fields: Mapping[bytes, bytes]
    deliveries: int = 1

    @property
    def event_type(self) -> str:
        return self.fields.get(_TYPE, b"").decode(errors="replace")

    @property
    def event_id(self) -> UUID | None:
        try:
            return UUID(self.fields[_ID].decode())
        except (KeyError, ValueError):
            return None

    def to_bytes(self) -> bytes:
        """For the inbox. `from_bytes` reads it back."""
        fields = {
            base64.b64encode(key).decode(): base64.b64encode(value).decode()
            for key, value in self.fields.items()
        }
        return json.dumps(fields).encode()

    @classmethod
    def from_bytes(cls, raw: bytes, *, origin: str) -> "Message":
        fields = json.loads(raw)
        return cls(
            origin=origin,
            fields={base64.b64decode(key): base64.b64decode(v) for key, v in fields.items()},
        )


def is_configured(message: Message) -> bool:
    """Does anybody want this type? Looks at the header only. A message without a type is wanted:
    it has to be kept as failed.
    """
    header = message.fields.get(_TYPE, b"")
    return not header or header in by_header()


def decode(message: Message) -> Event:
    """Raises UndecodableError."""
    fields = message.fields
    size = sum(map(len, fields.values()))
    if size > settings.EVENT_MAX_BYTES:
        raise UndecodableError(f"{size} bytes; at most {settings.EVENT_MAX_BYTES} are accepted")
    subscription = by_header().get(fields.get(_TYPE, b""))
    if subscription is None:
        raise UndecodableError(f"nobody configured events of type {_text(fields, _TYPE)!r}")
    event_id = message.event_id
    if event_id is None:
        # The stock parser would invent a new id at each delivery, and count the event each time.
        raise UndecodableError("the id is missing or no UUID")
    return make_event(
        subscription,
        payload=_payload(subscription, fields),
        event_id=event_id,
        time=_time(_text(fields, _TIME)),
        source=_text(fields, _SOURCE, required=False),
        sourcehost=_text(fields, _SOURCEHOST, required=False),
        origin=message.origin,
    )


def make_event(
    subscription: Subscription,
    *,
    payload: Any,
    event_id: UUID,
    time: datetime,
    source: str,
    sourcehost: str,
    origin: str,
) -> Event:
    return Event(
        id=event_id,
        type=subscription.event_type,
        time=time,
        source=source,
        sourcehost=sourcehost,
        payload=payload,
        learner=_learner(subscription, payload, time),
        origin=origin,
    )


def _learner(subscription: Subscription, payload: Any, time: datetime) -> LearnerFacts | None:
    """Raises TypeError for a learner whose id is no number."""
    try:
        user = subscription.find_learner(payload)
    except AttributeError:
        return None
    if user is None or (user.id is None and not (user.pii and user.pii.username)):
        return None
    if user.id is not None and not isinstance(user.id, int):
        # Attrs does not check types, and not every database would refuse it.
        raise TypeError(f"the learner's id is no number: {user.id!r}")
    pii = user.pii
    return LearnerFacts(
        lms_user_id=user.id,
        username=(pii.username or "") if pii else "",
        email=(pii.email or "") if pii else "",
        name=(pii.name or "") if pii else "",
        is_active=bool(user.is_active),
        as_of=time,
    )


def _text(fields: Mapping[bytes, bytes], name: bytes, *, required: bool = True) -> str:
    raw = fields.get(name, b"")
    if not raw and required:
        raise UndecodableError(f"the field {name.decode()} is missing or empty")
    try:
        return without_nul(raw.decode())
    except UnicodeDecodeError:
        raise UndecodableError(f"the field {name.decode()} is not UTF-8") from None


def _time(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UndecodableError(f"the time {text!r} is not ISO 8601") from None
    if moment.tzinfo is None:
        raise UndecodableError(f"the time {text!r} has no time zone")
    if moment.tzinfo is UTC:
        return moment
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise UndecodableError(f"the time {text!r} is out of range") from None


def _payload(subscription: Subscription, fields: Mapping[bytes, bytes]) -> Any:
    data = fields.get(_DATA)
    if not data:
        raise UndecodableError("the field event_data is missing or empty")
    schema, build = _reader(subscription.event_type)
    try:
        record: Any = fastavro.schemaless_reader(io.BytesIO(data), schema, None)
        return build(record[subscription.argument])
    except Exception as error:
        # Broken bytes surface as anything from EOFError to MemoryError inside the Avro reader.
        raise UndecodableError(f"event_data does not decode: {error!r}") from error


@cache
def _reader(event_type: str) -> tuple[Any, Build]:
    """The parsed schema and the payload's builder, made once per type."""
    subscription = subscriptions()[event_type]
    schema = fastavro.parse_schema(schema_from_signal(subscription.signal))
    return schema, builder(subscription.payload_type)
