"""Events as lines of JSON, built strictly: what a public event would not take is refused by name.

{"id": uuid, "type": ..., "time": ISO 8601 with zone, "source": ..., "data": {argument: payload}}

The names in `data` are the fields of the attrs classes of openedx-events; absent optional fields
take their defaults. Every value that passes can be serialised for the bus.
"""

import codecs
import json
import math
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from types import UnionType
from typing import Any, Final
from uuid import UUID

import attrs
from opaque_keys import InvalidKeyError
from openedx_events.data import EventsMetadata
from openedx_events.event_bus.avro.custom_serializers import DEFAULT_CUSTOM_SERIALIZERS
from openedx_events.tooling import OpenEdxPublicSignal

from events.registry import public_event_types, user_paths

_KNOWN: Final = ("id", "type", "time", "source", "sourcehost", "data")
_REQUIRED: Final = ("id", "type", "time", "data")
_FROM_TEXT: Final[dict[Any, Callable[[str], Any]]] = {
    each.cls: each.deserialize for each in DEFAULT_CUSTOM_SERIALIZERS
}
_LONGEST: Final = 2**63  # Avro's long
_JSON_NAMES: Final = {
    dict: "an object", list: "a list", str: "text", int: "a number", float: "a number",
    bool: "true or false", type(None): "null",
}  # fmt: skip

Refuse = Callable[[str, str], None]


@attrs.frozen
class PublicEvent:
    """One event as a producer takes it. `data` maps the signal's arguments to payloads."""

    signal: OpenEdxPublicSignal
    metadata: EventsMetadata
    data: Mapping[str, Any]

    @property
    def key_field(self) -> str:
        """Path of the value that a bus with partitions keeps in order: the learner, if any."""
        ((argument, payload_type),) = self.signal.init_data.items()
        people = user_paths(payload_type, argument)
        return next((f"{path}.id" for path in people), argument)


class LineRefusedError(ValueError):
    """A line is no event; nothing of it was sent. `reasons` name the fields that are wrong."""

    def __init__(self, number: int, reasons: list[str]) -> None:
        super().__init__(f"line {number}: {'; '.join(reasons)}")
        self.number = number
        self.reasons = reasons


def parse(lines: Iterable[bytes]) -> Iterator[PublicEvent | LineRefusedError]:
    """One result per line that is not blank, in their order; lines are counted from 1."""
    for number, raw in enumerate(lines, start=1):
        line = raw.removeprefix(codecs.BOM_UTF8) if number == 1 else raw
        if not line.strip():
            continue
        try:
            yield parse_line(line.decode(), number)
        except UnicodeDecodeError:
            yield LineRefusedError(number, ["not UTF-8"])
        except LineRefusedError as error:
            yield error


def parse_line(text: str, number: int) -> PublicEvent:
    """Raises LineRefusedError with everything that is wrong with the line."""
    try:
        raw = json.loads(text.strip(), object_pairs_hook=_object, parse_constant=_no_constant)
    except RecursionError:
        raise LineRefusedError(number, ["nested too deeply"]) from None
    except json.JSONDecodeError as error:
        raise LineRefusedError(number, [f"column {error.colno}: not JSON: {error.msg}"]) from None
    except ValueError as error:
        raise LineRefusedError(number, [f"not JSON: {error}"]) from None
    reasons: list[str] = []

    def refuse(path: str, reason: str) -> None:
        reasons.append(f"{path}: {reason}" if path else reason)

    event = _event(raw, refuse)
    if reasons or event is None:
        raise LineRefusedError(number, reasons)
    return event


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = sorted({name for name in names if names.count(name) > 1})
        raise ValueError(f"{', '.join(twice)} stands twice in one object")
    return found


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is not a number")


def _event(raw: Any, refuse: Refuse) -> PublicEvent | None:
    if not isinstance(raw, dict):
        refuse("", f"must be an object with {', '.join(_REQUIRED)}, but is {_name(raw)}")
        return None
    for key in raw.keys() - set(_KNOWN):
        refuse(key, f"unknown field; choose one of: {', '.join(_KNOWN)}")
    for key in _REQUIRED:
        if key not in raw:
            refuse(key, "missing")
    signal = _signal(raw.get("type"), refuse) if "type" in raw else None
    event_id = _scalar(UUID, raw["id"], "id", refuse) if "id" in raw else None
    time = _time(raw["time"], refuse) if "time" in raw else None
    texts = {key: _text(raw[key], key, refuse) for key in ("source", "sourcehost") if key in raw}
    if signal is None or "data" not in raw:
        return None
    data = _data(signal, raw["data"], refuse)
    if event_id is None or time is None:
        return None
    metadata = EventsMetadata(
        event_type=signal.event_type,
        id=event_id,
        minorversion=signal.minor_version,
        time=time,
        **texts,
    )
    return PublicEvent(signal, metadata, data)


@cache
def _signals() -> Mapping[str, OpenEdxPublicSignal]:
    return public_event_types()


def _signal(raw: Any, refuse: Refuse) -> OpenEdxPublicSignal | None:
    text = _text(raw, "type", refuse)
    if text is None:
        return None
    signal = _signals().get(text)
    if signal is None:
        refuse("type", f"{text!r} is no public event of the installed openedx-events")
    return signal


