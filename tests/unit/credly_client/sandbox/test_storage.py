from datetime import UTC, datetime
from pathlib import Path

import pytest

from credly_client.sandbox import Sandbox, storage
from credly_client.sandbox.messages import Call
from credly_client.sandbox.storage import UnreadableStateError
from credly_client.sandbox.world import World

ORG = "5f1b0cb7-6d0a-4a7e-9d6c-3f0d5d0b8a10"
TEMPLATE = "0d4a7c1e-2b53-4f6f-9a60-6d1b7a3c9e21"


def filled(path: Path) -> Sandbox:
    sandbox = Sandbox(path)
    sandbox.control("organizations", {"id": ORG, "name": "Acme", "token": "key"})
    sandbox.control("templates", {"id": TEMPLATE, "organization_id": ORG, "name": "Data"})
    return sandbox


def test_the_state_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "new" / "state.json"
    first = filled(path)
    before = first.control("state", method="GET")
    first.stop()
    again = Sandbox(path).control("state", method="GET")
    assert again == before
    assert path.stat().st_mode & 0o077 == 0
    assert [file.name for file in path.parent.iterdir()] == ["state.json"]


def test_nothing_is_written_when_nothing_changed(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    Sandbox(path).stop()
    assert not path.exists()


def test_undelivered_events_are_due_again(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    filled(path).stop()
    world = World()
    storage.load(path, world=world)
    assert world.take_outgoing() == list(world.events)


def test_the_index_of_holders_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    sandbox = filled(path)
    issue = Call(
        method="POST",
        path=f"v1/organizations/{ORG}/badges",
        token="key",
        now=datetime(2026, 3, 1, 10, tzinfo=UTC),
        body={
            "recipient_email": "Ann@example.com",
            "issued_to_first_name": "Ann",
            "issued_to_last_name": "Lee",
            "badge_template_id": TEMPLATE,
            "issued_at": "2026-03-01T10:00:00Z",
        },
    )
    assert sandbox.answer(issue).status == 201
    sandbox.stop()
    assert Sandbox(path).answer(issue).status == 422


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"organizations": [1]}'])
def test_a_file_of_something_else_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "state.json"
    path.write_text(text)
    with pytest.raises(UnreadableStateError, match=r"state\.json"):
        Sandbox(path)
