"""Every hundredth message is poison; the others are as if it were not there."""

import json
import os
import signal
import subprocess
from typing import Final
from uuid import UUID

import attrs

from tests.faults.academy import Fields, message, moves, stream
from tests.faults.handlers import BUG, DEADLY
from tests.faults.place import PATIENCE, Place
from tests.faults.proxy import Proxy
from tests.faults.test_consumers_are_killed import nursery
from tests.servers import PYTHON, ROOT

EVERY: Final = 100
# What its inbox row ends as, and says; no row: nothing is wrong with it in the end.
REASONS: Final = {
    "undecodable": "event_data does not decode",
    "a bug": "RuntimeError: a bug",
    "too long": "at most 1048576 are accepted",
    "NUL": "",
}
KINDS: Final = tuple(REASONS)


def poison(number: int) -> Fields:
    """About a learner of the others, with an id of its own; breaks no badge if it is processed."""
    move = attrs.evolve(moves()[number], id=UUID(int=number), passing=False)
    match KINDS[number % len(KINDS)]:
        case "undecodable":
            return {**message(move), b"event_data": b"\x02\xff\x00"}
        case "a bug":
            return message(move, course_key=BUG)
        case "too long":
            return message(move, course_key=BUG, display_name="x" * 1024 * 1024)
        case _:
            return message(move, course_key="course-v1:A+NUL+1", display_name="A\x00course")


def poisoned() -> list[Fields]:
    mixed: list[Fields] = []
    for number, each in enumerate(stream()):
        if number % EVERY == EVERY - 1:
            mixed.append(poison(number // EVERY))
        mixed.append(each)
    return mixed


def test_the_others_are_not_harmed(place: Place) -> None:
    mixed = poisoned()
    place.publish(mixed)
    consumer = place.consumer(batch_size=100)
    place.wait_until_all_is_read(consumer, number=len(mixed))
    found = place.check()
    rows = {UUID(event_id): (state, reason) for event_id, state, reason in found["inbox"]}
    for number in range(len(stream()) // EVERY):
        expected = REASONS[KINDS[number % len(KINDS)]]
        state, reason = rows[UUID(int=number)]
        assert state == ("failed" if expected else "accepted")
        assert expected in reason


def test_one_ends_every_process_that_works_on_it(place: Place) -> None:
    """A supervisor starts the consumer again and again: it gets past the message, the others are
    processed, and the message is kept.
    """
    deadly = attrs.evolve(moves()[0], id=UUID(int=1))
    messages = list(stream())
    messages.insert(105, message(deadly, course_key=DEADLY))
    place.publish(messages)
    with Proxy(place.redis.port) as proxy, nursery(place, proxy) as live:
        extra = {"consumer_name": "c1", "until_idle": True, "batch_size": 100}
        lives = [live(extra, 0, str) for _ in range(5)]
    # Three times with its batch, once alone; then it is known.
    assert lives == [-signal.SIGKILL] * 4 + [0]
    found = place.check()
    (told,) = (row[1:] for row in found["inbox"] if row[0] == str(UUID(int=1)))
    assert told[0] == "failed"
    assert "ended in the middle" in told[1]

    # By hand, too: charged before it is tried, so in the end it is dead.
    replay = subprocess.run(
        [PYTHON, "manage.py", "replay_events", "--dead"],
        cwd=ROOT,
        env={**os.environ, **place.env},
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert replay.returncode == -signal.SIGKILL
    found = json.loads(place.run("-m", "tests.faults.inside"))
    assert found["attempts"] == [[str(UUID(int=1)), 2]]
