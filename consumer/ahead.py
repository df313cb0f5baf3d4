"""Batches of one consumer: the next is read and decoded while the database works on this one.

Note [Reading ahead]
    A consumer that lags waits in turns for Redis and for the database. So as soon as a read came
    back full, a thread reads and decodes what follows; it touches no database. Where nothing lags
    there is no thread. What was read ahead when the process is killed is pending, as if it had
    been at work on it.
"""

import gc
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import attrs

from consumer.batch import Decoded, decode_all
from consumer.stream import Entry, Streams


@contextmanager
def tuned() -> Iterator[None]:
    """Python's own timing, as a consumer needs it. Events are freed without the collector, which
    by default looks at all of them twenty times per batch. And a thread that decodes gives way
    after half a millisecond when the answer of the database is there, not after five.
    """
    thresholds, interval = gc.get_threshold(), sys.getswitchinterval()
    gc.set_threshold(50_000, 20, 20)
    sys.setswitchinterval(0.000_5)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        sys.setswitchinterval(interval)


@attrs.frozen
class Batch:
    """At most as many entries as one transaction takes, and what was in their messages."""

    entries: Sequence[Entry]
    decoded: Decoded

    @property
    def lost(self) -> list[Entry]:
        """Trimmed away before they were processed."""
        return [each for each in self.entries if each.message is None]


def cut(entries: Sequence[Entry], *, size: int) -> list[Batch]:
    pieces = [entries[start : start + size] for start in range(0, len(entries), size)]
    return [
        Batch(piece, decode_all([each.message for each in piece if each.message is not None]))
        for piece in pieces
    ]


class Ahead:
    """See Note [Reading ahead]. Every call raises redis.RedisError when the server is gone."""

    def __init__(self, streams: Streams, *, batch_size: int) -> None:
        self._streams = streams
        self._batch_size = batch_size
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ahead")
        self._reading: Future[list[Batch]] | None = None

    def next(self, *, block_milliseconds: int | None) -> list[Batch]:
        """What was read ahead, else what is new; `block_milliseconds` as in Streams.fresh."""
        batches = self.at_hand() or self._read(block_milliseconds)
        if any(len(each.entries) == self._batch_size for each in batches):
            self._reading = self._thread.submit(self._read, None)
        return batches

    def at_hand(self) -> list[Batch]:
        """What was read ahead and not taken yet."""
        reading, self._reading = self._reading, None
        return reading.result() if reading is not None else []

    def close(self) -> None:
        self._thread.shutdown()

    def _read(self, block_milliseconds: int | None) -> list[Batch]:
        entries = self._streams.fresh(block_milliseconds=block_milliseconds)
        return cut(entries, size=self._batch_size)
