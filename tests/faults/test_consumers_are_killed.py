"""kill -9 of consumers at chosen points, and of one of several."""

import json
import os
import random
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

from tests.faults import handlers
from tests.faults.place import GROUP, PATIENCE, TOPIC, Place
from tests.faults.proxy import Point, Proxy
from tests.forks import forks

# Name of the consumer, where it dies. A new name takes over what the one before left; the same
# name finds it as its own.
LIVES: Final = [
    ("a", Point.DELIVERED),
    ("a", Point.COMMITTING),
    ("a", Point.ACKNOWLEDGING),
    ("b", Point.CLAIMED),
    ("c", Point.ACKNOWLEDGING),
] * 4

# Lives once, with these options, dies in its n-th transaction or not at all (0); its exit status.
# `born` is told the pid.
Live = Callable[[dict[str, Any], int, Callable[[int], object]], int]


@contextmanager
def nursery(place: Place, proxy: Proxy) -> Iterator[Live]:
    with forks(place.folder, env={**place.env, "REDIS_URL": proxy.url}) as manage:

        def live(extra: dict[str, Any], in_handler: int, born: Callable[[int], object]) -> int:
            extra = {"batch_size": 10, "lease_seconds": 0.3, **extra}
            options = ["-t", TOPIC, "-g", GROUP, "--extra", json.dumps(extra)]
            dies = {handlers.DIES_IN: str(in_handler)}
            return manage.live("consume_events", *options, env=dies, born=born)

        yield live


def test_twenty_times_at_chosen_points(place: Place) -> None:
    place.publish()
    dice = random.Random("lives")
    with Proxy(place.redis.port) as proxy, nursery(place, proxy) as live:
        for number, (name, point) in enumerate(LIVES):
            passes = 1 if point is Point.CLAIMED else dice.randint(15, 45)

            def sentence(pid: int, point: Point = point, passes: int = passes) -> None:
                end = partial(os.kill, pid, signal.SIGKILL)
                proxy.arm(point, passes=passes, action=end, cut=True)

            extra = {"consumer_name": f"{name}{number // 5}", "claim_idle_seconds": 0}
            in_handler = passes if point is Point.COMMITTING else 0
            assert live(extra, in_handler, sentence) == -signal.SIGKILL
        last = {"consumer_name": "last", "claim_idle_seconds": 0, "until_idle": True}
        assert live(last, 0, str) == 0
    place.check()


def test_one_of_three(place: Place) -> None:
    with Proxy(place.redis.port) as proxy:
        victim = place.consumer("c1", env={"REDIS_URL": proxy.url}, batch_size=25)
        # What it dies with is lost unless the others take it over.
        end = partial(os.kill, victim.pid, signal.SIGKILL)
        proxy.arm(Point.DELIVERED, passes=3, action=end, cut=True)
        others = [
            place.consumer(name, batch_size=25, claim_idle_seconds=2) for name in ("c2", "c3")
        ]
        place.wait_until_all_consume()
        place.publish()
        assert victim.wait(seconds=PATIENCE) == -signal.SIGKILL
        place.wait_until_all_is_read(*others)
    place.check()
