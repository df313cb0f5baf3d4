"""Compiled functions that turn plain data into the attrs objects of a payload, and payloads into
archived JSON without personal data. One walk over the types, then no reflection per event.

The building rules are those of the stock Avro deserialiser of openedx-events (a test compares
both on every public event type): a value is built in its declared type; an empty value of an
attribute that has a default is left to the default.
"""

import typing
from collections.abc import Callable, Hashable
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, Final
from uuid import UUID

import attrs
from opaque_keys import OpaqueKey
from openedx_events.event_bus.avro.custom_serializers import DEFAULT_CUSTOM_SERIALIZERS
from openedx_events.learning.data import UserData

Build = Callable[[Any], Any]


def without_nul(text: str) -> str:
    """PostgreSQL cannot store the character NUL; no platform means it."""
    return text.replace("\x00", "") if text and "\x00" in text else text


# Keys are immutable, come again and again, and are the dearest part of a payload to parse.
_SCALARS: Final[dict[Any, Build]] = {str: without_nul} | {
    each.cls: lru_cache(maxsize=4_096)(each.deserialize)
    if issubclass(each.cls, OpaqueKey)
    else each.deserialize
    for each in DEFAULT_CUSTOM_SERIALIZERS
}
# Personal text outside UserData, by class and field.
_PERSONAL: Final = frozenset(
    {
        ("CertificateData", "name"),
        ("VerificationAttemptData", "name"),
        ("CcxCourseData", "coach_email"),
    }
)


def _same(value: Any) -> Any:
    return value


@cache
def builder(declared: Hashable) -> Build:
    """A function from plain data (of Avro or JSON) to a value of the declared type."""
    if declared in _SCALARS:
        return _SCALARS[declared]
    if isinstance(declared, type) and attrs.has(declared):
        return _record_builder(declared)
    return _each(declared, builder)


def _each(declared: Any, function_for: Callable[[Any], Build]) -> Build:
    """Applies the function of the items to a list or to the values of a mapping."""
    arguments = typing.get_args(declared)
    origin = typing.get_origin(declared)
    if origin not in {list, dict} or not arguments:
        return _same
    turn = function_for(arguments[-1])
    if turn is _same:
        return _same
    if origin is list:
        return lambda values: [turn(value) for value in values]
    return lambda values: {key: turn(value) for key, value in values.items()}


def _record_builder(record: type) -> Build:
    arguments: list[str] = []
    scope: dict[str, Any] = {"record": record}
    for number, field in enumerate(attrs.fields(record)):
        make = builder(field.type)
        scope[f"make_{number}"] = make
        turned = "{}" if make is _same else f"make_{number}({{}})"
        if field.default is attrs.NOTHING:
            value = turned.format(f"data[{field.name!r}]")
        else:
            # Not given, a default that is made anew each time makes itself.
            is_made = isinstance(field.default, attrs.Factory)  # type: ignore[arg-type]
            scope[f"default_{number}"] = attrs.NOTHING if is_made else field.default
            given = f"(value := data.get({field.name!r}))"
            value = f"{turned.format('value')} if {given} else default_{number}"
        arguments.append(f"{field.alias}={value}")
    return _compiled("data", f"record({', '.join(arguments)})", scope)


def _compiled(argument: str, expression: str, scope: dict[str, Any]) -> Build:
    """As attrs makes its own methods. A loop over the fields takes half as long again."""
    function: Build = eval(f"lambda {argument}: {expression}", scope)  # noqa: S307 -- names of fields
    return function


@cache
def personal_paths(declared: Any, prefix: str = "") -> frozenset[str]:
    """Key paths of a payload type that lead to what the archive leaves out."""
    kinds = [each for each in (declared, *typing.get_args(declared)) if _is_record(each)]
    found: set[str] = set()
    for record in kinds:
        for field in attrs.fields(record):
            path = prefix + field.name
            if record is UserData:
                if field.name != "id":
                    found |= {path, *_paths_below(field.type, path + ".")}
            elif (record.__name__, field.name) in _PERSONAL:
                found.add(path)
            else:
                found |= personal_paths(field.type, path + ".")
    return frozenset(found)


def _paths_below(declared: Any, prefix: str) -> set[str]:
    if not _is_record(declared):
        return set()
    return {prefix + field.name for field in attrs.fields(declared)}


def _is_record(declared: Any) -> bool:
    return isinstance(declared, type) and attrs.has(declared)


@cache
def archiver(declared: Hashable) -> Build:
    """A function from a value of the declared type to JSON data without personal data: people
    become {"id": LMS user id}, known personal text becomes None.
    """
    kinds = [each for each in typing.get_args(declared) if each is not type(None)]
    if len(kinds) == 1 and typing.get_origin(declared) is typing.Union:
        declared = kinds[0]
    if declared is UserData:
        return _reference
    if isinstance(declared, type) and attrs.has(declared):
        return _record_archiver(declared)
    if isinstance(declared, type) and issubclass(declared, datetime):
        return _archive_datetime
    if isinstance(declared, type) and issubclass(declared, OpaqueKey | UUID):
        return str
    return _each(declared, archiver)


def _reference(user: Any) -> Any:
    return {"id": user.id}


def _archive_datetime(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _record_archiver(record: type) -> Build:
    items: list[str] = []
    scope: dict[str, Any] = {}
    for number, field in enumerate(attrs.fields(record)):
        if (record.__name__, field.name) in _PERSONAL:
            continue
        turn = archiver(field.type)
        scope[f"turn_{number}"] = turn
        value = f"value.{field.name}"
        if turn is not _same:
            value = f"None if (item := {value}) is None else turn_{number}(item)"
        items.append(f"{field.name!r}: {value}")
    return _compiled("value", f"{{{', '.join(items)}}}", scope)
