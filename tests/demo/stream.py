"""The stream of the demo: the learners' stories in the order of delivery, with repetitions.

The same seed gives the same stream, ids and times included.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import attrs

from tests.demo.stories import COURSES, EXAMS, LEARNERS, MIDTERM, Act, story

SEED: Final = 2026
TOPICS: Final = (COURSES, EXAMS)
_REPEATED: Final = 0.03  # share of the events that the bus delivers twice

Line = Mapping[str, Any]


@attrs.frozen
class Delivery:
    """One line in the format of `manage.py publish_events`, and the topic it goes to."""

    topic: str
    line: Line


@attrs.frozen
class Stream:
    """`parts` are published one after the other; the second changes what the first has earned."""

    parts: Sequence[Sequence[Delivery]]
    broken: Mapping[bytes, bytes]  # the fields of a message on the topic COURSES

    @property
    def deliveries(self) -> list[Delivery]:
        return [each for part in self.parts for each in part]


def make_stream(*, seed: int = SEED, learners: int = LEARNERS) -> Stream:
    rng = random.Random(seed)
    acts = [act for number in range(learners) for act in story(number, rng=rng)]
    queue = [(act.delivered, Delivery(act.topic, _line(act, rng))) for act in acts]
    queue += [
        (delivered + rng.uniform(0.0, 20.0), delivery)
        for delivered, delivery in queue
        if rng.random() < _REPEATED
    ]
    queue.sort(key=lambda each: each[0])
    return Stream(
        parts=[
            [delivery for delivered, delivery in queue if delivered < MIDTERM],
            [delivery for delivered, delivery in queue if delivered >= MIDTERM],
        ],
        broken=_broken(rng),
    )


def write_lines(deliveries: Iterable[Delivery], *, topic: str, to: Path) -> int:
    """Those of one topic, as a file for `publish_events`; how many there are."""
    lines = [json.dumps(each.line) for each in deliveries if each.topic == topic]
    to.write_text("".join(f"{line}\n" for line in lines))
    return len(lines)


def _line(act: Act, rng: random.Random) -> Line:
    return {
        "id": str(_uuid(rng)),
        "type": act.event_type,
        "time": act.time.isoformat(),
        "source": "openedx/lms/web",
        "data": act.data,
    }


def _broken(rng: random.Random) -> Mapping[bytes, bytes]:
    """Sound headers, and a payload that is no Avro."""
    return {
        b"type": b"org.openedx.learning.course.passing.status.updated.v1",
        b"id": str(_uuid(rng)).encode(),
        b"time": b"2026-04-20T10:00:00+00:00",
        b"source": b"openedx/lms/web",
        b"sourcehost": b"lms-1",
        b"minorversion": b"0",
        b"sourcelib": b"[10, 0, 0]",
        b"event_data": b"\xff\xfe this is not Avro",
    }


def _uuid(rng: random.Random) -> UUID:
    return UUID(int=rng.getrandbits(128), version=4)