def _time(raw: Any, refuse: Refuse) -> datetime | None:
    moment: datetime | None = _scalar(datetime, raw, "time", refuse)
    if moment is None:
        return None
    if moment.tzinfo is None:
        refuse("time", f"{raw!r} has no time zone; end it with +00:00 or Z for UTC")
        return None
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        refuse("time", f"{raw!r} is out of range")
        return None


def _data(signal: OpenEdxPublicSignal, raw: Any, refuse: Refuse) -> dict[str, Any]:
    arguments = signal.init_data
    if not isinstance(raw, dict):
        refuse("data", f"must be an object with {', '.join(arguments)}, but is {_name(raw)}")
        return {}
    for key in raw.keys() - arguments.keys():
        refuse(f"data.{key}", f"unknown field; choose one of: {', '.join(arguments)}")
    for key in arguments.keys() - raw.keys():
        refuse(f"data.{key}", "missing")
    return {
        key: _build(declared, raw[key], f"data.{key}", refuse)
        for key, declared in arguments.items()
        if key in raw
    }


def _build(declared: Any, raw: Any, path: str, refuse: Refuse) -> Any:
    """`raw` as a value of the declared type; anything once something was refused."""
    if declared in _FROM_TEXT:
        return _scalar(declared, raw, path, refuse)
    if isinstance(declared, type) and attrs.has(declared):
        return _record(declared, raw, path, refuse)
    origin, inside = typing.get_origin(declared), typing.get_args(declared)
    if origin in {typing.Union, UnionType}:
        if raw is None and type(None) in inside:
            return None
        (declared,) = (each for each in inside if each is not type(None))
        return _build(declared, raw, path, refuse)
    if origin is list:
        return _list(inside[0], raw, path, refuse)
    if origin is dict:
        return _mapping(inside[1], raw, path, refuse)
    return _plain(declared, raw, path, refuse)


def _record(record: type, raw: Any, path: str, refuse: Refuse) -> Any:
    if not isinstance(raw, dict):
        refuse(path, f"must be an object, but is {_name(raw)}")
        return None
    fields = {field.name: field for field in attrs.fields(record)}
    for name in raw.keys() - fields.keys():
        refuse(f"{path}.{name}", f"unknown field; choose one of: {', '.join(fields)}")
    arguments: dict[str, Any] = {}
    sound = True

    def note(where: str, reason: str) -> None:
        nonlocal sound
        sound = False
        refuse(where, reason)

    for name, field in fields.items():
        if name not in raw:
            if field.default is attrs.NOTHING:
                note(f"{path}.{name}", "missing")
        elif raw[name] is not None or field.default is not None:
            arguments[name] = _build(field.type, raw[name], f"{path}.{name}", note)
    if not sound:
        return None
    try:
        return record(**arguments)
    except (TypeError, ValueError) as error:  # a validator of the class
        refuse(path, str(error))
        return None


def _scalar(declared: Any, raw: Any, path: str, refuse: Refuse) -> Any:
    """A value that JSON carries as text: a key, a UUID, a date and time."""
    text = _text(raw, path, refuse)
    if text is None:
        return None
    try:
        return _FROM_TEXT[declared](text)
    except (InvalidKeyError, ValueError):
        wanted = "an ISO 8601 date and time" if declared is datetime else f"a {declared.__name__}"
        refuse(path, f"{text!r} is not {wanted}")
        return None


def _text(raw: Any, path: str, refuse: Refuse) -> str | None:
    if not isinstance(raw, str):
        refuse(path, f"must be text, but is {_name(raw)}")
        return None
    if not raw.isascii() and any("\ud800" <= each <= "\udfff" for each in raw):
        refuse(path, "holds half a character (a lone surrogate)")
        return None
    return raw


def _plain(declared: Any, raw: Any, path: str, refuse: Refuse) -> Any:
    if declared is str:
        return _text(raw, path, refuse)
    if declared is bool and isinstance(raw, bool):
        return raw
    if declared is float and type(raw) in {int, float} and math.isfinite(raw):
        return float(raw)
    if declared is int and type(raw) is int and -_LONGEST <= raw < _LONGEST:
        return raw
    wanted = {bool: "true or false", float: "a number", int: "a whole number of 64 bits"}
    refuse(path, f"must be {wanted.get(declared, declared)}, but is {_name(raw)}")
    return None


def _list(declared: Any, raw: Any, path: str, refuse: Refuse) -> Any:
    if not isinstance(raw, list):
        refuse(path, f"must be a list, but is {_name(raw)}")
        return None
    return [_build(declared, each, f"{path}[{i}]", refuse) for i, each in enumerate(raw)]


def _mapping(declared: Any, raw: Any, path: str, refuse: Refuse) -> Any:
    if not isinstance(raw, dict):
        refuse(path, f"must be an object, but is {_name(raw)}")
        return None
    return {key: _build(declared, each, f"{path}.{key}", refuse) for key, each in raw.items()}


def _name(raw: Any) -> str:
    return _JSON_NAMES.get(type(raw), str(type(raw)))
