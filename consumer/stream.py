"""Reading Redis streams as one consumer of a group, and acknowledging.

Source of the commands: Redis streams (XREADGROUP, XAUTOCLAIM, XACK). The group starts at the
first entry of a stream and is never moved: what came while nobody listened is read later.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any, Final, NamedTuple

import redis
import structlog
from django.conf import settings
from edx_event_bus_redis.internal.config import get_full_topic

from consumer.asked import Asked
from events.wire import Message

log = structlog.get_logger(__name__)

_FIRST: Final = "0-0"
_FINISHED: Final = (None, _FIRST, _FIRST.encode())  # cursors that look at nothing more
_GROUP_EXISTS: Final = "BUSYGROUP"
_WRONG_TYPE: Final = "WRONGTYPE"
# A stream was deleted, its group was, or something else took its place.
_CHANGED: Final = ("NOGROUP", "UNBLOCKED", _WRONG_TYPE)
_ACKNOWLEDGED_AT_ONCE: Final = 1000  # arguments of one script call
# Acknowledges and counts in one step. Note [The books must balance] in consumer.books.
_ACKNOWLEDGE: Final = """
local done = redis.call('XACK', KEYS[1], ARGV[1], unpack(ARGV, 3))
redis.call('HINCRBY', KEYS[2], 'done', done + ARGV[2])
return done
"""


class Entry(NamedTuple):
    """One delivered entry. `message` is None when it was trimmed away before it was processed;
    `unlisted`: Redis has taken it off the list of pending entries already.
    """

    stream: str
    id: bytes
    message: Message | None
    unlisted: bool = False


def is_change(error: redis.RedisError) -> bool:
    """Did a stream or its group change under our hands? Then join again."""
    return isinstance(error, redis.ResponseError) and str(error).startswith(_CHANGED)


def books_key(stream: str, group: str) -> str:
    return f"laurel-books:{stream}:{group}"


class Streams:
    """The streams of some topics, read as `consumer` of `group`. Every call raises
    redis.RedisError when the server cannot be reached.

    `names` are those that can be read; `broken` says why the others cannot.
    """

    def __init__(
        self, topics: Sequence[str], *, group: str, consumer: str, batch_size: int
    ) -> None:
        self._all = [get_full_topic(topic) for topic in topics]
        self.names: list[str] = list(self._all)
        self.broken: dict[str, str] = {}
        self._group = group
        self._consumer = consumer
        self._batch_size = batch_size
        self._cursors: dict[str, Any] = {}
        self._asked: Asked | None = None
        self._acknowledging: list[Asked] = []
        self.client: Any = redis.Redis.from_url(settings.EVENT_BUS_REDIS_CONNECTION_URL)

    def close(self) -> None:
        """What was asked for and not fetched stays pending with this consumer."""
        if self._asked is not None:
            self._asked.forget()
        with suppress(redis.RedisError, OSError):
            self._settle()
        self.client.close()

    def join(self) -> list[str]:
        """Create the group where it does not exist, from the first entry on; returns where it was
        created. A key that is no stream is left out, until the next call.
        """
        created: list[str] = []
        broken: dict[str, str] = {}
        for name in self._all:
            try:
                self.client.xgroup_create(name, self._group, id="0", mkstream=True)
            except redis.ResponseError as error:
                if str(error).startswith(_WRONG_TYPE):
                    broken[name] = "The key of this name in Redis is no stream."
                elif not str(error).startswith(_GROUP_EXISTS):
                    raise
            else:
                self.client.delete(books_key(name, self._group))
                created.append(name)
        for name in broken.keys() - self.broken.keys():
            log.error("not a stream, the others go on", stream=name)
        for name in self.broken.keys() - broken.keys():
            log.info("a stream again", stream=name)
        self.broken = broken
        self.names = [name for name in self._all if name not in broken]
        return created

    def own_pending(self) -> Iterator[list[Entry]]:
        """What was delivered to this consumer before and not acknowledged, in batches. The caller
        acknowledges each batch before it asks for the next.
        """
        with suppress(redis.ResponseError):
            self.at_hand()  # delivered, so it is among the following
        cursors = dict.fromkeys(self.names, _FIRST)
        while cursors:
            entries = self._entries(
                self.client.xreadgroup(self._group, self._consumer, cursors, count=self._batch_size)
            )
            last = {entry.stream: entry.id.decode() for entry in entries}
            cursors = {name: last[name] for name in cursors if name in last}
            if entries:
                yield self._with_deliveries(entries)

    def abandoned(self, *, idle_milliseconds: int) -> Iterator[list[Entry]]:
        """Take over what other consumers left unacknowledged for so long: of each stream a batch
        at most. Ask again, after some fresh entries, while `is_claiming`.
        """
        for name in self.names:
            cursor, claimed, *rest = self.client.xautoclaim(
                name,
                self._group,
                self._consumer,
                min_idle_time=idle_milliseconds,
                start_id=self._cursors.get(name, _FIRST),
                count=self._batch_size,
            )
            self._cursors[name] = cursor
            # Trimmed meanwhile; Redis 7 takes them off the list of pending entries by itself.
            if gone := [Entry(name, each, None, unlisted=True) for each in (rest or [()])[0]]:
                yield gone
            # Before, it does not say which. Claimed all the same, they are our own now.
            if any(entry_id is None for entry_id, _ in claimed):
                yield from self.own_pending()
            elif entries := self._entries([(name.encode(), claimed)]):
                yield self._with_deliveries(entries)

    @property
    def is_claiming(self) -> bool:
        """Is there more to look through than `abandoned` has seen?"""
        return any(self._cursors.get(name) not in _FINISHED for name in self.names)

    def fresh(self, *, block_milliseconds: int | None) -> list[Entry]:
        """New entries, a batch per stream at most: those that were asked for, else waits for the
        first, or not at all (None). When a stream gave a whole batch, the next is asked for.
        """
        entries = self.at_hand()
        if not entries:
            self._settle()
            if not self.names:
                time.sleep((block_milliseconds or 0) / 1000)
                return []
            entries = self._entries(self._ask(block_milliseconds).answer())
        found = Counter(entry.stream for entry in entries)
        if self._batch_size in found.values():
            self._asked = self._ask(None)
        return entries

    def at_hand(self) -> list[Entry]:
        """What was asked for and not fetched yet."""
        asked, self._asked = self._asked, None
        return [] if asked is None else self._entries(asked.answer())

    def _ask(self, block_milliseconds: int | None) -> Asked:
        block = [] if block_milliseconds is None else ["BLOCK", block_milliseconds]
        group = ["GROUP", self._group, self._consumer]
        streams = [*self.names, *(">" for _ in self.names)]
        count = ["COUNT", self._batch_size]
        return Asked(self.client, "XREADGROUP", *group, *count, *block, "STREAMS", *streams)

    def acknowledge(self, entries: Iterable[Entry]) -> None:
        """One call per stream and thousand entries. Whether the calls went well is asked before
        the next ones and before waiting.
        """
        self._settle()
        by_stream: dict[str, list[Entry]] = defaultdict(list)
        for entry in entries:
            by_stream[entry.stream].append(entry)
        for stream, all_of_it in by_stream.items():
            keys = (stream, books_key(stream, self._group))
            for start in range(0, len(all_of_it), _ACKNOWLEDGED_AT_ONCE):
                some = all_of_it[start : start + _ACKNOWLEDGED_AT_ONCE]
                unlisted = sum(entry.unlisted for entry in some)
                ids = [entry.id for entry in some]
                arguments = (2, *keys, self._group, unlisted, *ids)
                self._acknowledging.append(Asked(self.client, "EVAL", _ACKNOWLEDGE, *arguments))

    def _settle(self) -> None:
        sent, self._acknowledging = self._acknowledging, []
        while sent:
            try:
                sent.pop().answer()
            except BaseException:
                for each in sent:
                    each.forget()
                raise

    def _with_deliveries(self, entries: Sequence[Entry]) -> list[Entry]:
        """The same entries, pending with this consumer, and how often each was handed out. One call
        per stream.
        """
        ids: dict[str, list[bytes]] = defaultdict(list)
        for entry in entries:
            ids[entry.stream].append(entry.id)
        delivered = {
            (stream, each["message_id"]): each["times_delivered"]
            for stream, some in ids.items()
            for each in self.client.xpending_range(
                stream, self._group, some[0], some[-1], len(some), self._consumer
            )
        }
        return [
            entry
            if entry.message is None
            else entry._replace(
                message=entry.message._replace(
                    deliveries=delivered.get((entry.stream, entry.id), 1)
                )
            )
            for entry in entries
        ]

    def _entries(self, answer: Any) -> list[Entry]:
        """`answer`: pairs of a stream's name and its entries, as a list or as a mapping."""
        pairs = answer.items() if isinstance(answer, dict) else answer or ()
        return [entry for name, entries in pairs for entry in _of_stream(name.decode(), entries)]


def _of_stream(stream: str, entries: Any) -> list[Entry]:
    """redis-py wraps the entries of a stream in one more list under RESP3."""
    if len(entries) == 1 and isinstance(entries[0], list):
        (entries,) = entries
    return [
        Entry(
            stream,
            entry_id,
            Message(f"{stream}/{entry_id.decode()}", fields) if fields else None,
        )
        for entry_id, fields in entries
    ]
