"""Fixtures of all tests: the servers, and a clean slate for what a process remembers."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings as hypothesis_settings

from badges import rulebook
from events import arrivals
from tests.fakes.oracle import oracle
from tests.servers import RedisServer, redis_server

hypothesis_settings.register_profile("ci", max_examples=200, deadline=None)
hypothesis_settings.register_profile("long", max_examples=5_000, deadline=None)
hypothesis_settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture(scope="session")
def redis() -> Iterator[RedisServer]:
    """A Redis of this test process."""
    with redis_server() as server:
        yield server


@pytest.fixture(autouse=True)
def _forget_rules() -> None:
    """Each test's database counts rule versions from zero again, and has seen no event."""
    rulebook.forget()
    arrivals.forget()


@pytest.fixture(autouse=True)
def _forget_answers() -> None:
    """Each test tells the oracle what to answer."""
    oracle.clear()
