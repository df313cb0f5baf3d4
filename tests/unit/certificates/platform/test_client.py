"""When a call is made again."""

from datetime import timedelta

import pytest

from certificates.platform.client import Patience
from certificates.platform.errors import (
    MalformedAnswer,
    NotFound,
    PlatformError,
    RateLimited,
    ServerError,
    Unreachable,
)

PATIENCE = Patience(attempts=3, first=timedelta(seconds=1), longest=timedelta(seconds=10))


@pytest.mark.parametrize("error", [ServerError("500"), Unreachable("gone"), RateLimited("429")])
def test_what_may_pass_is_tried_again_later_each_time(error: PlatformError) -> None:
    first, second = (PATIENCE.wait(error, attempt=attempt) for attempt in (1, 2))
    assert first is not None
    assert second is not None
    assert 0.8 <= first <= 1.2
    assert 1.6 <= second <= 2.4
    assert PATIENCE.wait(error, attempt=3) is None


@pytest.mark.parametrize("error", [NotFound("404"), MalformedAnswer("no JSON")])
def test_what_will_not_pass_is_not(error: PlatformError) -> None:
    assert PATIENCE.wait(error, attempt=1) is None


@pytest.mark.parametrize(("asked", "wait"), [(0.0, 0.0), (10.0, 10.0), (10.5, None)])
def test_the_platform_says_when(asked: float, wait: float | None) -> None:
    assert PATIENCE.wait(RateLimited("429", retry_after=asked), attempt=1) == wait
