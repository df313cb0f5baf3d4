"""200,000 events: memory does not grow with what went by. It takes minutes, so it is not among the
tests that run by default: `./dev test tests/faults/soak.py`.
"""

import itertools
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

from tests.faults.academy import START, Fields, message, moves
from tests.faults.place import Place
from tests.servers import Process

EVENTS: Final = 200_000
GROWTH: Final = 1.1
HOURS: Final = 7_200.0


def messages() -> Iterator[Fields]:
    """Those of the academy again and again, each time as new events, a second apart."""
    bodies = [message(each) for each in moves()]
    for number, body in zip(range(EVENTS), itertools.cycle(bodies), strict=False):
        moment = START + timedelta(seconds=number)
        yield {
            **body,
            b"id": str(UUID(int=number + 1)).encode(),
            b"time": moment.isoformat().encode(),
        }


def resident_kilobytes(process: Process) -> int:
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


def test_memory_does_not_grow(place: Place) -> None:
    place.publish(messages())
    consumer = place.consumer(batch_size=500)
    consumer.wait_for(lambda: place.acknowledged() >= EVENTS // 10, seconds=HOURS)
    early = resident_kilobytes(consumer)
    consumer.wait_for(lambda: place.acknowledged() == EVENTS, seconds=HOURS)
    late = resident_kilobytes(consumer)
    print(f"\n{early} kB at a tenth, {late} kB at the end")
    assert late <= early * GROWTH
