"""One consumer and two of one group, each a process of its own, on the same stream."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from events.models import InboxEvent
from tests.benchmarks import cases, definitions, stream
from tests.benchmarks.figures import Figure
from tests.benchmarks.stream import Stream, expect
from tests.processes import PYTHON, Process

_GROUP: Final = "crowd"
_POLL: Final = 0.005  # seconds
_SIZES: Final = {cases.CONSUMERS_1: 1, cases.CONSUMERS_2: 2}


def measure(*, database: str, events: int, repeat: int) -> Sequence[Figure]:
    """Events per second from the first read to the last acknowledgement, 1,000 active templates,
    nothing matches, learners known.
    """
    definitions.activate(1_000)
    source = stream.fill("crowd-source", events=events, is_passing=False)
    found: dict[str, list[float]] = {name: [] for name in _SIZES}
    for _ in range(repeat):
        for name, size in _SIZES.items():
            found[name].append(events / _seconds(source, consumers=size))
    return [Figure(name, database, tuple(rates), "events/s") for name, rates in found.items()]


def _seconds(source: Stream, *, consumers: int) -> float:
    """The consumers wait at an empty stream, which then becomes a copy of the source at once."""
    definitions.forget_people(known=source.events)
    topic = f"crowd-{consumers}"
    with closing(stream.client()) as server:
        server.delete(topic)
        with _waiting(server, topic, consumers=consumers):
            server.xgroup_create(source.topic, _GROUP, id="0")
            server.copy(source.topic, topic, replace=True)
            server.xgroup_destroy(source.topic, _GROUP)
            seconds = _watch(server, topic, events=source.events)
    expect(InboxEvent.objects.count(), source.events)
    return seconds


@contextmanager
def _waiting(server: Any, topic: str, *, consumers: int) -> Iterator[None]:
    with TemporaryDirectory() as folder, ExitStack() as stack:
        for number in range(1, consumers + 1):
            extra = {"consumer_name": f"c{number}", "topics": []}
            command = [PYTHON, "manage.py", "consume_events", "-t", topic, "-g", _GROUP]
            command += ["--extra", json.dumps(extra)]
            process = Process(command, log=Path(folder) / f"{number}.log")
            stack.enter_context(process)
            waiting = partial(server.info, "clients")
            process.wait_for(partial(_are_blocked, waiting, number), what="its first read")
        yield


def _are_blocked(clients: Callable[[], Mapping[str, int]], number: int) -> bool:
    return clients()["blocked_clients"] == number


def _watch(server: Any, topic: str, *, events: int) -> float:
    started = 0.0
    while True:
        (group,) = server.xinfo_groups(topic)
        now = time.perf_counter()
        if not started and group["entries-read"]:
            started = now
        if group["entries-read"] == events and not group["pending"]:
            return now - started
        time.sleep(_POLL)
