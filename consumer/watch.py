"""What a consumer tells of itself: a row every few seconds, and an answer at any time."""

import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

from consumer import gauges
from consumer.fleet import FORGOTTEN_AFTER
from consumer.gauges import Gauge
from consumer.incidents import Watchman
from consumer.models import ConsumerStatus
from consumer.stream import Entry, Streams
from consumer.tally import OTHER, Report
from credentials import dispatch
from events import arrivals
from events.timing import steps

_AGAIN: Final = 0.3  # seconds before a suspicion at the start is looked at again
_TEXT: Final = 255


class Heartbeat:
    """The row of one consumer. It is written outside the transactions of the batches; `every`
    seconds at most. Whoever calls decides what a database or Redis that is gone means.
    """

    def __init__(
        self, *, group: str, name: str, every: float, clock: Callable[[], datetime]
    ) -> None:
        self._group = group
        self._name = name
        self._every = every
        self._clock = clock
        self._lock = threading.Lock()
        self._report = Report()
        self._gauges: Sequence[Gauge] = ()
        self._topics: list[str] = []
        self._note = "starting"
        self._error: tuple[str, datetime | None] = ("", None)
        self._last_batch: datetime | None = None
        self._started = clock()
        self._left: datetime | None = None
        self._next = 0.0
        self._rated = (time.monotonic(), 0)
        self._rate = 0.0
        self._watchman: Watchman | None = None

    # What happens

    def connected(self, streams: Streams, *, created: Sequence[str]) -> None:
        """The streams are joined; `created`: where the group was made just now."""
        if self._watchman is None:
            self.forget_others()
        self._watchman = Watchman(streams.client, group=self._group, consumer=self._name)
        self._watchman.recreated(created, now=self._clock())
        with self._lock:
            self._topics = sorted([*streams.names, *streams.broken])
            self._note = ""
        self.beat(streams, surely=True)

    def took(self, report: Report) -> None:
        with self._lock:
            self._report += report
            self._last_batch = self._clock()

    def lost(self, entries: Sequence[Entry]) -> None:
        if self._watchman is not None:
            self._watchman.lost(entries, now=self._clock())

    def waits(self, note: str, *, error: str = "") -> None:
        """Not consuming, and why."""
        with self._lock:
            self._note = note[:_TEXT]
            if error:
                self._error = (error, self._clock())

    @property
    def report(self) -> Report:
        """Since the start."""
        return self._report

    @property
    def is_named(self) -> bool:
        """Has it had its name, so that the row is its own?"""
        return self._watchman is not None

    @property
    def waits_for(self) -> str:
        """Empty while it consumes."""
        return self._note

    # What is written

    def is_due(self) -> bool:
        return time.monotonic() >= self._next

    def beat(self, streams: Streams, *, surely: bool = False) -> None:
        """Look at the streams and the books, and write the row. `surely`: a suspicion is looked at
        again at once, not at the next beat.
        """
        self._next = time.monotonic() + self._every
        found = gauges.read(streams.client, group=self._group, streams=streams.names)
        if self._watchman is not None and self._watchman.look(found, now=self._clock()) and surely:
            time.sleep(_AGAIN)
            found = gauges.read(streams.client, group=self._group, streams=streams.names)
            self._watchman.look(found, now=self._clock())
        broken = [Gauge(name, problem=why) for name, why in streams.broken.items()]
        with self._lock:
            self._gauges = [*found, *broken]
        self.write()

    def write(self, *, left: bool = False) -> None:
        """The row as it is, and which types arrived. Two statements, and a third when one of those
        is new.
        """
        if left:
            self._left = self._clock()
        self._next = time.monotonic() + self._every
        self._measure_rate()
        values = self._values()
        own = ConsumerStatus.objects.filter(group=self._group, name=self._name)
        if not own.update(**values):
            ConsumerStatus.objects.create(group=self._group, name=self._name, **values)
        types = {event_type for event_type, _ in self._report.counts}
        arrivals.note(types - {OTHER}, now=self._clock())

    def forget_others(self) -> None:
        """Rows of consumers that nobody has seen for a week."""
        old = self._clock() - FORGOTTEN_AFTER
        ConsumerStatus.objects.filter(group=self._group, seen_at__lt=old).delete()

    def row(self) -> ConsumerStatus:
        """As it would be written now; not saved. Safe in another thread."""
        return ConsumerStatus(group=self._group, name=self._name, **self._values())

    def gauges(self) -> Sequence[Gauge]:
        """Of the last beat."""
        return self._gauges

    def _measure_rate(self) -> None:
        then, count = self._rated
        now, total = time.monotonic(), self._report.total
        if now - then >= self._every or self._left:
            self._rate = (total - count) / max(now - then, 0.001)
            self._rated = (now, total)

    def _values(self) -> dict[str, Any]:
        with self._lock:
            messages = [each.lag_messages for each in self._gauges if each.books is not None]
            known = [each for each in messages if each is not None]
            ages = [each.lag_seconds for each in self._gauges if each.lag_seconds is not None]
            return {
                "topics": self._topics,
                "started_at": self._started,
                "seen_at": self._clock(),
                "left_at": self._left,
                "note": self._note,
                "last_batch_at": self._last_batch,
                "events": self._report.total,
                "rate": round(self._rate, 1),
                "pending": sum(each.pending_of.get(self._name, 0) for each in self._gauges),
                "lag_messages": sum(known) if len(known) == len(messages) else None,
                "lag_seconds": max(ages, default=None),
                "streams": [each.as_dict() for each in self._gauges],
                "counts": [[*key, count] for key, count in sorted(self._report.counts.items())],
                "steps": [
                    [name, step.batches, round(step.seconds, 6)] for name, step in steps().items()
                ],
                "tasks_unsent": dispatch.unsent(),
                "last_error": self._error[0],
                "last_error_at": self._error[1],
            }
