"""Moving groups back in time, for a database that was restored from a backup.

What is read again and was processed is dropped as a duplicate, so back is harmless. Never forward.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import attrs
import redis
from edx_event_bus_redis.internal.config import get_full_topic

from consumer.books import StreamId, parse_id, show_id
from consumer.models import StreamPosition


@attrs.frozen
class Rewound:
    """One stream. `problem`: why nothing was done. `since`: it is read again from there.
    `gone_before`: the stream no longer holds what was published between `since` and this moment.
    """

    stream: str
    problem: str = ""
    since: datetime | None = None
    gone_before: datetime | None = None


def rewind(
    client: Any, topics: Sequence[str], *, group: str, since: datetime, dry_run: bool
) -> list[Rewound]:
    """Have `group` read again what was added to the streams from `since` on, by the clock of Redis,
    or from where the database knows the group to have been, if that is earlier. One query.

    Raises redis.RedisError when the server cannot be reached.
    """
    positions = StreamPosition.objects.filter(group=group).values_list("stream", "delivered")
    known = {stream: parse_id(delivered) for stream, delivered in positions}
    moment: StreamId = (max(int(since.timestamp() * 1000) - 1, 0), 0)
    found = []
    for topic in topics:
        stream = get_full_topic(topic)
        target = min(moment, known.get(stream, moment))
        found.append(_rewind(client, stream, group=group, target=target, dry_run=dry_run))
    return found


def _rewind(client: Any, stream: str, *, group: str, target: StreamId, dry_run: bool) -> Rewound:
    try:
        info = client.xinfo_stream(stream)
        groups = {each["name"].decode(): each for each in client.xinfo_groups(stream)}
    except redis.ResponseError as error:
        return Rewound(stream, problem=f"not read: {error}")
    if group not in groups:
        return Rewound(stream, problem="the group has never read it")
    if parse_id(groups[group]["last-delivered-id"]) <= target:
        return Rewound(stream, problem="the group has not read further than that")
    if not dry_run:
        client.xgroup_setid(stream, group, show_id(target))
    return Rewound(stream, since=_moment(target), gone_before=_gone_before(info, target))


def _gone_before(info: Any, target: StreamId) -> datetime | None:
    """The oldest entry that a stream still holds, if others behind `target` were trimmed."""
    if info.get("entries-added", 0) <= info["length"]:
        return None
    first = info["first-entry"]
    oldest = parse_id(info["last-generated-id"] if first is None else first[0])
    return _moment(oldest) if oldest > target else None


def _moment(stream_id: StreamId) -> datetime:
    return datetime.fromtimestamp(stream_id[0] / 1000, UTC)
