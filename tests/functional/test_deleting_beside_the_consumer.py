"""Old events are deleted while new ones are consumed, on a real file and a real server."""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import attrs
import psycopg
import pytest

from tests.functional.stories import explorer
from tests.functional.test_consumer_is_killed import Place, credentials, stream
from tests.servers import PYTHON, Process, postgres_server, redis_server

OLD = 15_000
_FILL = f"""
from datetime import timedelta
from uuid import uuid4
from django.utils import timezone
from events.models import InboxEvent
long_ago = timezone.now() - timedelta(days=400)
InboxEvent.objects.bulk_create(
    InboxEvent(event_id=uuid4(), state="dead" if n % 1000 == 0 else "accepted", payload={{}},
               received_at=long_ago)
    for n in range({OLD})
)
"""
# In many small steps, so that it takes longer than the consumer.
_DELETE = """
from django.utils import timezone
from events.retention import delete_old
print(delete_old(now=timezone.now(), page=50, seconds=240))
"""


@attrs.define
class Base:
    place: Place
    url: str

    def count(self, where: str) -> int:
        sql = f"SELECT count(*) FROM events_inboxevent WHERE {where}"  # noqa: S608 -- ours
        connection: Any = (
            psycopg.connect(self.url)
            if self.url.startswith("postgresql")
            else sqlite3.connect(self.place.database)
        )
        with closing(connection):
            (found,) = connection.execute(sql).fetchone()
        return int(found)


@pytest.fixture(params=["sqlite", "postgresql"])
def base(request: pytest.FixtureRequest, tmp_path: Path, migrated: Path) -> Iterator[Base]:
    with ExitStack() as servers:
        redis = servers.enter_context(redis_server(tmp_path / "redis"))
        place = Place(tmp_path, redis_url=redis.url)
        if request.param == "postgresql":
            place.env["DATABASE_URL"] = servers.enter_context(postgres_server()).url
            place.manage("migrate", "-v", "0")
        else:
            shutil.copy(migrated, place.database)
        yield _filled(Base(place, place.env["DATABASE_URL"]))


def _filled(base: Base) -> Base:
    place = base.place
    file = place.folder / "import.json"
    file.write_text(json.dumps(explorer()))
    place.manage("badges_import", str(file))
    place.manage("shell", "-v", "0", "-c", _FILL)
    return base


def test_the_consumer_goes_on(base: Base) -> None:
    place = base.place
    events = stream()
    place.publish(events)
    log = place.folder / "delete.log"
    deletion = Process(
        [PYTHON, "manage.py", "shell", "-v", "0", "-c", _DELETE], env=place.env, log=log
    )
    with deletion, place.consumer() as consumer:
        deletion.wait_for(lambda: base.count("true") != OLD, what="its first step")
        consumer.wait_for(
            lambda: base.count("learner_id IS NOT NULL") == 400, what="the last event"
        )
        assert deletion.returncode is None  # they ran side by side
        assert deletion.wait(seconds=240) == 0, deletion.output()

    assert deletion.output().splitlines()[-1] == str(OLD - OLD // 1000)
    assert base.count("state = 'accepted'") == 400
    assert base.count("state = 'dead'") == OLD // 1000
    assert credentials(place.state()) == ["awarded"] * 200
    assert "tried again" not in consumer.output()
    assert "connection lost" not in consumer.output()
