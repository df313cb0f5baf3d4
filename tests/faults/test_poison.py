"""Every hundredth message is poison; the others are as if it were not there."""

from typing import Final
from uuid import UUID

import attrs

from tests.faults.academy import Fields, message, moves, stream
from tests.faults.handlers import BUG
from tests.faults.place import Place

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
