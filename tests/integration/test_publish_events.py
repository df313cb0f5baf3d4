"""publish_events: lines of JSON, through the configured producer, onto a real Redis stream."""

import io
import json
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import redis as redis_client
from django.core.management import CommandError, call_command
from pytest_django import Settings

from events.wire import Message, decode
from tests.functional.stories import passes
from tests.servers import RedisServer


class Bus:
    """One topic of a real Redis."""

    def __init__(self, url: str) -> None:
        self.topic = f"test-{uuid4()}"
        self._url = url

    def messages(self) -> list[Message]:
        with redis_client.Redis.from_url(self._url) as client:
            entries: Any = client.xrange(self.topic)
        return [Message(f"{self.topic}/{key.decode()}", fields) for key, fields in entries]


@pytest.fixture
def bus(redis: RedisServer, settings: Settings) -> Bus:
    settings.EVENT_BUS_REDIS_CONNECTION_URL = redis.url
    return Bus(redis.url)


def publish(name: str, bus: Bus, **options: Any) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command("publish_events", name, **{"topic": bus.topic, **options}, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def lines(*events: dict[str, Any]) -> str:
    return "".join(json.dumps(event) + "\n" for event in events)


def test_lines_arrive_as_public_events(bus: Bus, tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text(lines(passes("ann", 1, minute=0), passes("bob", 2, minute=5, passing=False)))

    out, _ = publish(str(file), bus)

    assert out == f"published 2 events to {bus.topic}\n"
    first, second = [decode(message) for message in bus.messages()]
    sent = passes("ann", 1, minute=0)
    assert first.id == UUID(sent["id"])
    assert first.time.isoformat() == sent["time"]
    assert first.source == "openedx/lms/web"
    assert first.payload.is_passing is True
    assert str(first.payload.course.course_key) == "course-v1:Acme+D1+2026"
    assert first.learner is not None
    assert (first.learner.lms_user_id, first.learner.username) == (11, "ann")
    assert second.payload.is_passing is False


def test_standard_input_and_the_default_topic(
    bus: Bus, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.BADGES_TOPIC = bus.topic
    raw = lines(passes("ann", 1, minute=0)).encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(raw)))
    out = io.StringIO()

    call_command("publish_events", "-", stdout=out)

    assert out.getvalue() == f"published 1 events to {bus.topic}\n"
    assert len(bus.messages()) == 1


def test_one_bad_line_and_nothing_is_sent(bus: Bus, tmp_path: Path) -> None:
    good = passes("ann", 1, minute=0)
    file = tmp_path / "events.jsonl"
    file.write_text(lines(good, {**good, "id": "x"}) + "\n{\n" + lines(good))

    with pytest.raises(CommandError) as caught:
        publish(str(file), bus)

    head, *faults = str(caught.value).splitlines()
    assert head.endswith("2 bad lines; nothing was sent")
    assert faults[0] == "line 2: id: 'x' is not a UUID"
    assert faults[1].startswith("line 4: column 2: not JSON")
    assert bus.messages() == []


def test_more_than_a_stream_keeps_is_said(bus: Bus, settings: Settings, tmp_path: Path) -> None:
    settings.EVENT_BUS_REDIS_STREAM_MAX_LEN = 1
    file = tmp_path / "events.jsonl"
    file.write_text(lines(passes("ann", 1, minute=0), passes("ann", 2, minute=1)))

    _, err = publish(str(file), bus)

    assert "EVENT_BUS_REDIS_STREAM_MAX_LEN" in err


def test_a_bus_that_is_gone_is_an_error(bus: Bus, settings: Settings, tmp_path: Path) -> None:
    settings.EVENT_BUS_REDIS_CONNECTION_URL = "redis://127.0.0.1:1/0"
    file = tmp_path / "events.jsonl"
    file.write_text(lines(passes("ann", 1, minute=0)))

    with pytest.raises(CommandError, match="published 0 of 1 events"):
        publish(str(file), bus)


def test_a_missing_file_is_an_error(bus: Bus, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No such file"):
        publish(str(tmp_path / "none"), bus)
