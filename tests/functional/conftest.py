"""The service as a person meets it: files and commands in, state and provider out."""

import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import attrs
import pytest
from django.core.management import call_command
from pytest_django import Settings

from consumer.bus import BatchConsumer
from credly_client.sandbox import Running, Sandbox, serve
from tests.functional.stories import ACME, EXPLORER
from tests.servers import RedisServer

KEY = "key-of-acme"


@attrs.define
class Service:
    """Laurel in this process, on its own topic of a real Redis."""

    topic: str
    folder: Path

    def load(self, document: dict[str, Any]) -> None:
        file = self.folder / "import.json"
        file.write_text(json.dumps(document))
        call_command("badges_import", str(file), stdout=io.StringIO())

    def publish(self, events: Sequence[dict[str, Any]]) -> None:
        file = self.folder / "events.jsonl"
        file.write_text("".join(json.dumps(event) + "\n" for event in events))
        call_command("publish_events", str(file), topic=self.topic, stdout=io.StringIO())

    def consume(self, *, batch_size: int = 500, name: str = "c1", **extra: Any) -> int:
        options = {"batch_size": batch_size, "until_idle": True, **extra}
        return BatchConsumer(self.topic, "laurel", consumer_name=name, **options).run()

    def issue(self) -> None:
        """Carry out what is due and what waits for its next try, as time would."""
        call_command("issue_due", stdout=io.StringIO())

    def state(self) -> dict[str, Any]:
        output = io.StringIO()
        call_command("badges_state", stdout=output)
        state: dict[str, Any] = json.loads(output.getvalue())
        return state

    def badge(self, username: str, template: str) -> dict[str, Any] | None:
        """The state of one template of one learner; None when there is none."""
        for learner in self.state()["learners"]:
            if learner["username"] == username:
                for each in learner["templates"]:
                    if each["template"] == template:
                        found: dict[str, Any] = each
                        return found
        return None


@pytest.fixture
def service(
    redis: RedisServer, settings: Settings, tmp_path: Path, transactional_db: None
) -> Service:
    topic = f"test-{uuid4()}"
    settings.REDIS_URL = redis.url
    settings.EVENT_BUS_REDIS_CONNECTION_URL = f"{redis.url}?socket_timeout=75"
    settings.BADGES_TOPIC = topic
    return Service(topic=topic, folder=tmp_path)


@pytest.fixture
def credly(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    """A local Credly that knows the organization Acme, with its key in the environment."""
    monkeypatch.setenv("ACME_CREDLY_KEY", KEY)
    with serve(Sandbox(None)) as running:
        settings.CREDLY_API_BASE_URL = running.api_url
        running.sandbox.control("organizations", {"id": ACME, "name": "Acme", "token": KEY})
        running.sandbox.control(
            "templates", {"id": EXPLORER, "organization_id": ACME, "name": "Data Explorer"}
        )
        yield running
