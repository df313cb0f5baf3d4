"""System checks: what cannot work in the settings, and how to mend it."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

from certificates import plugins
from certificates.generators.registry import GENERATORS
from certificates.retrievers.registry import RETRIEVERS


@register(Tags.compatibility)
def plugins_work(**_kwargs: Any) -> list[CheckMessage]:
    """Every fault of every retriever and generator, at once."""
    found: list[CheckMessage] = [
        Error(
            fault,
            hint="A generator is described in docs/badges/certificates.md.",
            id="certificates.E004",
        )
        for fault in plugins.faults(GENERATORS)
    ]
    return found + [
        Error(
            fault,
            hint="A retriever is described in docs/badges/retrievers.md.",
            id="certificates.E001",
        )
        for fault in plugins.faults(RETRIEVERS)
    ]


@register(Tags.compatibility)
def platform_is_named(**_kwargs: Any) -> list[CheckMessage]:
    """Nothing at all is fine: without a platform only other retrievers work."""
    url = settings.PLATFORM_API_BASE_URL
    if not url:
        return []
    parts = urlsplit(url)
    found: list[CheckMessage] = []
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username:
        found.append(
            Error(
                f"PLATFORM_API_BASE_URL = {url!r} is no address of a platform.",
                hint="Write scheme and host of the LMS: https://lms.example.com",
                id="certificates.E002",
            )
        )
    found += [
        Error(
            f"PLATFORM_API_BASE_URL is set, and {name} is not.",
            hint="Make an OAuth2 application at the platform: docs/badges/retrievers.md.",
            id="certificates.E003",
        )
        for name in ("PLATFORM_API_CLIENT_ID", "PLATFORM_API_CLIENT_SECRET")
        if not getattr(settings, name)
    ]
    return found
