"""Yesterday's backup of PostgreSQL is restored, word for word as docs/badges/operate.md tells."""

import json
import os
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs
import pytest
import redis as redis_py

from credly_client.sandbox import Running, Sandbox, serve
from tests.functional.conftest import KEY
from tests.functional.stories import ACME, EXPLORER, explorer, passes
from tests.functional.test_docs import BADGES, section, text_of
from tests.programs import postgres_programs
from tests.servers import PYTHON, ROOT, RedisServer, postgres_server, redis_server

TOPIC = "learning-badges-lifecycle"
PUBLIC = re.compile(rb"org\.openedx\.learning\.badge\.(awarded|revoked)\.v1")


@attrs.frozen
class Installation:
    env: dict[str, str]
    folder: Path
    sandbox: Running
    redis: RedisServer

    def shell(self, script: str) -> str:
        done = subprocess.run(
            ["bash", "-euc", script],
            cwd=ROOT,
            env={**os.environ, **self.env},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr[-3000:]}"
        return done.stdout

    def live(self, *events: dict[str, Any], first: Any = (), worker: bool = True) -> None:
        """The events happen and are consumed; the worker does its part. `first`: commands."""
        file = self.folder / "events.jsonl"
        file.write_text("".join(json.dumps(event) + "\n" for event in events))
        commands = [
            ["publish_events", str(file)],
            ["consume_events", "-t", TOPIC, "-g", "laurel", "--extra", '{"until_idle": true}'],
        ]
        self.commands(*first, *commands, *([["issue_due", "--until-idle"]] if worker else []))

    def commands(self, *commands: list[str]) -> None:
        """One after the other, in one process."""
        script = "import django, json, sys\ndjango.setup()\n" + _MANY
        words = [PYTHON, "-c", script, json.dumps(commands)]
        env = {**os.environ, **self.env, "DJANGO_SETTINGS_MODULE": "settings"}
        done = subprocess.run(words, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]

    def state(self) -> Any:
        found = json.loads(self.shell(f"{PYTHON} manage.py badges_state"))
        found["inbox"].pop("duplicate")
        return found

    def published(self) -> Counter[bytes]:
        with closing(redis_py.Redis.from_url(self.redis.url)) as client:
            answer: Any = client.xrange(TOPIC)
            entries = [fields for _, fields in answer]
        return Counter(each[b"id"] for each in entries if PUBLIC.fullmatch(each[b"type"]))

    def badges(self) -> dict[str, str]:
        found = self.sandbox.sandbox.control("state", {}, method="GET")["badges"]
        return {badge["id"]: badge["state"] for badge in found}


_MANY = """
from django.core.management import call_command
for name, *words in json.loads(sys.argv[1]):
    try:
        call_command(name, *words)
    except SystemExit as left:
        if left.code:
            raise
"""


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    with (
        postgres_server() as postgres,
        redis_server(tmp_path / "redis") as redis,
        serve(Sandbox(None)) as sandbox,
    ):
        sandbox.sandbox.control("organizations", {"id": ACME, "name": "Acme", "token": KEY})
        sandbox.sandbox.control(
            "templates", {"id": EXPLORER, "organization_id": ACME, "name": "Data Explorer"}
        )
        env = {
            "PATH": f"{postgres_programs()}:{os.environ['PATH']}",
            "DATABASE_URL": postgres.url,
            "REDIS_URL": redis.url,
            "ACME_CREDLY_KEY": KEY,
            "CREDLY_API_BASE_URL": sandbox.api_url,
        }
        yield Installation(env, tmp_path, sandbox, redis)


def told(folder: Path) -> tuple[str, str]:
    """The commands of the document that can run here: to back up, and to restore."""
    text = section(text_of(BADGES / "operate.md"), "The database was restored from a backup")
    blocks = re.findall(r"^```\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    backup, _stop, restore, _start, compare = blocks
    here = [
        block.replace("laurel.dump", str(folder / "laurel.dump")) for block in (backup, restore)
    ]
    assert here[1].count("2026-11-20T02:00:00+00:00") == 1
    began = datetime.now(UTC).isoformat()
    here[1] = here[1].replace("2026-11-20T02:00:00+00:00", began)
    return here[0], here[1] + f".venv/bin/python manage.py issue_due --until-idle\n{compare}"


def test_everything_is_as_it_was(installation: Installation) -> None:
    here = installation
    file = here.folder / "import.json"
    file.write_text(json.dumps(explorer()))
    empty = (["migrate", "-v", "0"], ["badges_import", str(file)])
    # Ann had her badge before the backup began.
    here.live(passes("ann", 1, minute=1), passes("ann", 2, minute=2), first=empty)
    backup, restore = told(here.folder)
    here.shell(backup)
    # Then she lost it; Bob and Cid got theirs.
    others = [passes(who, n, minute=n + 3) for who in ("bob", "cid") for n in (1, 2)]
    here.live(*others, passes("ann", 1, minute=7, passing=False))
    # Cid lost his, but the disk broke before the worker could say so at Credly.
    here.live(passes("cid", 1, minute=8, passing=False), worker=False)
    before, badges, published = here.state(), here.badges(), here.published()
    assert sorted(badges.values()) == ["pending", "pending", "revoked"]

    answers = here.shell(restore)

    assert f"{TOPIC}: is read again from" in answers
    assert "IT NO LONGER HOLDS" not in answers
    after = here.state()
    (cids,) = [each for each in before["learners"] if each["username"] == "cid"]
    (issuance,) = cids["templates"][0]["credential"]["issuances"]
    assert issuance["state"] == "pending"
    issuance["state"] = "revoked"  # what the worker had not come to
    assert after == before
    assert set(here.badges()) == set(badges)
    assert sorted(here.badges().values()) == ["pending", "revoked", "revoked"]
    assert here.sandbox.sandbox.control("duplicates", {}, method="GET")["duplicates"] == []
    # Five transitions; what was told again was told under the same id.
    assert len(here.published()) == 5
    assert set(published) < set(here.published())
