from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from credly_client.client import CredlyClient
from credly_client.sandbox import Running, Sandbox, serve
from tests.functional.credly_sandbox.academy import Academy
from tests.functional.credly_sandbox.receiver import Receiver


@pytest.fixture
def running() -> Iterator[Running]:
    with serve(Sandbox(retry_delays=(0.02, 0.02, 0.05, 0.1))) as started:
        yield started


@pytest.fixture
def academy(running: Running) -> Academy:
    return Academy.founded(running)


@pytest.fixture
def credly(academy: Academy) -> Iterator[CredlyClient]:
    with academy.client() as client:
        yield client


@pytest.fixture
def impatient(academy: Academy) -> Iterator[CredlyClient]:
    """For calls that are meant to time out."""
    with academy.client(timeout=(5.0, 0.3)) as client:
        yield client


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    started = Receiver()
    yield started
    started.stop()


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], None]:
    """Waits until the condition holds, five seconds at most."""

    def wait(condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 5
        while not condition():
            assert time.monotonic() < deadline, "it did not happen"
            time.sleep(0.01)

    return wait
