"""A service of its own: database, Redis, consumers as processes, and what they leave behind."""

import json
import os
import signal
import subprocess
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import attrs
import redis

from tests import reference
from tests.faults.academy import TEMPLATES, Fields, Move, Told, happenings, moves, stream
from tests.servers import PYTHON, ROOT, Process, RedisServer

TOPIC: Final = "faults"
GROUP: Final = "laurel"
PUBLISHED: Final = "learning-badges-lifecycle"
PATIENCE: Final = 300.0  # seconds; only a machine that is very busy needs them

Pair = tuple[int, str]  # LMS user id, template


@attrs.frozen
class Place:
    folder: Path
    database_url: str
    redis: RedisServer
    consumers: list[Process] = attrs.field(factory=list)  # all that were started

    @property
    def env(self) -> dict[str, str]:
        return {
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis.url,
            "DJANGO_SETTINGS_MODULE": "tests.faults.settings",
        }

    @property
    def log(self) -> str:
        file = self.folder / "consumers.log"
        return file.read_text() if file.exists() else ""

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            [PYTHON, *arguments],
            cwd=ROOT,
            env={**os.environ, **self.env},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    def consumer(
        self, name: str = "c1", *, env: Mapping[str, str] | None = None, **extra: Any
    ) -> Process:
        options = {"consumer_name": name, "batch_size": 50, **extra}
        topic = ["-t", TOPIC, "-g", GROUP, "--extra", json.dumps(options)]
        consumer = Process(
            [PYTHON, "manage.py", "consume_events", *topic],
            env={**self.env, **(env or {})},
            log=self.folder / "consumers.log",
        )
        self.consumers.append(consumer)
        return consumer

    # --- The stream ---------------------------------------------------------------------------
    @contextmanager
    def client(self) -> Iterator[Any]:
        with closing(redis.Redis.from_url(self.redis.url)) as client:
            yield client

    def publish(self, messages: Iterable[Fields] | None = None) -> None:
        """In their order, by default the whole stream of the academy."""
        with self.client() as client, client.pipeline(transaction=False) as pipeline:
            for number, each in enumerate(stream() if messages is None else messages):
                pipeline.xadd(TOPIC, each)
                if number % 1_000 == 999:
                    pipeline.execute()
            pipeline.execute()

    def acknowledged(self) -> int:
        """How many messages the group has read and acknowledged."""
        with self.client() as client:
            for group in client.xinfo_groups(TOPIC) if client.exists(TOPIC) else ():
                return int(group["entries-read"] or 0) - int(group["pending"])
        return 0

    def wait_until_all_consume(self) -> None:
        """So that none comes too late for its share."""
        for each in self.consumers:
            wait_for(
                each,
                lambda: self.log.count("] consuming ") == len(self.consumers),
                what="its start",
            )

    def wait_until_all_is_read(self, *consumers: Process, number: int | None = None) -> None:
        """And acknowledged; then the consumers are told to leave, and do so with 0."""
        number = len(stream()) if number is None else number
        for each in consumers:
            wait_for(each, lambda: self.acknowledged() == number, what="the end of the stream")
        for each in consumers:
            each.send_signal(signal.SIGTERM)
        for each in consumers:
            assert each.wait(seconds=PATIENCE) == 0

    def published(self) -> list[UUID]:
        """Ids of the public events on the bus, in their order."""
        with self.client() as client:
            return [UUID(fields[b"id"].decode()) for _, fields in client.xrange(PUBLISHED)]

    # --- What is left ---------------------------------------------------------------------------
    def check(self, *, lost: Iterable[UUID] = ()) -> dict[str, Any]:
        """Nothing pending, nothing lost, nothing twice: all is as the reference has it, without
        the events in `lost`, which failed. Returns what was found.
        """
        with self.client() as client:
            (group,) = client.xinfo_groups(TOPIC)
            assert (group["pending"], group["lag"]) == (0, 0)
        found: dict[str, Any] = json.loads(self.run("-m", "tests.faults.inside"))
        left_out = set(lost)
        states = {UUID(event_id): state for event_id, state, _ in found["inbox"] if event_id}
        for each in moves():
            assert states.get(each.id) == ("failed" if each.id in left_out else "accepted")
        processed = {each.id: each for each in moves() if each.id not in left_out}
        _progress_fits(found["state"], processed.values())
        changes = _credentials_fit(found, processed)
        announced = Counter(UUID(event_id) for event_id, *_ in found["announced"])
        assert announced.total() == changes
        assert Counter(self.published()) == announced
        assert set(announced.values()) == {1}
        return found


def wait_for(consumer: Process, predicate: Callable[[], bool], *, what: str) -> None:
    """Patiently. Raises ProgramError."""
    consumer.wait_for(predicate, seconds=PATIENCE, what=what)


def _progress_fits(state: Mapping[str, Any], processed: Iterable[Move]) -> None:
    """Progress is a function of the set of events, whatever the order in which they arrived."""
    expected = _progress(tuple(processed))
    seen = {
        (learner["lms_user_id"], each["template"]): (
            each["complete"],
            each["groups_met"],
            {one["id"]: (one["fulfilled"], one["count"]) for one in each["requirements"]},
        )
        for learner in state["learners"]
        for each in learner["templates"]
    }
    assert seen == expected


@cache
def _progress(processed: tuple[Move, ...]) -> dict[Pair, Any]:
    expected: dict[Pair, Any] = {}
    for learner, mine in _by_learner(processed).items():
        for told in TEMPLATES:
            seen = list(happenings(told, mine))
            judged = reference.judge(told.badge, seen)
            requirements = {
                key: (judged.fulfilled[key], judged.counts[key]) for key in judged.fulfilled
            }
            if seen:
                expected[learner, told.uuid] = (judged.complete, judged.groups_met, requirements)
    return expected


def _by_learner(delivered: Iterable[Move]) -> dict[int, list[Move]]:
    found: dict[int, list[Move]] = defaultdict(list)
    for each in delivered:
        found[each.learner].append(each)
    return found


def _credentials_fit(found: Mapping[str, Any], processed: Mapping[UUID, Move]) -> int:
    """Awards and revocations follow the transitions in the order in which the events were
    processed, which the decisions tell. Returns how many there were.
    """
    orders: dict[Pair, dict[UUID, None]] = defaultdict(dict)
    endings: dict[Pair, list[tuple[str, UUID]]] = defaultdict(list)
    for learner, template, event_id, outcome in found["decisions"]:
        pair = learner, template
        if outcome in {"awarded", "revoked", "blocked"}:
            endings[pair].append((outcome, UUID(event_id)))
        else:
            orders[pair].setdefault(UUID(event_id))
    credentials: dict[Pair, list[list[UUID | None]]] = defaultdict(list)
    for learner, template, awarded, revoked in found["credentials"]:
        credentials[learner, template].append([UUID(awarded), revoked and UUID(revoked)])
    for told in TEMPLATES:
        for learner in {each.learner for each in processed.values()}:
            pair = learner, told.uuid
            outcomes, held = _awards(told, tuple(processed[each] for each in orders[pair]))
            assert endings[pair] == outcomes
            assert credentials[pair] == held
    return sum(1 + (each[1] is not None) for held in credentials.values() for each in held)


@cache
def _awards(told: Told, delivered: Sequence[Move]) -> tuple[list[tuple[str, Any]], list[list[Any]]]:
    changes = reference.transitions(told.badge, list(happenings(told, delivered)))
    return reference.awards(changes, reissue=told.reissue)
