"""What the demo does with Django in its own process: commands, and looking whether all is done.

Import it only when the environment is set: `connect` sets Django up. The commands are the ones of
manage.py; run in one process they save the start of six.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import attrs
import django
import redis
from django.apps import apps
from django.conf import settings
from django.core.management import CommandError, call_command

from tests.demo.running import Running, log_of, tail
from tests.demo.stream import TOPICS
from tests.processes import ProgramError

_GROUP: Final = "laurel"
_SETTLE_SECONDS: Final = 120.0
_POLL: Final = 0.05
_WAITING: Final[Mapping[str, tuple[Mapping[str, Any], str]]] = {
    "Issuance": ({"next_attempt_at__isnull": False}, "issuances not carried out"),
    "OutboxEvent": ({"published_at": None}, "awards and revocations not published"),
    "CredlyWebhook": ({"next_attempt_at__isnull": False}, "webhooks not worked out"),
}


def connect(environment: Mapping[str, str]) -> None:
    # The services say more in their logs; here it would stand between the lines of the demo.
    os.environ.update(environment | {"LOG_LEVEL": "ERROR"})
    django.setup()


def manage(command: str, *args: str, **options: Any) -> None:
    """Its output goes to var/demo/manage.log. Raises ProgramError with what it complains about."""
    with log_of("manage").open("a") as log:
        log.write(f"--- {command} {' '.join(args)}\n")
        log.flush()
        try:
            call_command(command, *args, stdout=log, stderr=log, **options)
        except CommandError as error:
            raise ProgramError(f"manage.py {command}: {error}") from error


def badges_state(file: Path) -> Any:
    with file.open("w") as output:
        call_command("badges_state", stdout=output)
    return json.loads(file.read_text())


def configured_types() -> frozenset[str]:
    entries: Sequence[Any] = settings.BADGES_CONFIG["events"]
    return frozenset(each if isinstance(each, str) else each["type"] for each in entries)


def known_learners() -> frozenset[int]:
    learners = apps.get_model("credentials", "Learner").objects
    return frozenset(learners.values_list("lms_user_id", flat=True))


def create_admin(*, name: str, password: str) -> None:
    users = apps.get_model("auth", "User").objects
    users.create_superuser(name, f"{name}@example.com", password)


@attrs.frozen
class Read:
    """How far the consumer is, over all topics."""

    written: int  # messages on the streams
    read: int
    unacknowledged: int

    @property
    def drained(self) -> bool:
        return self.written == self.read and not self.unacknowledged


class Progress:
    """Watches one running demo."""

    def __init__(self, run: Running) -> None:
        self._run = run
        self._redis: Any = redis.Redis.from_url(run.redis.url)

    def close(self) -> None:
        self._redis.close()

    def add_raw(self, topic: str, fields: Mapping[bytes, bytes]) -> None:
        self._redis.xadd(topic, dict(fields))

    def how_far(self) -> Read:
        written = read = unacknowledged = 0
        for topic in TOPICS:
            if not self._redis.exists(topic):
                continue
            written += self._redis.xlen(topic)
            for group in self._redis.xinfo_groups(topic):
                if group["name"] == _GROUP.encode():
                    read += group["entries-read"] or 0
                    unacknowledged += group["pending"]
        return Read(written, read, unacknowledged)

    def rate_until_drained(self) -> float:
        """Messages per second from the consumer's first read to its last acknowledgement of what
        is on the streams now. Call it before the consumer starts.
        """
        waiting = self.how_far().written
        self._run.wait_until(lambda: self.how_far().read, what="the consumer's first batch")
        started = time.monotonic()
        self._wait(lambda: self._unread(at_least=waiting))
        return waiting / (time.monotonic() - started)

    def wait_until_issued(self) -> None:
        """Returns when all that is read is carried out at Credly and published."""
        self._wait(self._unread)
        self._wait(lambda: self._waiting("Issuance", "OutboxEvent"))

    def settle(self) -> None:
        """Returns when nothing is left to do anywhere. Raises ProgramError that names what is, with
        the log of the process it is up to.
        """
        self._wait(self._unsettled)

    def _wait(self, unfinished: Any) -> None:
        deadline = time.monotonic() + _SETTLE_SECONDS
        while left := unfinished():
            self._run.ensure_alive()
            if time.monotonic() > deadline:
                problems = "; ".join(what for _, what in left)
                log = "\n".join(tail(left[0][0]))
                raise ProgramError(
                    f"not settled within {_SETTLE_SECONDS:g} s: {problems}\n"
                    f"end of {log_of(left[0][0])}:\n{log}"
                )
            time.sleep(_POLL)

    def _unread(self, *, at_least: int | None = None) -> list[tuple[str, str]]:
        far = self.how_far()
        if far.drained or (at_least is not None and far.read - far.unacknowledged >= at_least):
            return []
        return [
            (
                "consumer",
                f"{far.written - far.read} messages unread, {far.unacknowledged} unacknowledged",
            )
        ]

    def _unsettled(self) -> list[tuple[str, str]]:
        """(process it is up to, what is not done). What is written to the streams while we look
        may have consequences that we did not see: then we look again.
        """
        before = self.how_far()
        if unread := self._unread():
            return unread
        found = self._waiting(*_WAITING)
        if not found:
            deliveries = self._run.control("state")["events"]
            count = sum(each["delivery"]["state"] == "waiting" for each in deliveries)
            found = [("web", f"{count} callbacks of Credly not accepted")] if count else []
        if not found and self.how_far() != before:
            found = [("consumer", "messages came while we looked")]
        return found

    def _waiting(self, *models: str) -> list[tuple[str, str]]:
        counts = {
            model: apps.get_model("credentials", model).objects.filter(**_WAITING[model][0]).count()
            for model in models
        }
        return [
            ("worker", f"{count} {_WAITING[model][1]}") for model, count in counts.items() if count
        ]
