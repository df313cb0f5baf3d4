"""What the demo does with Django in its own process: commands, and looking whether all is done.

`connect` comes first: it sets Django up with the environment of this run. The commands are those
of manage.py; running them here saves six starts.
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

from tests.demo.campus import COURSE, EVALUATED, REQUIRED
from tests.demo.reckoning import RunCounts
from tests.demo.running import Running, Unfinished, log_of
from tests.demo.stream import TOPICS
from tests.processes import ProgramError

_GROUP: Final = b"laurel"
_WAITING: Final[Mapping[str, tuple[Mapping[str, Any], str]]] = {
    "credentials.Issuance": ({"next_attempt_at__isnull": False}, "issuances not carried out"),
    "credentials.OutboxEvent": ({"published_at": None}, "awards and revocations not published"),
    "credentials.CredlyWebhook": ({"next_attempt_at__isnull": False}, "webhooks not worked out"),
    "certificates.CertificateMail": ({"next_attempt_at__isnull": False}, "mails not sent"),
}


def connect(environment: Mapping[str, str]) -> None:
    # The services say more in their logs; here it would stand between the lines of the demo.
    os.environ.update({**environment, "LOG_LEVEL": "ERROR"})
    django.setup()


def manage(command: str, *args: str, **options: Any) -> None:
    """Its output goes to var/demo/manage.log. Raises ProgramError with what it complains about."""
    with log_of("manage").open("a") as log:
        log.write(f"--- {command} {' '.join(args)}\n")
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
    """LMS ids; 0 stands for a learner without one."""
    rows = apps.get_model("credentials", "Learner").objects.values_list("lms_user_id", flat=True)
    return frozenset(each or 0 for each in rows)


def make_schedule() -> int:
    """For the badge that waits for what a schedule finds; its key. Like one made in the admin, but
    the import file has the requirement.
    """
    from certificates import schedules
    from certificates.models import CredentialType, EligibilitySchedule
    from credentials.models import BadgeTemplate

    kind = CredentialType.objects.create(
        name="Course completed",
        retriever="completions",
        options={"required_completion": REQUIRED},
    )
    template = BadgeTemplate.objects.get(requirements__event_type=EVALUATED)
    schedule = EligibilitySchedule(type=kind, template=template, context_key=COURSE)
    return schedules.create(schedule).pk


def run_now(schedule_id: int) -> int:
    """As the button in the admin: a worker does it. The key of the run."""
    from django.utils import timezone

    from certificates import runs
    from certificates.models import EligibilitySchedule

    schedule = EligibilitySchedule.objects.get(pk=schedule_id)
    return runs.request(schedule, now=timezone.now()).pk


def run_counts(run_id: int) -> RunCounts:
    """Raises ProgramError when the run failed."""
    run = apps.get_model("certificates", "ScheduleRun").objects.get(pk=run_id)
    if run.state != "done":
        raise ProgramError(f"the run of the schedule is {run.state}: {run.error}")
    return RunCounts(**{name: getattr(run, name) for name in attrs.fields_dict(RunCounts)})


def create_admin(*, name: str, password: str) -> None:
    users = apps.get_model("auth", "User").objects
    users.create_superuser(name, f"{name}@example.com", password)


@attrs.frozen
class Topic:
    """How far the consumers' group is on one topic, in messages."""

    written: int = 0
    read: int = 0
    unacknowledged: int = 0

    @property
    def done(self) -> int:
        return self.read - self.unacknowledged


class Progress:
    """Watches one running demo."""

    def __init__(self, run: Running) -> None:
        self._run = run
        self._redis: Any = redis.Redis.from_url(run.redis.url)

    def close(self) -> None:
        self._redis.close()

    def add_raw(self, topic: str, fields: Mapping[bytes, bytes]) -> None:
        self._redis.xadd(topic, dict(fields))

    def messages_read(self) -> int:
        return sum(each.read for each in self._topics().values())

    def rate_until_drained(self) -> float:
        """Messages per second from the consumer's first read to its last acknowledgement of what
        is on the topics now. Call it before the consumer has started.
        """
        targets = {name: topic.written for name, topic in self._topics().items()}
        nothing = [("consumer", "has read nothing")]
        self._run.wait(lambda: [] if self.messages_read() else nothing, every=0.01)
        started = time.monotonic()
        self._run.wait(lambda: self._unread(targets), every=0.01)
        return sum(targets.values()) / (time.monotonic() - started)

    def wait_until_asked(self, run_id: int) -> None:
        """Returns when the run of the schedule has ended, well or not."""
        runs = apps.get_model("certificates", "ScheduleRun").objects
        unfinished = runs.filter(pk=run_id, finished_at=None)
        asking = [("worker", "the schedule has not run")]
        self._run.wait(lambda: asking if unfinished.exists() else [])

    def wait_until_issued(self) -> None:
        """Returns when all that is read now is carried out, published and told."""
        models = ("credentials.Issuance", "credentials.OutboxEvent", "certificates.CertificateMail")
        self._run.wait(lambda: self._waiting(*models))

    def settle(self) -> None:
        """Returns when nothing is left to do anywhere."""
        self._run.wait(self._unsettled)

    def _topics(self) -> dict[str, Topic]:
        found = {}
        for name in TOPICS:
            written = read = unacknowledged = 0
            if self._redis.exists(name):
                written = self._redis.xlen(name)
                for group in self._redis.xinfo_groups(name):
                    if group["name"] == _GROUP:
                        read, unacknowledged = group["entries-read"] or 0, group["pending"]
            found[name] = Topic(written, read, unacknowledged)
        return found

    def _unread(self, targets: Mapping[str, int]) -> Unfinished:
        return [
            ("consumer", f"{targets[name] - topic.done} messages of {name} not acknowledged")
            for name, topic in self._topics().items()
            if topic.done < targets[name]
        ]

    def _waiting(self, *models: str) -> Unfinished:
        counts = {
            model: apps.get_model(model).objects.filter(**_WAITING[model][0]).count()
            for model in models
        }
        return [
            ("worker", f"{count} {_WAITING[model][1]}") for model, count in counts.items() if count
        ]

    def _unsettled(self) -> Unfinished:
        """What is written to a topic while we look may have effects that we did not see: then we
        look again.
        """
        before = self._topics()
        found = self._unread({name: topic.written for name, topic in before.items()})
        found = found or self._waiting(*_WAITING) or self._not_called_back()
        if not found and self._topics() != before:
            found = [("consumer", "messages came while we looked")]
        return found

    def _not_called_back(self) -> Unfinished:
        events = self._run.control("state")["events"]
        count = sum(each["delivery"]["state"] == "waiting" for each in events)
        return [("web", f"{count} callbacks of Credly not accepted")] if count else []
