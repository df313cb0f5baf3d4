from collections.abc import Iterator

import pytest
from pytest_django import Settings

from certificates.platform.sandbox import Running, serve


@pytest.fixture
def platform(settings: Settings) -> Iterator[Running]:
    """A local platform that the settings name. It is empty: a test loads its own world."""
    with serve() as running:
        settings.PLATFORM_API_BASE_URL = running.url
        settings.PLATFORM_API_CLIENT_ID = "laurel"
        settings.PLATFORM_API_CLIENT_SECRET = "secret-of-laurel"
        yield running
