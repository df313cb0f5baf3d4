"""All consumers, as their rows tell: who lives, which streams are read, how they stand."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Final

from consumer import gauges
from consumer.gauges import Gauge
from consumer.models import ConsumerStatus

# A batch can take long; a consumer that says nothing for so long is stuck or dead.
SILENT_AFTER: Final = timedelta(seconds=60)
# A row that is so much older than the newest of its group no longer says what the group reads.
_OUTDATED: Final = timedelta(hours=1)
FORGOTTEN_AFTER: Final = timedelta(days=7)


class State(Enum):
    RUNNING = "running"
    WAITING = "waiting"  # alive, and says what it waits for
    SILENT = "silent"  # dead, or stuck in one batch
    LEFT = "left"  # ended in order


def state(row: ConsumerStatus, *, now: datetime) -> State:
    if row.left_at is not None:
        return State.LEFT
    if row.seen_at < now - SILENT_AFTER:
        return State.SILENT
    return State.WAITING if row.note else State.RUNNING


def is_living(row: ConsumerStatus, *, now: datetime) -> bool:
    return state(row, now=now) in {State.RUNNING, State.WAITING}


def streams_by_group(rows: Iterable[ConsumerStatus]) -> dict[str, list[str]]:
    """What each group reads, or read last: also when all its consumers are dead."""
    by_group: dict[str, list[ConsumerStatus]] = defaultdict(list)
    for row in rows:
        by_group[row.group].append(row)
    found: dict[str, list[str]] = {}
    for group, members in by_group.items():
        newest = max(row.seen_at for row in members)
        current = [row for row in members if row.seen_at >= newest - _OUTDATED]
        found[group] = sorted({topic for row in current for topic in row.topics})
    return found


def measure(client: Any, rows: Sequence[ConsumerStatus]) -> dict[str, list[Gauge]]:
    """How each group stands now. Raises redis.RedisError."""
    return {
        group: gauges.read(client, group=group, streams=streams)
        for group, streams in streams_by_group(rows).items()
    }
