"""What was read, in pieces of one transaction each."""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import attrs

from consumer.batch import Decoded, decode_all
from consumer.stream import Entry


@contextmanager
def tuned() -> Iterator[None]:
    """Events are freed without Python's collector, which by default looks at all of them twenty
    times per batch.
    """
    thresholds = gc.get_threshold()
    gc.set_threshold(50_000, 20, 20)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)


@attrs.frozen
class Batch:
    """At most as many entries as one transaction takes, and what was in their messages."""

    entries: Sequence[Entry]
    decoded: Decoded

    @property
    def lost(self) -> list[Entry]:
        """Trimmed away before they were processed."""
        return [each for each in self.entries if each.message is None]


def cut(entries: Sequence[Entry], *, size: int) -> Iterator[Batch]:
    """Each piece is decoded when it is its turn."""
    for start in range(0, len(entries), size):
        piece = entries[start : start + size]
        yield Batch(piece, decode_all([each.message for each in piece if each.message is not None]))
