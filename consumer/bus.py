"""The consumer: plugged in by `EVENT_BUS_CONSUMER = "consumer.bus.BatchConsumer"`.

Note [Why we acknowledge after the commit]
    A message is acknowledged only when its effects are committed. A crash in between delivers it
    again; the inbox then drops it as a duplicate, because its id was committed with the effects.
"""

import signal
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import redis
import structlog
from django.utils import timezone
from edx_event_bus_redis.internal.consumer import REDIS_CONSUMERS_ENABLED, RedisEventConsumer

from consumer.batch import Report, process
from consumer.stream import Entry, Streams
from credentials.database import DatabaseGoneError

log = structlog.get_logger(__name__)

_BLOCK: Final = 1000  # milliseconds; a termination signal is noticed between two reads
_CLAIM_EVERY: Final = 30.0  # seconds, at most, between two looks for abandoned messages


class BatchConsumer(RedisEventConsumer):
    """Reads several topics in batches, each processed in one transaction.

    Options, all by `--extra`: `consumer_name` (default: the host's name; unique in the group),
    `topics` (further topics), `batch_size` (500), `until_idle` (leave once all is read),
    `claim_idle_seconds` (60: take over what another consumer left for so long),
    `give_up_after` (20 failed connections in a row, with growing pauses: some ten minutes).
    Options of the stock consumer are accepted and ignored. The constructor does not connect.
    """

    def __init__(
        self,
        topic: str,
        group_id: str,
        consumer_name: str | None = None,
        **extra: Any,
    ) -> None:
        self.topic = topic
        self.group_id = group_id
        self.consumer_name = consumer_name or socket.gethostname()
        further = extra.pop("topics", ())
        self.topics = [topic, *([further] if isinstance(further, str) else further)]
        self.batch_size = int(extra.pop("batch_size", 500))
        self.until_idle = bool(extra.pop("until_idle", False))
        self.claim_idle = float(extra.pop("claim_idle_seconds", 60.0))
        self.give_up_after = int(extra.pop("give_up_after", 20))
        self.ignored = extra
        self.report = Report()
        self._stopping = False
        self._next_claim = 0.0

    def consume_indefinitely(self) -> None:
        """Run, and leave the process with a status that tells the truth: the stock command, which
        can load this class too, swallows exceptions but not this.
        """
        sys.exit(self.run())

    def run(self) -> int:
        """0 after a termination signal or, with `until_idle`, when all is read; 1 when Redis or
        the database stayed away too long.
        """
        if not REDIS_CONSUMERS_ENABLED.is_enabled():
            log.error("EVENT_BUS_REDIS_CONSUMERS_ENABLED is off, leaving")
            return 0
        if self.ignored:
            log.warning("options ignored", options=sorted(self.ignored))
        log.info("consuming", topics=self.topics, group=self.group_id, name=self.consumer_name)
        with self._signals():
            status = self._run_until_stopped()
        log.info("leaving", status=status, **{k: v for k, v in _counts(self.report).items() if v})
        return status

    def stop(self) -> None:
        """Finish the batch at hand, then leave. Safe in a signal handler."""
        self._stopping = True

    def _run_until_stopped(self) -> int:
        failures = 0
        while True:
            before = self.report
            streams = Streams(
                self.topics,
                group=self.group_id,
                consumer=self.consumer_name,
                batch_size=self.batch_size,
            )
            try:
                self._consume(streams)
            except (redis.RedisError, OSError, DatabaseGoneError) as error:
                failures = failures + 1 if self.report == before else 1
                if self._stopping:
                    return 0  # nothing was acknowledged that is not committed
                if failures >= self.give_up_after:
                    log.exception("giving up", failures=failures)
                    return 1
                pause = min(0.5 * 2 ** (failures - 1), 60.0)
                log.warning("connection lost", error=repr(error), pause=pause, failures=failures)
                self._sleep(pause)
            else:
                return 0
            finally:
                streams.close()

    def _consume(self, streams: Streams) -> None:
        """Own pending messages first, then new ones, now and then what others abandoned."""
        streams.join()
        self._take(streams, streams.own_pending())
        while not self._stopping:
            if time.monotonic() >= self._next_claim:
                abandoned = streams.abandoned(idle_milliseconds=int(self.claim_idle * 1000))
                self._take(streams, abandoned)
                self._next_claim = time.monotonic() + min(_CLAIM_EVERY, self.claim_idle)
            entries = streams.fresh(block_milliseconds=None if self.until_idle else _BLOCK)
            if entries:
                self._take(streams, [entries])
            elif self.until_idle:
                return

    def _take(
        self, streams: Streams, batches: Iterator[list[Entry]] | Sequence[list[Entry]]
    ) -> None:
        for entries in batches:
            for start in range(0, len(entries), self.batch_size):
                if self._stopping:
                    return  # what is left stays pending, for the next start
                self._process(streams, entries[start : start + self.batch_size])

    def _process(self, streams: Streams, entries: Sequence[Entry]) -> None:
        """See Note [Why we acknowledge after the commit]."""
        lost = [entry for entry in entries if entry.message is None]
        for entry in lost:
            log.error("message lost: trimmed before it was read", stream=entry.stream, id=entry.id)
        messages = [entry.message for entry in entries if entry.message is not None]
        report = process(messages, clock=timezone.now)
        streams.acknowledge(entries)
        self.report += report
        log.debug("batch", lost=len(lost), **_counts(report))

    def _sleep(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._stopping and time.monotonic() < until:
            time.sleep(min(0.2, max(until - time.monotonic(), 0)))

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """SIGTERM and SIGINT end the loop after the batch at hand."""
        handlers = {
            number: signal.signal(number, lambda *_: self.stop())
            for number in (signal.SIGTERM, signal.SIGINT)
        }
        try:
            yield
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)


def _counts(report: Report) -> dict[str, int]:
    return {
        "accepted": report.accepted,
        "ignored": report.ignored,
        "duplicates": report.duplicates,
        "skipped": report.skipped,
        "failed": report.failed,
    }
