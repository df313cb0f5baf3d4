"""Consumers as processes of their own, on a database file and a Redis that a test may stop."""

import io
import json
import sqlite3
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import attrs
import redis
from django.core.management import call_command
from django.test import override_settings

from tests.servers import PYTHON, Process, RedisServer, free_port

TOPIC = "watched"


@attrs.frozen
class Fleet:
    folder: Path
    redis: RedisServer
    started: list[Process] = attrs.field(factory=list)

    @property
    def env(self) -> dict[str, str]:
        return {
            "DATABASE_URL": f"sqlite:///{self.database}",
            "REDIS_URL": self.redis.url,
            "DJANGO_SETTINGS_MODULE": "settings",
            "EVENT_BUS_TOPICS": "",
        }

    def bus(self) -> Any:
        return redis.Redis.from_url(self.redis.url)

    @property
    def database(self) -> Path:
        return self.folder / "laurel.sqlite3"

    def start(self, name: str, *, env: dict[str, str] | None = None, **extra: Any) -> "Consumer":
        port = free_port()
        options = {"consumer_name": name, "batch_size": 10, "metrics_port": port, **extra}
        log = self.folder / f"{name}-{port}.log"
        command = [PYTHON, "manage.py", "consume_events", "-t", TOPIC, "-g", "laurel"]
        process = Process(
            [*command, "--extra", json.dumps(options)], env={**self.env, **(env or {})}, log=log
        )
        self.started.append(process)
        return Consumer(process, port)

    def stop(self) -> None:
        for process in self.started:
            process.kill()

    def publish(self, events: list[dict[str, Any]]) -> None:
        file = self.folder / "events.jsonl"
        file.write_text("".join(json.dumps(event) + "\n" for event in events))
        url = f"{self.redis.url}?socket_timeout=75"
        with override_settings(EVENT_BUS_REDIS_CONNECTION_URL=url):
            call_command("publish_events", str(file), topic=TOPIC, stdout=io.StringIO())

    def accepted(self) -> int:
        query = "SELECT COUNT(*) FROM events_inboxevent WHERE state = 'accepted'"
        with closing(sqlite3.connect(self.database)) as connection:
            count: int = connection.execute(query).fetchone()[0]
        return count


@attrs.frozen
class Consumer:
    process: Process
    port: int

    def get(self, path: str) -> tuple[int, str]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except OSError:
            return 0, ""
        finally:
            connection.close()

    def is_ready(self) -> bool:
        return self.get("/readyz")[0] == 200

    def wait_until_ready(self) -> None:
        self.process.wait_for(self.is_ready, what="its readiness")

    def wait_for_words(self, words: str, *, times: int = 1) -> None:
        self.process.wait_for(
            lambda: self.process.output().count(words) >= times, what=repr(words), seconds=40
        )
