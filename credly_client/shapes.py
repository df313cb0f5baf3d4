"""Readers for one value of a JSON document: each returns the declared type or raises.

They stand below `types`: a type lists its keys with these, and no `.get("data").get("id")` is
needed anywhere else. A key that nobody asks for is ignored, as Credly adds keys at will.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import TypeVar
from uuid import UUID

from credly_client.errors import MalformedAnswer

T = TypeVar("T")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def mapping(value: object, *, name: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise MalformedAnswer(f"{name} is not an object")
    return value


def sequence(value: object, *, name: str) -> list[object]:
    if not isinstance(value, list):
        raise MalformedAnswer(f"{name} is not a list")
    return value


def text(value: object, *, name: str) -> str:
    if not isinstance(value, str):
        raise MalformedAnswer(f"{name} is not text")
    return value


def texts(value: object, *, name: str) -> tuple[str, ...]:
    """A list of labels, each a text or an object with a `name`; anything else is left out."""
    items = sequence(value, name=name)
    named = (item.get("name") if isinstance(item, dict) else item for item in items)
    return tuple(item for item in named if isinstance(item, str))


def number(value: object, *, name: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise MalformedAnswer(f"{name} is not a whole number")
    return value


def boolean(value: object, *, name: str) -> bool:
    if not isinstance(value, bool):
        raise MalformedAnswer(f"{name} is not true or false")
    return value


def identifier(value: object, *, name: str) -> UUID:
    try:
        return UUID(canonical_id(text(value, name=name)))
    except ValueError as error:
        raise MalformedAnswer(f"{name} is not a UUID") from error


def moment(value: object, *, name: str) -> datetime:
    """`2014-04-01T14:41:00.000Z` -> an aware datetime in UTC; one without a zone is UTC."""
    try:
        parsed = datetime.fromisoformat(text(value, name=name))
    except ValueError as error:
        raise MalformedAnswer(f"{name} is not a date and time") from error
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)


def day(value: object, *, name: str) -> date:
    """A date, or the date of a date and time in UTC: expiry comes in both forms."""
    return moment(value, name=name).date()


def required(data: Mapping[str, object], key: str, read: Callable[..., T]) -> T:
    if key not in data:
        raise MalformedAnswer(f"{key} is missing")
    return read(data[key], name=key)


def optional(data: Mapping[str, object], key: str, read: Callable[..., T]) -> T | None:
    """None when the key is absent or null."""
    value = data.get(key)
    return None if value is None else read(value, name=key)


def canonical_id(value: UUID | str) -> str:
    """The one form of an id that may stand in a path: `../` and the like can not pass.

    Raises ValueError for everything but a UUID with its hyphens.
    """
    written = str(value).lower()
    if _UUID.fullmatch(written) is None:
        raise ValueError(f"not a UUID: {written[:40]!r}")
    return written
