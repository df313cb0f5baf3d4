"""The platform of the demo knows whom the stream tells about, and the reckoning what to expect."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from certificates.platform.sandbox import World
from events.eligibility import EVENT_TYPE
from tests.demo.campus import COURSE, EVALUATED, REQUIRED, Campus, make_campus
from tests.demo.reckoning import Outcome, reckon
from tests.demo.stream import Stream, make_stream

TEMPLATES = Path(__file__).parents[2] / "demo" / "templates.yaml"


@pytest.fixture(scope="module")
def stream() -> Stream:
    return make_stream()


@pytest.fixture(scope="module")
def campus(stream: Stream) -> Campus:
    return make_campus(stream)


@pytest.fixture(scope="module")
def outcome(stream: Stream, campus: Campus) -> Outcome:
    first, second = ([each.line for each in part] for part in stream.parts)
    return reckon(
        [*first, *campus.eligible, *second],
        document=yaml.safe_load(TEMPLATES.read_text()),
        configured={line["type"] for line in (*first, *second)} | {EVALUATED},
        undecodable=0,
    )


def test_the_same_stream_gives_the_same_campus(stream: Stream, campus: Campus) -> None:
    assert make_campus(stream) == campus
    assert make_campus(stream, seed=7) != campus


def test_the_local_platform_takes_it(campus: Campus) -> None:
    world = World.from_document(campus.world)
    assert set(world.courses) == {COURSE}
    assert EVALUATED == EVENT_TYPE


def test_there_are_all_kinds_of_students(campus: Campus) -> None:
    (course,) = campus.world["courses"]
    completions = [each["completion"] for each in course["enrollments"]]
    numbers = [each for each in completions if isinstance(each, float)]
    assert len(completions) == len(numbers) + 1  # one cannot be judged
    assert len(campus.eligible) == sum(each >= REQUIRED for each in numbers)
    assert {0.79, 0.8} <= set(numbers)
    assert len({each["username"] for each in course["enrollments"]}) == len(completions)


def test_some_certificates_stay_and_some_are_withdrawn(campus: Campus, outcome: Outcome) -> None:
    statuses = [outcome.standings[pair].status for pair in outcome.printed]
    assert min(statuses.count("awarded"), statuses.count("revoked")) > 10
    assert len(statuses) < len(campus.eligible)  # eligible is not enough
    assert all(outcome.printed.values())
