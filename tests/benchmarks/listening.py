"""Handlers that only count: what is measured is what the signals cost."""

from collections.abc import Mapping
from itertools import count
from typing import Any, Final

from django.conf import settings

from service_signals import router

# What an event that awards tells: three pieces of news.
ALL: Final[Mapping[str, list[str]]] = {
    path: [f"{__name__}.hear"]
    for path in (
        "badges.signals.requirement_fulfilled",
        "badges.signals.progress_completed",
        "credentials.signals.credential_awarded",
    )
}
_calls = count()
# What the service routes by itself: none of it is told in a batch that awards.
_ELSEWHERE = dict(settings.SERVICE_SIGNALS)


def hear(sender: str, **_kwargs: Any) -> None:
    next(_calls)


def wire(routes: Mapping[str, list[str]]) -> None:
    """As at the start of a process with these SERVICE_SIGNALS; forgets what was heard."""
    global _calls  # noqa: PLW0603 -- the handlers of a process count together
    _calls = count()
    settings.SERVICE_SIGNALS = {**_ELSEWHERE, **routes}
    router.wire()


def heard() -> int:
    return next(_calls)
