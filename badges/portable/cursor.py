"""Reading the keys of one mapping: each getter notes what is wrong and goes on with a stand-in,
so that one pass finds every fault. What was read counts only when no fault was noted.
"""

import re
from collections.abc import Collection, Iterator
from functools import cache
from typing import Any, Final, cast
from uuid import UUID

import attrs
from django.core.exceptions import ValidationError
from django.db.models import Field, Model

from badges.portable.definitions import Fault
from badges.portable.tree import Mapping, Node, Scalar, Sequence
from badges.rules.values import join_list

NO_UUID: Final = UUID(int=0)  # stands in for one that could not be read
_TRUE: Final = frozenset({"yes", "true", "on"})  # what YAML 1.1 calls true, in any case
_DIGITS: Final = re.compile(r"-?(0|[1-9][0-9]{0,9})")
_WRITTEN: Final = {"str": "text", "int": "a number", "float": "a number", "bool": "true or false"}


@attrs.frozen
class Found:
    """A value and where it stands."""

    node: Node
    path: str


class Notes:
    """The faults found so far."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def add(self, at: Found, message: str) -> None:
        self.faults.append(Fault(at.node.line, at.path, message))


class Keys:
    """The keys of one mapping. A key without a value (null) is as good as absent."""

    def __init__(self, at: Found, *, known: Collection[str], notes: Notes) -> None:
        self.at = at
        self.notes = notes
        self._items: dict[str, Found] = {}
        if not isinstance(at.node, Mapping):
            notes.add(at, f"must be a mapping with the keys {', '.join(known)}{_but(at.node)}")
            self.readable = False
            return
        self.readable = True
        for key, node in at.node.items.items():
            inside = f"{at.path}.{key}" if at.path else key
            if key not in known:
                message = f"unknown key; choose one of: {', '.join(known)}"
                notes.faults.append(Fault(at.node.lines[key], inside, message))
            elif not (isinstance(node, Scalar) and node.kind == "null"):
                self._items[key] = Found(node, inside)

    def find(self, key: str) -> Found | None:
        return self._items.get(key)

    def demand(self, key: str, *, hint: str = "") -> Found | None:
        found = self._items.get(key)
        if found is None and self.readable:
            self.note(key, "missing" + (f"; {hint}" if hint else ""))
        return found

    def note(self, key: str, message: str) -> None:
        """A fault of the value of `key`, or of the whole mapping's place when it is absent."""
        found = self._items.get(key)
        path = f"{self.at.path}.{key}" if self.at.path else key
        self.notes.add(found or Found(self.at.node, path), message)

    def text(
        self, key: str, *, column: "Field[Any, Any] | None" = None, required: bool = False
    ) -> str:
        """The text of a scalar as it was written; `column` is what has to take it."""
        found = self.demand(key) if required else self.find(key)
        if found is None:
            return ""
        text = scalar_text(found, self.notes)
        if text is not None and column is not None:
            for message in _column_faults(column, text, required=required):
                self.notes.add(found, message)
        return text or ""

    def choice(self, key: str, *, choices: Collection[str], default: str = "") -> str:
        """Required when there is no default."""
        found = self.find(key) if default else self.demand(key)
        if found is None:
            return default
        text = scalar_text(found, self.notes)
        if text is not None and text not in choices:
            self.notes.add(found, f"{text!r} is unknown; choose one of: {', '.join(choices)}")
        return text or default

    def boolean(self, key: str, *, hint: str) -> bool:
        found = self.demand(key, hint=hint)
        if found is None:
            return False
        node = found.node
        if not (isinstance(node, Scalar) and node.kind == "bool"):
            self.notes.add(found, f"must be true or false without quotes{_but(node)}")
            return False
        return node.text.lower() in _TRUE

    def integer(self, key: str, *, default: int) -> int:
        """A whole number in plain digits; neither `010` nor `0x1F` nor one in quotes."""
        found = self.find(key)
        if found is None:
            return default
        node = found.node
        if not (isinstance(node, Scalar) and node.kind == "int" and _DIGITS.fullmatch(node.text)):
            self.notes.add(found, f"must be a whole number without quotes{_but(node)}")
            return default
        return int(node.text)

    def uuid(self, key: str, *, required: bool) -> UUID | None:
        """NO_UUID when it cannot be read, None when it is absent and need not be there."""
        found = self.demand(key) if required else self.find(key)
        if found is None:
            return NO_UUID if required else None
        text = scalar_text(found, self.notes)
        if text is None:
            return NO_UUID
        try:
            return UUID(text)
        except ValueError:
            self.notes.add(found, f"{text!r} is not a UUID")
            return NO_UUID

    def items(self, key: str, *, required: bool = False) -> Iterator[Found]:
        """The items of a list; none when it is absent or no list."""
        found = self.demand(key) if required else self.find(key)
        if found is None:
            return
        if not isinstance(found.node, Sequence):
            self.notes.add(found, f"must be a list{_but(found.node)}")
            return
        for index, node in enumerate(found.node.items):
            yield Found(node, f"{found.path}[{index}]")

    def texts(self, key: str, *, required: bool = False) -> list[tuple[Found, str]]:
        """The items of a list of texts, without those that are none; a repeated one is noted."""
        read: dict[str, Found] = {}
        for each in self.items(key, required=required):
            text = scalar_text(each, self.notes)
            if text is None:
                continue
            if text in read:
                self.notes.add(each, f"{text!r} stands twice")
            read.setdefault(text, each)
        return [(found, text) for text, found in read.items()]

    def refuse_repeated(self, key: str, *, by: str) -> None:
        """Note the items of a list of mappings whose value of `by` an earlier item has too."""
        found = self.find(key)
        if found is None or not isinstance(found.node, Sequence):
            return
        first: dict[str, int] = {}
        for index, item in enumerate(found.node.items):
            value = item.items.get(by) if isinstance(item, Mapping) else None
            if not isinstance(value, Scalar) or value.kind == "null":
                continue
            text = value.text.lower().replace("-", "") if by == "uuid" else value.text
            if text in first:
                message = f"{value.text!r} stands twice; the first is in line {first[text]}"
                self.notes.add(Found(value, f"{found.path}[{index}].{by}"), message)
            first.setdefault(text, value.line)


