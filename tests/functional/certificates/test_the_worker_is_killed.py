"""The worker is killed between the award and the issue, and the bus tells everything again."""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
import redis as redis_client

from credly_client.sandbox import Running
from tests.forks import Forks, forks
from tests.functional.certificates.conftest import MailServer
from tests.functional.exam_stories import PROCTORED, exam, proctored
from tests.functional.stories import ACME
from tests.processes import HOST
from tests.servers import RedisServer, redis_server

TOPIC = "learning-badges-lifecycle"
CONSUME = ("consume_events", "-t", TOPIC, "-g", "laurel", "--extra", '{"until_idle": true}')
WORK = ("issue_due", "--until-idle")
END_LEASES = """
UPDATE credentials_issuance SET leased_until = NULL, next_attempt_at = '2026-01-01 00:00:00'
 WHERE next_attempt_at IS NOT NULL;
UPDATE credentials_lease SET until = '2026-01-01 00:00:00';
"""


@attrs.frozen
class Operated:
    """A service on files, and the servers that its processes speak to."""

    folder: Path
    manage: Forks
    bus: RedisServer
    credly: Running
    mails: MailServer

    def end_leases(self) -> None:
        """As some minutes would."""
        with sqlite3.connect(self.folder / "laurel.sqlite3") as connection:
            connection.executescript(END_LEASES)
        connection.close()

    def rewind(self) -> None:
        """The whole topic comes again."""
        with redis_client.Redis.from_url(self.bus.url) as bus:
            bus.xgroup_setid(TOPIC, "laurel", 0)

    def sent(self) -> int:
        """Calls that were to change something at Credly."""
        calls = self._at_credly()["calls"]
        return sum(number for name, number in calls.items() if not name.startswith("GET"))

    def seen(self) -> dict[str, Any]:
        """All that anybody outside could notice, and what Laurel knows itself."""
        badges = self._at_credly()["badges"]
        media = self.folder / "media"
        return {
            "badges": [(each["id"], each["state"]) for each in badges],
            "files": {each: each.read_bytes() for each in media.rglob("*.pdf")},
            "mails": [each["Message-ID"] for each in self.mails.box.mails],
            "learners": json.loads(self.manage.run("badges_state"))["learners"],
            "sent": self.sent(),
        }

    def _at_credly(self) -> Any:
        return self.credly.sandbox.control("state", {}, method="GET")


@pytest.fixture
def operated(
    tmp_path: Path, credly: Running, mail_server: MailServer, migrated: Path
) -> Iterator[Operated]:
    shutil.copy(migrated, tmp_path / "laurel.sqlite3")
    credly.sandbox.control(
        "templates", {"id": PROCTORED, "organization_id": ACME, "name": "Proctored final"}
    )
    with redis_server(tmp_path / "redis") as bus:
        env = {
            "DATABASE_URL": f"sqlite:///{tmp_path / 'laurel.sqlite3'}",
            "REDIS_URL": bus.url,
            "CREDLY_API_BASE_URL": credly.api_url,
            "EMAIL_URL": f"smtp://{HOST}:{mail_server.port}",
            "STORAGE_URL": f"file://{tmp_path / 'media'}",
        }
        with forks(tmp_path, env=env) as manage:
            yield Operated(tmp_path, manage, bus, credly, mail_server)


def test_x_8_killed_twice_it_issues_once_and_a_replay_changes_nothing(operated: Operated) -> None:
    manage, switches = operated.manage, operated.credly.sandbox.control
    document, events = operated.folder / "import.json", operated.folder / "events.jsonl"
    document.write_text(json.dumps(proctored(providers=["credly", "pdf"])))
    told = [exam("submitted", 1), exam("verified", 2)]
    events.write_text("".join(f"{json.dumps(each)}\n" for each in told))
    manage.run("badges_import", str(document))
    manage.run("publish_events", str(events))
    manage.run(*CONSUME)
    # Before Credly has done anything, then when it has and nobody heard of it.
    for fault in ("timeout_before", "slow"):
        sent = operated.sent()
        switches("switches", {fault: {"seconds": 30, "calls": "POST"}}, method="POST")
        manage.kill(*WORK, when=lambda: operated.sent() > sent)  # noqa: B023 -- called at once
        switches("switches", {fault: False}, method="POST")
        operated.end_leases()
    manage.run(*WORK)

    once = operated.seen()
    assert [state for _, state in once["badges"]] == ["pending"]
    assert (len(once["files"]), len(once["mails"]), once["sent"]) == (1, 1, 2)

    for _ in range(2):
        operated.rewind()
        manage.run(*CONSUME)
    manage.run(*WORK)
    assert operated.seen() == once
