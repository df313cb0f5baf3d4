"""When to try again: pure functions of the number of attempts."""

import random
from datetime import timedelta

_SPREAD = 0.2
_RANDOM = random.Random()


def backoff(
    attempts: int, *, first: timedelta, longest: timedelta, rng: random.Random | None = None
) -> timedelta:
    """The wait after the `attempts`-th failed attempt: doubling from `first` up to `longest`,
    spread by 20 % so that what failed together does not come back together.
    """
    doubled: timedelta = first * 2 ** min(max(attempts, 1) - 1, 30)
    jitter = (rng or _RANDOM).uniform(1 - _SPREAD, 1 + _SPREAD)
    return min(doubled, longest) * jitter
