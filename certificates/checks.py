"""System checks: what cannot work in the settings, and how to mend it."""

from typing import Any

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
            id="certificates.E002",
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
