"""The event types that take part: what the setting BADGES_CONFIG["events"] says, checked against
the signals of the installed openedx-events and our own.
"""

import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Final

import attrs
from django.conf import settings
from openedx_events.learning.data import UserData
from openedx_events.tooling import (
    KNOWN_UNSERIALIZABLE_SIGNALS,
    OpenEdxPublicSignal,
    load_all_signals,
)

from events import eligibility

# Whom an event is about, where its payload can hold more than one person.
_KNOWN_LEARNERS: Final = {
    **{
        f"org.openedx.learning.exam.attempt.{verb}.v1": "exam_attempt.student_user"
        for verb in ("submitted", "verified", "rejected", "errored", "reset")
    },
    **{
        f"org.openedx.learning.course.{what}.v1": "enrollment.user"
        for what in ("enrollment.created", "enrollment.changed", "unenrollment.completed")
    },
}


@attrs.frozen
class Subscription:
    """One configured event type. `learner_path` starts with the signal's argument."""

    event_type: str
    signal: OpenEdxPublicSignal
    argument: str
    payload_type: type
    learner_path: str
    find_learner: Callable[[Any], UserData | None]


class SubscriptionRefusedError(ValueError):
    """An entry of BADGES_CONFIG["events"] cannot work; the message says how to mend it."""


@cache
def subscriptions() -> Mapping[str, Subscription]:
    """The entries that work, by event type. Those that do not are reported by `faults`."""
    found: dict[str, Subscription] = {}
    entries = settings.BADGES_CONFIG.get("events")
    for entry in entries if isinstance(entries, list | tuple) else ():
        try:
            subscription = subscribe(entry)
        except SubscriptionRefusedError:
            continue
        found[subscription.event_type] = subscription
    return MappingProxyType(found)


@cache
def by_header() -> Mapping[bytes, Subscription]:
    """The same by the type as it stands in the header of a message."""
    return {event_type.encode(): each for event_type, each in subscriptions().items()}


def faults(entries: Sequence[Any]) -> list[str]:
    """Every fault of the configured entries, in words."""
    messages: list[str] = []
    seen: set[str] = set()
    for entry in entries:
        try:
            subscription = subscribe(entry)
        except SubscriptionRefusedError as error:
            messages.append(str(error))
            continue
        if subscription.event_type in seen:
            messages.append(f"{subscription.event_type} is listed twice; remove one entry.")
        seen.add(subscription.event_type)
    return messages


def public_event_types() -> Mapping[str, OpenEdxPublicSignal]:
    """Every signal of the installed library that can go over a bus, and ours, by type."""
    load_all_signals()
    signals = (*OpenEdxPublicSignal.all_events(), eligibility.ELIGIBILITY_EVALUATED)
    return {
        signal.event_type: signal
        for signal in signals
        if signal.event_type not in KNOWN_UNSERIALIZABLE_SIGNALS
    }


def subscribe(entry: Any) -> Subscription:
    """Read one entry: a type, or {"type": ..., "learner": path}.

    Raises SubscriptionRefusedError.
    """
    event_type, learner_path = _parts(entry)
    signal = _public_signals().get(event_type)
    if signal is None:
        raise SubscriptionRefusedError(
            f"{event_type!r} is no public event of the installed openedx-events that can go over "
            "a bus; compare the spelling with its documentation."
        )
    ((argument, payload_type),) = signal.init_data.items()
    people = tuple(user_paths(payload_type, argument))
    path = _choose(event_type, learner_path, people)
    inside = path.removeprefix(argument).removeprefix(".")
    return Subscription(
        event_type=event_type,
        signal=signal,
        argument=argument,
        payload_type=payload_type,
        learner_path=path,
        find_learner=attrgetter(inside) if inside else _payload_itself,
    )


@cache
def _public_signals() -> Mapping[str, OpenEdxPublicSignal]:
    return public_event_types()


def _payload_itself(payload: Any) -> Any:
    return payload


def _parts(entry: Any) -> tuple[str, str | None]:
    if isinstance(entry, str):
        return entry, None
    if isinstance(entry, Mapping) and set(entry) <= {"type", "learner"} and "type" in entry:
        return str(entry["type"]), entry.get("learner")
    raise SubscriptionRefusedError(
        f'{entry!r} is no event entry; write a type, or {{"type": ..., "learner": path}}.'
    )


def _choose(event_type: str, wanted: str | None, people: tuple[str, ...]) -> str:
    choices = ", ".join(people)
    if not people:
        raise SubscriptionRefusedError(
            f"{event_type} carries no UserData, so it is about no learner; remove the entry."
        )
    if wanted is not None:
        if wanted not in people:
            raise SubscriptionRefusedError(
                f"{event_type}: learner path {wanted!r} leads to no UserData; "
                f"choose one of: {choices}."
            )
        return wanted
    if len(people) == 1:
        return people[0]
    known = _KNOWN_LEARNERS.get(event_type)
    if known in people:
        return known
    raise SubscriptionRefusedError(
        f"{event_type} can hold more than one person; say whom it is about with "
        f'{{"type": "{event_type}", "learner": path}} and one of: {choices}.'
    )


def user_paths(payload_type: Any, path: str) -> Iterator[str]:
    """Dotted paths to every UserData in `payload_type`, which itself is at `path`."""
    kinds = (payload_type, *typing.get_args(payload_type))
    if UserData in kinds:
        yield path
        return
    for kind in kinds:
        if isinstance(kind, type) and attrs.has(kind):
            for field in attrs.fields(kind):
                yield from user_paths(field.type, f"{path}.{field.name}")
