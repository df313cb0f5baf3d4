"""The consumer: plugged in by `EVENT_BUS_CONSUMER = "consumer.bus.BatchConsumer"`.

Note [Why we acknowledge after the commit]
    Only when its effects are committed. A crash in between delivers it again; the inbox then drops
    it as a duplicate, because its id was committed with the effects.

Note [Who is served first]
    What this consumer had at hand when it ended; then, in turns of one batch per stream, what
    others abandoned and what is new. A dead consumer's thousands do not hold up what is new.
"""

import signal
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import partial
from time import perf_counter
from typing import Any, Final

import redis
import structlog
from django.conf import settings
from django.db import Error as AnyDatabaseError
from django.utils import timezone
from edx_event_bus_redis.internal.consumer import REDIS_CONSUMERS_ENABLED, RedisEventConsumer

from consumer.batch import process
from consumer.lease import Lease, NameTakenError
from consumer.pieces import cut, tuned
from consumer.probes import Probes
from consumer.stream import Entry, Streams, is_change
from consumer.watch import Heartbeat
from credentials.database import DatabaseGoneError, with_retries
from credentials.retry import backoff
from events.timing import timed

log = structlog.get_logger(__name__)

_BLOCK: Final = 1000  # milliseconds; a termination signal is noticed between two reads
_CLAIM_EVERY: Final = 30.0  # seconds, at most, between two looks for abandoned messages
_MEND_EVERY: Final = 30.0  # seconds between two tries at a stream that could not be read
_FIRST_PAUSE: Final = timedelta(seconds=0.5)
_LONGEST_PAUSE: Final = timedelta(seconds=60)
_SWITCHED_OFF: Final = "Switched off: EVENT_BUS_REDIS_CONSUMERS_ENABLED"


