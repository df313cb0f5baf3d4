"""Key paths: which values a payload type offers to rules, and of which kind each is.

Source of the types: the attrs classes of `openedx_events.*.data`.
"""

import typing
from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import Enum
from functools import cache
from types import MappingProxyType, UnionType
from uuid import UUID

import attrs
from opaque_keys import OpaqueKey


class Kind(Enum):
    """How values at a path are compared."""

    TEXT = "text"
    KEY = "key"
    NUMBER = "number"
    BOOLEAN = "true or false"
    DATETIME = "date and time"
    OBJECT = "object"  # a record, list or mapping: it can only exist or be missing


@attrs.frozen
class KeyPath:
    """One dotted path, the kind of value it leads to and the type that declares it."""

    path: str
    kind: Kind
    type: type


_METADATA = (
    KeyPath("metadata.time", Kind.DATETIME, datetime),
    KeyPath("metadata.source", Kind.TEXT, str),
    KeyPath("metadata.sourcehost", Kind.TEXT, str),
)
_KINDS: tuple[tuple[type, Kind], ...] = (
    (bool, Kind.BOOLEAN),  # before int, of which it is a subclass
    (int, Kind.NUMBER),
    (float, Kind.NUMBER),
    (str, Kind.TEXT),
    (datetime, Kind.DATETIME),
    (UUID, Kind.KEY),
    (OpaqueKey, Kind.KEY),
)


@cache
def key_paths(payload_type: type) -> Mapping[str, KeyPath]:
    """Every path of `payload_type` and of the event's metadata, in the order of declaration."""
    found = (*_walk(payload_type, prefix="", inside=()), *_METADATA)
    return MappingProxyType({each.path: each for each in found})


def _walk(record: type, *, prefix: str, inside: tuple[type, ...]) -> Iterator[KeyPath]:
    for field in attrs.fields(record):
        declared = _without_none(field.type)
        path = prefix + field.name
        if isinstance(declared, type) and attrs.has(declared):
            yield KeyPath(path, Kind.OBJECT, declared)
            if declared not in inside:
                yield from _walk(declared, prefix=path + ".", inside=(*inside, declared))
        else:
            yield _leaf(path, declared)


def _leaf(path: str, declared: typing.Any) -> KeyPath:
    if isinstance(declared, type):
        for base, kind in _KINDS:
            if issubclass(declared, base):
                return KeyPath(path, kind, declared)
    return KeyPath(path, Kind.OBJECT, object)


def _without_none(declared: typing.Any) -> typing.Any:
    """`Optional[X]` -> `X`."""
    if typing.get_origin(declared) in {typing.Union, UnionType}:
        rest = [each for each in typing.get_args(declared) if each is not type(None)]
        if len(rest) == 1:
            return rest[0]
    return declared
