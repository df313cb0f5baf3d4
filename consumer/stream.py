"""Reading Redis streams as one consumer of a group, and acknowledging.

Source of the commands: Redis streams (XREADGROUP, XAUTOCLAIM, XACK). The group starts at the
first entry of a stream and is never moved: what came while nobody listened is read later.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import attrs
import redis
import structlog
from django.conf import settings
from edx_event_bus_redis.internal.config import get_full_topic

from events.wire import Message

log = structlog.get_logger(__name__)

_FIRST: Final = "0-0"
_GROUP_EXISTS: Final = "BUSYGROUP"


@attrs.frozen
class Entry:
    """One delivered entry. `message` is None when it was trimmed away before it was read."""

    stream: str
    id: bytes
    message: Message | None


class Streams:
    """The streams of some topics, read as `consumer` of `group`. Every call raises
    redis.RedisError when the server cannot be reached.
    """

    def __init__(
        self, topics: Sequence[str], *, group: str, consumer: str, batch_size: int
    ) -> None:
        self.names = [get_full_topic(topic) for topic in topics]
        self._group = group
        self._consumer = consumer
        self._batch_size = batch_size
        self._client: Any = redis.Redis.from_url(settings.EVENT_BUS_REDIS_CONNECTION_URL)

    def close(self) -> None:
        self._client.close()

    def join(self) -> None:
        """Create the group where it does not exist, from the first entry on."""
        for name in self.names:
            try:
                self._client.xgroup_create(name, self._group, id="0", mkstream=True)
            except redis.ResponseError as error:
                if not str(error).startswith(_GROUP_EXISTS):
                    raise

    def own_pending(self) -> Iterator[list[Entry]]:
        """What was delivered to this consumer before and not acknowledged, in batches. The caller
        acknowledges each batch before it asks for the next.
        """
        cursors = dict.fromkeys(self.names, _FIRST)
        while cursors:
            entries = self._entries(
                self._client.xreadgroup(
                    self._group, self._consumer, cursors, count=self._batch_size
                )
            )
            last = {entry.stream: entry.id.decode() for entry in entries}
            cursors = {name: last[name] for name in cursors if name in last}
            if entries:
                yield entries

    def abandoned(self, *, idle_milliseconds: int) -> Iterator[list[Entry]]:
        """Take over what other consumers left unacknowledged for so long, in batches."""
        for name in self.names:
            cursor = _FIRST
            while True:
                cursor, claimed, deleted = self._client.xautoclaim(
                    name,
                    self._group,
                    self._consumer,
                    min_idle_time=idle_milliseconds,
                    start_id=cursor,
                    count=self._batch_size,
                )
                entries = self._entries([(name.encode(), claimed)])
                entries += [Entry(name, entry_id, None) for entry_id in deleted]
                if entries:
                    yield entries
                if cursor in {_FIRST, _FIRST.encode()}:
                    break

    def fresh(self, *, block_milliseconds: int | None) -> list[Entry]:
        """New entries, a batch per stream at most; waits for the first, or not at all (None)."""
        return self._entries(
            self._client.xreadgroup(
                self._group,
                self._consumer,
                dict.fromkeys(self.names, ">"),
                count=self._batch_size,
                block=block_milliseconds,
            )
        )

    def acknowledge(self, entries: Iterable[Entry]) -> None:
        """One call per stream."""
        by_stream: dict[str, list[bytes]] = defaultdict(list)
        for entry in entries:
            by_stream[entry.stream].append(entry.id)
        for stream, ids in by_stream.items():
            self._client.xack(stream, self._group, *ids)

    def _entries(self, answer: Any) -> list[Entry]:
        """`answer`: pairs of a stream's name and its entries, as a list or as a mapping."""
        pairs = answer.items() if isinstance(answer, dict) else answer or ()
        return [
            Entry(name.decode(), entry_id, _message(name.decode(), entry_id, fields))
            for name, entries in pairs
            for entry_id, fields in _flat(entries)
        ]


def _flat(entries: Any) -> Any:
    """redis-py wraps the entries of a stream in one more list under RESP3."""
    if len(entries) == 1 and isinstance(entries[0], list):
        return entries[0]
    return entries


def _message(stream: str, entry_id: bytes, fields: Any) -> Message | None:
    if not fields:
        return None
    return Message(origin=f"{stream}/{entry_id.decode()}", fields=fields)