@cache
def column(model: type[Model], name: str) -> "Field[Any, Any]":
    return cast("Field[Any, Any]", model._meta.get_field(name))  # noqa: SLF001 -- Django's public way to a field


def read_id(keys: Keys, model: type[Model]) -> str:
    """The id of a requirement or penalty."""
    text = keys.text("id", column=column(model, "key"), required=True)
    if text.endswith("\n"):  # which the `$` of a pattern overlooks
        keys.note("id", "must not end with a line break")
    return text


def scalar_text(found: Found, notes: Notes) -> str | None:
    """None when it is no text; a number or a date counts as the text that was written."""
    node = found.node
    if not isinstance(node, Scalar) or node.kind == "null":
        notes.add(found, f"must be text{_but(node)}")
        return None
    if "\x00" in node.text:
        notes.add(found, "must not contain the character NUL")
        return None
    return node.text


def rule_value(found: Found, notes: Notes, *, is_list: bool) -> str | None:
    """The value of a rule as text: true and false for booleans, else what was written; a list,
    where the operator takes one, as badges.rules.values.join_list writes it.
    """
    if not isinstance(found.node, Sequence):
        text = scalar_text(found, notes)
        if text is not None and isinstance(found.node, Scalar) and found.node.kind == "bool":
            return "true" if text.lower() in _TRUE else "false"
        return text
    if not is_list:
        notes.add(found, "must be text, but is a list: only the operators in and not_in take one")
        return None
    items = [
        rule_value(Found(node, f"{found.path}[{index}]"), notes, is_list=False)
        for index, node in enumerate(found.node.items)
    ]
    return join_list([each for each in items if each is not None])


def _column_faults(column: "Field[Any, Any]", text: str, *, required: bool) -> Iterator[str]:
    if not text:
        if required and not column.blank:
            yield "must not be empty"
        return
    try:
        column.run_validators(text)
    except ValidationError as error:
        yield from error.messages


def _but(node: Node) -> str:
    if isinstance(node, Scalar):
        return f", but is {_WRITTEN.get(node.kind, 'empty' if node.kind == 'null' else node.kind)}"
    return ", but is a list" if isinstance(node, Sequence) else ", but is a mapping"
