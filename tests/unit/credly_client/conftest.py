from collections.abc import Callable
from pathlib import Path

import pytest

SAMPLES = Path(__file__).parents[2] / "samples" / "credly"


@pytest.fixture
def sample() -> Callable[[str], bytes]:
    """The body of a recorded answer: `sample("badge_pending")`."""

    def read(case: str) -> bytes:
        return (SAMPLES / f"{case}.json").read_bytes()

    return read
