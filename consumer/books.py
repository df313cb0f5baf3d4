"""The books of one consumer group on one stream: does everything that was added add up? Pure.

Note [The books must balance]
    An entry that was ever added to a stream is, for one group, one of four things: unread (behind
    the last delivered one), pending (delivered, not acknowledged), done (acknowledged by us), or
    missing. Redis knows how many were added, are unread and are pending; we count what is done,
    in the same step that acknowledges it. What is left over was never handed to anybody: the
    producer trimmed it before it was read, or somebody moved the group. A group that finds a
    stream with a past starts with a `base` that makes its books balance.
    The number of unread entries is certain only when there are none, or when all that is left in
    the stream is unread; only then is there a verdict. Ids alone prove nothing: a stream whose
    trimmed part was all read is sound.
"""

from enum import Enum
from typing import Final

import attrs

StreamId = tuple[int, int]

ZERO: Final[StreamId] = (0, 0)
_WIDTH: Final = 20  # digits of the largest number Redis can write


def parse_id(raw: bytes | str) -> StreamId:
    """`b"1700000000000-3"` -> (1700000000000, 3)."""
    text = raw.decode() if isinstance(raw, bytes) else raw
    milliseconds, _, number = text.partition("-")
    return int(milliseconds), int(number or 0)


def show_id(stream_id: StreamId) -> str:
    return f"{stream_id[0]}-{stream_id[1]}"


def sortable(stream_id: StreamId) -> str:
    """As a text that sorts like the id, for the database."""
    return f"{stream_id[0]:0{_WIDTH}}-{stream_id[1]:0{_WIDTH}}"


class Fault(Enum):
    TRIMMED = "trimmed"  # by the producer, before it was read
    SKIPPED = "skipped"  # still in the stream then: somebody moved the group, or emptied its list
    REPEATED = "repeated"  # the group was moved back: entries are read again


@attrs.frozen
class Finding:
    """`count` entries between these two ids, both exclusive."""

    fault: Fault
    count: int
    after: StreamId
    before: StreamId


@attrs.frozen
class Books:
    """What Redis says of a group on a stream, and what we counted, at one moment.

    `added` is None before Redis 7, `read` where Redis does not know it, `base` before the first
    verdict; `first` is None while the stream is empty.
    """

    added: int | None
    length: int
    first: StreamId | None
    newest: StreamId  # last ever generated
    delivered: StreamId  # last one handed to the group
    read: int | None
    lag: int | None
    pending: int
    done: int
    base: int | None

    def unread(self) -> int | None:
        """None: not certain."""
        if self.delivered >= self.newest:
            return 0
        if self.first is None or self.delivered < self.first:
            return self.length
        return None

    def lag_messages(self) -> int | None:
        """Unread entries; where we cannot be certain, what Redis makes of it."""
        unread = self.unread()
        if unread is not None or self.lag is None:
            return unread
        return max(0, min(self.lag, self.length))

    def first_base(self) -> int | None:
        """With which the books balance now. What was trimmed ahead of a group that has read
        before is missing, as far as Redis counted what it read.
        """
        unread = self.unread()
        if self.added is None or unread is None:
            return None
        if unread and self.read is not None:
            return self.read - self.pending - self.done
        return self.added - unread - self.pending - self.done

    def missing(self) -> int | None:
        """Negative: entries were read twice. None: no verdict now."""
        unread = self.unread()
        if self.added is None or self.base is None or unread is None:
            return None
        return self.added - unread - self.pending - self.done - self.base

    def finding(self, *, sound_until: StreamId) -> Finding | None:
        """What is wrong; `sound_until`: the last delivered id when the books last balanced."""
        missing = self.missing()
        if not missing:
            return None
        if missing < 0:
            return Finding(Fault.REPEATED, -missing, ZERO, self.delivered)
        nothing_left = self.first is None
        if self.first is not None and self.delivered < self.first:
            return Finding(Fault.TRIMMED, missing, self.delivered, self.first)
        trimmed = nothing_left or (self.first is not None and self.first > sound_until)
        fault = Fault.TRIMMED if trimmed else Fault.SKIPPED
        before = self.newest if nothing_left else self.delivered
        return Finding(fault, missing, min(sound_until, before), before)