class BatchConsumer(RedisEventConsumer):
    """Reads several topics in batches, each processed in one transaction.

    Options, all by `--extra`: `consumer_name` (default: the host's name; unique in the group),
    `topics` (further topics; default: EVENT_BUS_TOPICS), `batch_size` (500), `until_idle` (leave
    once all is read), `claim_idle_seconds` (60: take over what another consumer left for so long),
    `give_up_after` (20 failed connections in a row, with growing pauses: some ten minutes),
    `lease_seconds` and `metrics_port` (default: CONSUMER_LEASE_SECONDS, CONSUMER_METRICS_PORT).
    Options of the stock consumer are accepted and ignored. The constructor does not connect.
    """

    def __init__(
        self, topic: str, group_id: str, consumer_name: str | None = None, **extra: Any
    ) -> None:
        self.topic = topic
        self.group_id = group_id
        self.consumer_name = consumer_name or socket.gethostname()
        further = extra.pop("topics", settings.EVENT_BUS_TOPICS)
        further = [further] if isinstance(further, str) else further
        self.topics = list(dict.fromkeys([topic, *further]))
        self.batch_size = int(extra.pop("batch_size", 500))
        self.until_idle = bool(extra.pop("until_idle", False))
        self.claim_idle = float(extra.pop("claim_idle_seconds", 60.0))
        self.give_up_after = int(extra.pop("give_up_after", 20))
        self.lease_seconds = float(extra.pop("lease_seconds", settings.CONSUMER_LEASE_SECONDS))
        self.metrics_port = int(extra.pop("metrics_port", settings.CONSUMER_METRICS_PORT))
        self.ignored = extra
        self._heartbeat = Heartbeat(
            group=group_id,
            name=self.consumer_name,
            every=settings.CONSUMER_HEARTBEAT_SECONDS,
            clock=timezone.now,
        )
        self._stopping = False
        self._rounds = 0
        self._untold: list[str] = []  # streams on which the group was made, not in the books yet
        self._next_claim = 0.0
        self._next_mending = 0.0

    def consume_indefinitely(self) -> None:
        """Run, and leave the process with a status that tells the truth: the stock command, which
        can load this class too, swallows exceptions but not this.
        """
        sys.exit(self.run())

    def run(self) -> int:
        """0 after a termination signal or, with `until_idle`, when all is read; 1 when Redis or
        the database stayed away too long, when another consumer has this name, or when a stream
        could not be read to its end.
        """
        if self.ignored:
            log.warning("options ignored", options=sorted(self.ignored))
        log.info("consuming", topics=self.topics, group=self.group_id, name=self.consumer_name)
        with self._signals(), self._probes(), tuned():
            status = self._run_until_stopped()
        log.info("leaving", status=status, **self._heartbeat.report.summary())
        return status

    def stop(self) -> None:
        """Finish the batch at hand, then leave. Safe in a signal handler."""
        self._stopping = True

    def _run_until_stopped(self) -> int:
        lease = Lease(
            settings.EVENT_BUS_REDIS_CONNECTION_URL,
            group=self.group_id,
            name=self.consumer_name,
            seconds=self.lease_seconds,
        )
        failures = 0
        try:
            while True:
                rounds = self._rounds
                try:
                    return self._attend(lease)
                except NameTakenError as error:
                    log.error(  # noqa: TRY400 -- a person is told, there is nothing to trace
                        "another living consumer has this name in this group: give each its own "
                        "consumer_name, or stop the other one",
                        group=self.group_id,
                        name=self.consumer_name,
                        why=str(error),
                    )
                    return 1
                except (redis.RedisError, OSError, DatabaseGoneError) as error:
                    failures = failures + 1 if self._rounds == rounds else 1
                    if self._stopping:
                        return 0  # nothing was acknowledged that is not committed
                    if failures >= self.give_up_after:
                        log.exception("giving up", failures=failures)
                        return 1
                    self._wait_for_connection(error, failures)
        finally:
            if self._heartbeat.is_named:
                with suppress(AnyDatabaseError):
                    self._heartbeat.write(left=True)
            lease.release()

    def _wait_for_connection(self, error: Exception, failures: int) -> None:
        pause = backoff(failures, first=_FIRST_PAUSE, longest=_LONGEST_PAUSE).total_seconds()
        log.warning("connection lost", error=repr(error), pause=round(pause, 2), failures=failures)
        is_database = isinstance(error, DatabaseGoneError)
        what = "the database" if is_database else "Redis"
        self._heartbeat.waits(f"Connection to {what} lost", error=repr(error))
        if self._heartbeat.is_named and not is_database:
            with suppress(AnyDatabaseError):
                self._heartbeat.write()
        self._sleep(pause)

    def _attend(self, lease: Lease) -> int:
        """Consume on one connection until told to stop, or until idle."""
        streams = Streams(
            self.topics,
            group=self.group_id,
            consumer=self.consumer_name,
            batch_size=self.batch_size,
        )
        try:
            self._heartbeat.waits("Waiting for the name")
            if not lease.take(stopping=lambda: self._stopping):
                return 0
            self._join(streams)
            return self._consume(streams, lease)
        finally:
            streams.close()

    def _join(self, streams: Streams) -> None:
        self._untold += streams.join()
        self._next_mending = time.monotonic() + _MEND_EVERY
        with_retries(lambda: self._heartbeat.connected(streams, created=self._untold))
        self._untold = []

    def _consume(self, streams: Streams, lease: Lease) -> int:
        """See Note [Who is served first]."""
        own = streams.own_pending()
        while not self._stopping:
            if lease.lost_to is not None:
                raise NameTakenError(f"{lease.lost_to} took it while Redis was away")
            self._look_after(streams)
            if not self._is_switched_on():
                if self.until_idle:
                    return 0
                self._sleep(_BLOCK / 1000)
                continue
            try:
                idle = self._round(streams, own)
            except redis.ResponseError as error:
                if not is_change(error):
                    raise
                log.warning("a stream or its group changed, joining again", error=str(error))
                self._sleep(_FIRST_PAUSE.total_seconds())
                self._join(streams)
                own = streams.own_pending()  # the error may have ended the one before
                continue
            self._rounds += 1
            if idle and self.until_idle:
                self._beat(streams, surely=True)
                return 1 if streams.broken else 0
        if self._is_switched_on():
            self._process(streams, streams.at_hand())
        return 0

    def _look_after(self, streams: Streams) -> None:
        """Now and then: the row of this consumer, and streams that could not be read."""
        if streams.broken and time.monotonic() >= self._next_mending:
            self._join(streams)
        elif self._heartbeat.is_due():
            self._beat(streams)

    def _is_switched_on(self) -> bool:
        on: bool = REDIS_CONSUMERS_ENABLED.is_enabled()
        if not on and self._heartbeat.waits_for != _SWITCHED_OFF:
            log.warning("EVENT_BUS_REDIS_CONSUMERS_ENABLED is off: alive, but taking nothing")
            self._heartbeat.waits(_SWITCHED_OFF)
        elif on and self._heartbeat.waits_for:
            self._heartbeat.waits("")
        return on

    def _round(self, streams: Streams, own: Iterator[list[Entry]]) -> bool:
        """One turn; True when there was nothing to do."""
        entries = next(own, None)
        if entries is not None:
            self._process(streams, entries)
            return False
        claimed = self._claim(streams)
        waits = not (self.until_idle or streams.is_claiming)
        fresh = streams.fresh(block_milliseconds=_BLOCK if waits else None)
        self._process(streams, fresh)
        return not (claimed or fresh or streams.is_claiming)

    def _claim(self, streams: Streams) -> bool:
        if not streams.is_claiming and time.monotonic() < self._next_claim:
            return False
        self._next_claim = time.monotonic() + min(_CLAIM_EVERY, self.claim_idle)
        claimed = False
        for entries in streams.abandoned(idle_milliseconds=int(self.claim_idle * 1000)):
            self._process(streams, entries)
            claimed = True
        return claimed

    def _process(self, streams: Streams, entries: Sequence[Entry]) -> None:
        """Also when told to stop: what is at hand is done with. See Note [Why we acknowledge after
        the commit].
        """
        for batch in cut(entries, size=self.batch_size):
            began = perf_counter()
            if lost := batch.lost:
                with_retries(partial(self._heartbeat.lost, lost))
            report = process(batch.decoded, clock=timezone.now)
            with timed("acknowledge"):
                streams.acknowledge(batch.entries)
            self._heartbeat.took(report)
            seconds = round(perf_counter() - began, 4)
            log.debug("batch", lost=len(lost), seconds=seconds, **report.summary())

    def _beat(self, streams: Streams, *, surely: bool = False) -> None:
        try:
            with_retries(lambda: self._heartbeat.beat(streams, surely=surely))
        except AnyDatabaseError as error:  # busy, not gone: what counts are the messages
            log.warning("status not written", error=str(error))

    def _sleep(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._stopping and time.monotonic() < until:
            time.sleep(min(0.2, max(until - time.monotonic(), 0)))

    @contextmanager
    def _probes(self) -> Iterator[None]:
        if not self.metrics_port:
            yield
            return
        bind = settings.CONSUMER_METRICS_BIND
        probes = Probes(self._heartbeat, bind=bind, port=self.metrics_port, clock=timezone.now)
        try:
            yield
        finally:
            probes.close()

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
