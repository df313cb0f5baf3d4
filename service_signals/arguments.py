"""What a signal provides: declared arguments, so that news can be checked, logged and kept."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from types import NoneType, UnionType
from typing import Any, Final, get_args
from uuid import UUID

import attrs

HIDDEN: Final = "(hidden)"
_CODE: Final = re.compile(r"[\w:+./-]{1,255}")  # keys and codes, which nobody writes a name into


class Personal:
    """The declared type of a text about a person: a name, an e-mail address. Handlers get the
    text; it is never logged and never stored, so a failed handler cannot be replayed with it.
    """


@attrs.frozen
class _Kind:
    """How values of one type are recognised and kept as JSON."""

    python_type: type
    dump: Callable[[Any], Any] = lambda value: value
    load: Callable[[Any], Any] = lambda value: value


_KINDS: Final[Mapping[type, _Kind]] = {
    bool: _Kind(bool),
    int: _Kind(int),
    str: _Kind(str, dump=str),
    UUID: _Kind(UUID, dump=str, load=UUID),
    datetime: _Kind(datetime, dump=datetime.isoformat, load=datetime.fromisoformat),
    Personal: _Kind(str),
}


@attrs.frozen
class Arguments:
    """What one signal provides."""

    types: Mapping[str, type]
    optional: frozenset[str]

    @classmethod
    def declared(cls, provides: Mapping[str, Any]) -> "Arguments":
        """From `{"learner_id": int, "event_id": UUID | None}`. TypeError for a type that cannot be
        kept as JSON.
        """
        types, optional = {}, set()
        for name, annotation in provides.items():
            members = get_args(annotation) if isinstance(annotation, UnionType) else (annotation,)
            kinds = [each for each in members if each is not NoneType]
            if len(kinds) != 1 or kinds[0] not in _KINDS or name == "sender":
                known = ", ".join(each.__name__ for each in _KINDS)
                raise TypeError(f"provides {name}: {annotation!r}; choose one of {known}, | None")
            types[name] = kinds[0]
            if NoneType in members:
                optional.add(name)
        return cls(types, frozenset(optional))

    @property
    def are_personal(self) -> bool:
        return Personal in self.types.values()

    def fault(self, values: Mapping[str, Any]) -> str | None:
        """What is wrong with `values`, in words; None when nothing is. Never shows a value."""
        if values.keys() != self.types.keys():
            unknown = sorted(values.keys() - self.types.keys())
            missing = sorted(self.types.keys() - values.keys())
            told = [("unknown", unknown), ("missing", missing)]
            return ", ".join(f"{word} {', '.join(names)}" for word, names in told if names)
        for name, value in values.items():
            if value is None and name in self.optional:
                continue
            declared = self.types[name]
            expected = _KINDS[declared].python_type
            if not isinstance(value, expected) or (expected is int and isinstance(value, bool)):
                return f"{name} is a {type(value).__name__}, declared was {declared.__name__}"
        return None

    def to_json(self, values: Mapping[str, Any]) -> dict[str, Any] | None:
        """To keep them; None when they are personal."""
        if self.are_personal:
            return None
        return {
            name: None if value is None else _KINDS[self.types[name]].dump(value)
            for name, value in values.items()
        }

    def from_json(self, kept: Mapping[str, Any]) -> dict[str, Any]:
        """What `to_json` kept. ValueError or TypeError when the declaration changed since."""
        if kept.keys() != self.types.keys():
            raise TypeError("the signal provides other arguments now than were kept")
        return {
            name: None if value is None else _KINDS[self.types[name]].load(value)
            for name, value in kept.items()
        }

    def to_log(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Ids, times and codes as texts and numbers; nothing that could be personal."""
        return {name: self._shown(name, value) for name, value in values.items()}

    def _shown(self, name: str, value: Any) -> Any:
        if value is None or isinstance(value, int):
            return value
        if isinstance(value, UUID | datetime):
            return str(value)
        is_code = self.types[name] is str and _CODE.fullmatch(value)
        return str(value) if is_code else HIDDEN

    def personal_texts(self, values: Mapping[str, Any]) -> list[str]:
        return [
            str(value) for name, value in values.items() if value and self.types[name] is Personal
        ]
