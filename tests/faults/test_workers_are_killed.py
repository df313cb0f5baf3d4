"""Everything goes wrong at Credly, one call in three, and workers are killed in the middle."""

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import attrs

from credly_client.sandbox import Running, Sandbox, serve
from credly_client.sandbox.faults import AT_RANDOM
from tests.awards import GLOBEX, environment, introduce
from tests.dialog import Dialog, dialog
from tests.faults.place import PATIENCE, Place

AWARDS: Final = 2_000
REVOCATIONS: Final = 400
KILLS: Final = 10
LIVE: Final = {"pending", "accepted"}


@attrs.frozen
class Issuers:
    """Talks to tests.faults.issuers."""

    dialog: Dialog

    def live(self, *, until: int = 0, credly: Running) -> int:
        """One worker's life, ended by kill -9 once Credly has seen that many changes; its exit
        status.
        """
        pid = int(self.dialog.ask("work"))
        deadline = time.monotonic() + PATIENCE
        while changes(credly) < until:
            assert time.monotonic() < deadline
            time.sleep(0.002)
        if until:
            os.kill(pid, signal.SIGKILL)
        status = int(self.dialog.hear())
        wait_until_quiet(credly)
        return status


@contextmanager
def issuers(place: Place, credly: Running) -> Iterator[Issuers]:
    credly_env = {**environment(GLOBEX), "CREDLY_API_BASE_URL": credly.api_url}
    env = {**place.env, **credly_env, "LOG_LEVEL": "WARNING"}
    with dialog("tests.faults.issuers", log=place.folder / "workers.log", env=env) as talk:
        yield Issuers(talk)


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
        workers.dialog.ask(f"award {AWARDS}")
        for kill in range(KILLS):
            if kill == KILLS // 2:
                workers.dialog.ask(f"revoke {REVOCATIONS}")
            enough = changes(credly) + AWARDS // (4 * KILLS)
            assert workers.live(until=enough, credly=credly) == -signal.SIGKILL
        assert workers.live(credly=credly) == 0

        found = json.loads(workers.dialog.ask("look"))
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
