"""Everything goes wrong at Credly, one call in three, and workers are killed in the middle."""

import json
import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Final

import attrs

from credly_client.sandbox import Running, Sandbox, serve
from credly_client.sandbox.faults import AT_RANDOM
from tests.awards import GLOBEX, environment, introduce
from tests.faults.place import PATIENCE, Place
from tests.servers import PYTHON, ROOT

AWARDS: Final = 2_000
REVOCATIONS: Final = 400
KILLS: Final = 10
LIVE: Final = {"pending", "accepted"}


@attrs.frozen
class Issuers:
    """Talks to tests.faults.issuers."""

    requests: IO[str]
    answers: IO[str]

    def ask(self, request: str) -> str:
        self.requests.write(f"{request}\n")
        self.requests.flush()
        return self.answers.readline().strip()

    def live(self, *, until: int = 0, credly: Running) -> int:
        """One worker's life, ended by kill -9 once Credly has seen that many changes; its exit
        status.
        """
        pid = int(self.ask("work"))
        deadline = time.monotonic() + PATIENCE
        while changes(credly) < until:
            assert time.monotonic() < deadline
            time.sleep(0.002)
        if until:
            os.kill(pid, signal.SIGKILL)
        status = int(self.answers.readline())
        wait_until_quiet(credly)
        return status


@contextmanager
def issuers(place: Place, credly: Running) -> Iterator[Issuers]:
    env = {**os.environ, **place.env, **environment(GLOBEX), "CREDLY_API_BASE_URL": credly.api_url}
    with (
        (place.folder / "workers.log").open("ab") as log,
        subprocess.Popen(
            [PYTHON, "-m", "tests.faults.issuers"],
            cwd=ROOT,
            env={**env, "LOG_LEVEL": "WARNING"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as process,
    ):
        assert process.stdin
        assert process.stdout
        yield Issuers(process.stdin, process.stdout)


def changes(credly: Running) -> int:
    """Badges that were issued or revoked there."""
    return int(credly.sandbox.control("duplicates", {}, method="GET")["changes"])


def wait_until_quiet(credly: Running) -> None:
    """What a killed worker had sent is through: the lease outlives it, and here nobody waits for
    that.
    """
    before = -1
    while before != (before := changes(credly)):
        time.sleep(0.25)


def test_two_thousand_badges(place: Place) -> None:
    with serve(Sandbox(None)) as credly, issuers(place, credly) as workers:
        introduce(credly.sandbox, GLOBEX)
        faults = {"one_in": 3, "seed": 7, "seconds": 0.05, "retry_after": 30}
        more = dict.fromkeys(("extra_keys", "next_page_drops_filter", "messages_as_text"), True)
        credly.sandbox.control(
            "switches", {"random": faults, "batch_stops_in_the_middle": True, **more}
        )
        workers.ask(f"award {AWARDS}")
        for kill in range(KILLS):
            if kill == KILLS // 2:
                workers.ask(f"revoke {REVOCATIONS}")
            enough = changes(credly) + AWARDS // (4 * KILLS)
            assert workers.live(until=enough, credly=credly) == -signal.SIGKILL
        assert workers.live(credly=credly) == 0

        found = json.loads(workers.ask("look"))
        there = credly.sandbox.control("state", {}, method="GET")
        duplicates = credly.sandbox.control("duplicates", {}, method="GET")
    assert duplicates["duplicates"] == []
    assert set(there["faults"]) >= {*AT_RANDOM}
    badges = {badge["id"]: badge for badge in there["badges"] if badge["state"] in LIVE}
    held = Counter(badge["issuer_earner_id"] for badge in badges.values())
    assert len(found) == AWARDS
    assert {each["leased_until"] for each in found} == {None}
    for each in found:
        if each["live"]:
            assert (each["state"], held[each["learner"]]) == ("pending", 1), each
            assert badges[each["external_id"]]["issuer_earner_id"] == each["learner"]
        else:
            assert each["state"] in {"revoked", "cancelled"}, each
            assert held[each["learner"]] == 0
    assert sum(not each["live"] for each in found) == REVOCATIONS
