"""What happened to messages on the bus, found out, told in the log and kept as rows.

Note [Reported at least once]
    The row is written first, then the books are corrected, by compare-and-swap: of several
    consumers that see the same fault one wins, the others take their row back. A crash in between
    leaves a second row, never none.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, Final

import attrs
import structlog

from consumer.books import ZERO, Books, Fault, Finding, StreamId, parse_id, show_id, sortable
from consumer.gauges import Gauge
from consumer.models import Incident, StreamPosition
from consumer.stream import Entry, books_key

log = structlog.get_logger(__name__)

Kind = Incident.Kind
_KINDS: Final = {
    Fault.TRIMMED: Kind.TRIMMED,
    Fault.SKIPPED: Kind.SKIPPED,
    Fault.REPEATED: Kind.REPEATED,
}
_DETAILS: Final = {
    Fault.TRIMMED: "The producer trimmed the stream (its maximal length) before these messages "
    "were read. Publish them again from their source if they matter.",
    Fault.SKIPPED: "These messages were never handed to a consumer of the group: somebody moved "
    "the group forward (XGROUP SETID), deleted one of its consumers with what it was working on "
    "(XGROUP DELCONSUMER), or acknowledged or deleted messages by hand.",
    Fault.REPEATED: "Somebody moved the group back or made it again. The inbox drops what was "
    "processed before: nothing counts twice.",
}
_CORRECT: Final = """
if redis.call('HGET', KEYS[1], 'base') ~= ARGV[1] then return 0 end
redis.call('HINCRBY', KEYS[1], 'base', ARGV[2])
return 1
"""
_IDS_KEPT: Final = 1000  # of one incident


class Watchman:
    """Looks after the books of one group, as one of its consumers."""

    def __init__(self, client: Any, *, group: str, consumer: str) -> None:
        self._client = client
        self._group = group
        self._consumer = consumer
        self._suspected: dict[str, int] = {}

    def lost(self, entries: Sequence[Entry], *, now: datetime) -> None:
        """Delivered entries whose bodies are gone: one row per stream."""
        by_stream = sorted(entries, key=lambda entry: entry.stream)
        for stream, some in groupby(by_stream, key=lambda entry: entry.stream):
            ids = [entry.id.decode() for entry in some]
            self._report(
                Kind.TRIMMED_PENDING,
                stream,
                now=now,
                count=len(ids),
                ids=ids[:_IDS_KEPT],
                detail="The producer trimmed the stream while a consumer that died, or was slow, "
                "had these messages at hand. Publish them again from their source if they matter.",
            )

    def recreated(self, streams: Iterable[str], *, now: datetime) -> None:
        """The group was just made on these; a row for those that it had read before."""
        for stream in streams:
            known = StreamPosition.objects.filter(group=self._group, stream=stream)
            position = known.exclude(delivered=sortable(ZERO)).first()
            if position is not None:
                self._report(
                    Kind.RECREATED,
                    stream,
                    now=now,
                    after_id=show_id(parse_id(position.delivered)),
                    detail="The group, or the whole stream, had been deleted. It reads from the "
                    "stream's first entry again, and the inbox drops what was processed before. "
                    "What was trimmed or deleted since the id above is lost and cannot be counted.",
                )
                known.update(delivered=sortable(ZERO))

    def look(self, gauges: Sequence[Gauge], *, now: datetime) -> bool:
        """Check the books; a fault is reported when two looks in a row find the same. True: look
        again, to make sure.
        """
        positions = {row.stream: row for row in StreamPosition.objects.filter(group=self._group)}
        suspected, self._suspected = self._suspected, {}
        for gauge in gauges:
            if gauge.books is not None:
                self._check(gauge.stream, gauge.books, positions, suspected, now=now)
        return bool(self._suspected)

    def _check(
        self,
        stream: str,
        books: Books,
        positions: Mapping[str, StreamPosition],
        suspected: Mapping[str, int],
        *,
        now: datetime,
    ) -> None:
        position = positions.get(stream)
        known = ZERO if position is None else parse_id(position.delivered)
        if position is not None and books.newest < known:
            self._reset(position, stream, books, now=now)
            return
        if books.base is None:
            base = books.first_base()
            if base is not None:
                self._client.hsetnx(books_key(stream, self._group), "base", base)
            books = attrs.evolve(books, base=base)
        missing = books.missing()
        if missing is None:
            return
        finding = books.finding(sound_until=known)
        if finding is not None:
            if suspected.get(stream) != missing:
                self._suspected[stream] = missing
                return
            self._found(stream, books, finding, now=now)
        self._move(position, stream, books.delivered, now=now)

    def _found(self, stream: str, books: Books, finding: Finding, *, now: datetime) -> None:
        """See Note [Reported at least once]."""
        row = self._report(
            _KINDS[finding.fault],
            stream,
            now=now,
            count=finding.count,
            after_id="" if finding.after == ZERO else show_id(finding.after),
            before_id=show_id(finding.before),
            detail=_DETAILS[finding.fault],
        )
        key = books_key(stream, self._group)
        if not self._client.eval(_CORRECT, 1, key, books.base, books.missing()):
            row.delete()

    def _reset(self, position: StreamPosition, stream: str, books: Books, *, now: datetime) -> None:
        """See Note [Reported at least once]; here the position is what is compared."""
        row = self._report(
            Kind.RESET,
            stream,
            now=now,
            after_id=show_id(books.newest),
            before_id=show_id(parse_id(position.delivered)),
            detail="The stream was deleted, or Redis lost its last writes or was restored from an "
            "older state: messages up to the second id had been read, the stream ends at the "
            "first. What was read is processed; what others published since may be lost.",
        )
        rows = StreamPosition.objects.filter(pk=position.pk, delivered=position.delivered)
        if not rows.update(delivered=sortable(books.delivered), checked_at=now):
            row.delete()
        self._client.hdel(books_key(stream, self._group), "base")

    def _move(
        self, position: StreamPosition | None, stream: str, to: StreamId, *, now: datetime
    ) -> None:
        """One statement, none when the group stands still."""
        delivered = sortable(to)
        if position is None:
            StreamPosition.objects.update_or_create(
                group=self._group,
                stream=stream,
                defaults={"delivered": delivered, "checked_at": now},
            )
        elif position.delivered != delivered:
            rows = StreamPosition.objects.filter(pk=position.pk)
            rows.update(delivered=delivered, checked_at=now)

    def _report(self, kind: Kind, stream: str, *, now: datetime, **values: Any) -> Incident:
        told = {name: value for name, value in values.items() if name != "detail" and value}
        log.error("bus incident", kind=kind.value, stream=stream, group=self._group, **told)
        return Incident.objects.create(
            kind=kind,
            group=self._group,
            stream=stream,
            noticed_by=self._consumer,
            noticed_at=now,
            **values,
        )
