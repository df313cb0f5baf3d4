"""The stream of the demo holds what the demo promises, the same at every run."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
import yaml
from django.conf import settings

from events.jsonl import parse_line
from events.wire import Message, UndecodableError, decode
from tests.demo.reckoning import Outcome, reckon
from tests.demo.stories import COURSES, EXAMS, LEARNERS, PROF, learner
from tests.demo.stream import TOPICS, Stream, make_stream, write_lines

TEMPLATES = Path(__file__).parents[2] / "demo" / "templates.yaml"


@pytest.fixture(scope="module")
def stream() -> Stream:
    return make_stream()


@pytest.fixture(scope="module")
def outcome(stream: Stream) -> Outcome:
    return reckon(
        [each.line for each in stream.deliveries],
        document=yaml.safe_load(TEMPLATES.read_text()),
        configured=settings.BADGES_CONFIG["events"],
        undecodable=1,
    )


def test_the_same_seed_gives_the_same_stream() -> None:
    assert make_stream(seed=7, learners=20) == make_stream(seed=7, learners=20)
    assert make_stream(seed=7, learners=20) != make_stream(seed=8, learners=20)


def test_it_is_large_enough(stream: Stream, outcome: Outcome) -> None:
    assert len({each.line["id"] for each in stream.deliveries}) >= 2_000
    assert len(outcome.learners) == LEARNERS == 300
    assert {each.topic for each in stream.deliveries} == set(TOPICS)
    assert all(stream.parts)


def test_every_line_is_a_public_event(stream: Stream) -> None:
    for number, each in enumerate(stream.deliveries):
        assert parse_line(json.dumps(each.line), number).data


def test_some_events_come_twice_and_are_then_equal(stream: Stream) -> None:
    copies = Counter(each.line["id"] for each in stream.deliveries)
    assert sum(count > 1 for count in copies.values()) >= 20
    assert len({json.dumps(each.line) for each in stream.deliveries}) == len(copies)


def test_some_events_come_after_younger_ones_of_the_same_learner(stream: Stream) -> None:
    newest: dict[int, str] = {}
    late = set()
    for each in stream.deliveries:
        status = each.line["data"].get("course_passing_status")
        if status is None:
            continue
        person, time = status["user"]["id"], each.line["time"]
        if time < newest.get(person, ""):
            late.add(each.line["id"])
        newest[person] = max(time, newest.get(person, ""))
    assert len(late) >= 20


def test_some_types_are_not_configured(stream: Stream, outcome: Outcome) -> None:
    types = {each.line["type"] for each in stream.deliveries}
    assert len(types - set(settings.BADGES_CONFIG["events"])) == 2
    assert outcome.passed_over > 100


def test_one_message_has_sound_headers_and_a_broken_payload(stream: Stream) -> None:
    message = Message("topic/1-0", stream.broken)
    assert message.event_id is not None
    with pytest.raises(UndecodableError, match="event_data does not decode"):
        decode(message)


def test_every_ending_occurs(outcome: Outcome) -> None:
    """By the last digit of the template: all five are earned, two are lost and blocked."""
    endings = Counter(
        (template[-1], each.status, each.blocked)
        for (_, template), each in outcome.standings.items()
    )
    for template in "12345":
        assert endings[template, "awarded", False] >= 5
    for template in "45":
        assert endings[template, "revoked", False] >= 5
        assert endings[template, "revoked", True] >= 5
        assert endings[template, None, False] >= 1


def test_the_professor_appears_but_is_no_learner(stream: Stream, outcome: Outcome) -> None:
    named = [each for each in stream.deliveries if '"prof"' in json.dumps(each.line)]
    assert {each.topic for each in named} == {COURSES, EXAMS}
    assert PROF["id"] not in outcome.learners


def test_some_learners_have_no_username_and_all_have_their_own_address() -> None:
    people = [learner(number) for number in range(LEARNERS)]
    assert len({each["pii"]["email"] for each in people}) == LEARNERS
    assert len({each["id"] for each in people}) == LEARNERS
    assert any(not each["pii"]["username"] for each in people)


def test_a_file_holds_the_lines_of_one_topic_in_their_order(stream: Stream, tmp_path: Path) -> None:
    file = tmp_path / "lines.jsonl"
    count = write_lines(stream.parts[0], topic=EXAMS, to=file)
    written = [json.loads(line) for line in file.read_text().splitlines()]
    assert len(written) == count
    assert written == [each.line for each in stream.parts[0] if each.topic == EXAMS]
