"""What one consumer did since it started."""

from collections import Counter
from collections.abc import Mapping

import attrs

OTHER = "other"  # every type that is not configured: labels of a metric must be few
OUTCOMES = ("accepted", "ignored", "duplicate", "skipped", "failed")


@attrs.frozen
class Report:
    """What became of messages, by event type and outcome."""

    counts: Mapping[tuple[str, str], int] = attrs.field(factory=dict)

    def __add__(self, other: "Report") -> "Report":
        return Report(dict(Counter(self.counts) + Counter(other.counts)))

    def of(self, outcome: str) -> int:
        return sum(count for (_, each), count in self.counts.items() if each == outcome)

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    def summary(self) -> dict[str, int]:
        """The outcomes that occurred."""
        return {outcome: count for outcome in OUTCOMES if (count := self.of(outcome))}
