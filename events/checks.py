"""System checks of the events app."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.utils.module_loading import import_string

from events import registry


@register(Tags.compatibility)
def event_entries_work(**_kwargs: Any) -> list[CheckMessage]:
    entries = settings.BADGES_CONFIG.get("events")
    if not isinstance(entries, list | tuple) or not entries:
        return [
            Error(
                'BADGES_CONFIG["events"] must be a list of at least one event type.',
                hint="Leave the setting out for the shipped list.",
                id="events.E001",
            )
        ]
    return [
        Error(message, hint='Mend the entry of BADGES_CONFIG["events"].', id="events.E002")
        for message in registry.faults(entries)
    ]


@register(Tags.compatibility)
def handlers_exist(**_kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    for path in settings.EVENT_HANDLERS:
        try:
            handler = import_string(path)
        except ImportError as error:
            found.append(_bad_handler(path, str(error)))
        else:
            if not callable(handler):
                found.append(_bad_handler(path, "it is not a function"))
    return found


def _bad_handler(path: str, why: str) -> CheckMessage:
    return Error(
        f"EVENT_HANDLERS names {path!r}: {why}.",
        hint="Write the dotted path of a function that takes a list of LearnerEvents.",
        id="events.E003",
    )
