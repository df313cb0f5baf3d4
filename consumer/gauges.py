"""How a group stands on its streams, read from Redis: by consumers and by the web process."""

from collections.abc import Sequence
from typing import Any

import attrs
import redis

from consumer.books import Books, StreamId, parse_id, show_id
from consumer.stream import books_key

_COMMANDS = 4  # per stream, below


@attrs.frozen
class Gauge:
    """`books` is None, and `problem` says why, when the stream or its group cannot be read.
    `lag_seconds`: age of the oldest entry that is not finished, by the clock of Redis.
    """

    stream: str
    problem: str = ""
    books: Books | None = None
    lag_messages: int | None = None
    lag_seconds: float | None = None
    pending: int = 0
    pending_of: dict[str, int] = attrs.field(factory=dict)  # by consumer

    def as_dict(self) -> dict[str, Any]:
        """For the row of a consumer."""
        return {
            "stream": self.stream,
            "problem": self.problem,
            "lag_messages": self.lag_messages,
            "lag_seconds": self.lag_seconds,
            "pending": self.pending,
        }


def read(client: Any, *, group: str, streams: Sequence[str]) -> list[Gauge]:
    """All at one moment, in one round trip; a second one finds the age of what is unread.

    Raises redis.RedisError when the server cannot be reached.
    """
    if not streams:
        return []
    pipe = client.pipeline(transaction=True)
    pipe.time()
    for stream in streams:
        pipe.xinfo_stream(stream)
        pipe.xinfo_groups(stream)
        pipe.xpending(stream, group)
        pipe.hgetall(books_key(stream, group))
    (seconds, microseconds), *answers = pipe.execute(raise_on_error=False)
    now = seconds * 1000 + microseconds // 1000
    gauges = [
        _gauge(stream, answers[_COMMANDS * n : _COMMANDS * (n + 1)], group=group, now=now)
        for n, stream in enumerate(streams)
    ]
    return _with_age(client, gauges, now=now)


def _gauge(stream: str, answers: Sequence[Any], *, group: str, now: int) -> Gauge:
    info, groups, pending, counted = answers
    for answer in answers:
        if isinstance(answer, redis.ResponseError):
            return Gauge(stream, problem=str(answer))
        if isinstance(answer, Exception):
            raise answer
    ours = next((each for each in groups if each["name"] == group.encode()), None)
    if ours is None:
        return Gauge(stream, problem="No such group.")
    first = info["first-entry"]
    base = counted.get(b"base")
    books = Books(
        added=info.get("entries-added"),
        length=info["length"],
        first=None if first is None else parse_id(first[0]),
        newest=parse_id(info["last-generated-id"]),
        delivered=parse_id(ours["last-delivered-id"]),
        read=ours.get("entries-read"),
        lag=ours.get("lag"),
        pending=ours["pending"],
        done=int(counted.get(b"done", 0)),
        base=None if base is None else int(base),
    )
    oldest = [parse_id(pending["min"])] if pending["min"] else []
    if books.unread() and books.first is not None and books.delivered < books.first:
        oldest.append(books.first)
    return Gauge(
        stream,
        books=books,
        lag_messages=books.lag_messages(),
        lag_seconds=_age(min(oldest, default=None), now=now),
        pending=books.pending,
        pending_of={each["name"].decode(): each["pending"] for each in pending["consumers"] or ()},
    )


def _with_age(client: Any, gauges: Sequence[Gauge], *, now: int) -> list[Gauge]:
    """Where a group stands inside its stream, the entry behind its last one may be the oldest."""
    starts = {
        each.stream: each.books.delivered
        for each in gauges
        if each.books is not None and each.books.unread() is None
    }
    if not starts:
        return list(gauges)
    pipe = client.pipeline(transaction=False)
    for stream, delivered in starts.items():
        pipe.xrange(stream, min=f"({show_id(delivered)}", count=1)
    ages = dict.fromkeys(starts, 0.0)
    for stream, answer in zip(starts, pipe.execute(raise_on_error=False), strict=True):
        if answer and not isinstance(answer, Exception):
            ages[stream] = _age(parse_id(answer[0][0]), now=now)
    return [
        attrs.evolve(each, lag_seconds=max(each.lag_seconds or 0.0, ages.get(each.stream, 0.0)))
        if each.books is not None
        else each
        for each in gauges
    ]


def _age(stream_id: StreamId | None, *, now: int) -> float:
    """In seconds. An id begins with the milliseconds at which Redis added the entry."""
    return 0.0 if stream_id is None else max(now - stream_id[0], 0) / 1000
