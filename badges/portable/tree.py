"""YAML or JSON text as a tree that remembers the line of every value.

YAML is read event by event instead of being constructed: a plain scalar keeps the text that was
written (`010`, `1.0` and `2026-03-01` stay what they are), a key that stands twice is seen, and
neither tags nor aliases can do anything.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

import attrs
import yaml
from yaml.resolver import Resolver

from badges.portable.definitions import Fault, Faults

_MAX_DEPTH: Final = 20
_TAG: Final = "tag:yaml.org,2002:"
_TEXT: Final = "str"
# What a scalar can be. `value` and `merge` are YAML's own oddities, `=` and `<<`: text here.
_KINDS: Final = {
    **{name: name for name in ("str", "int", "float", "bool", "null", "timestamp")},
    "value": _TEXT,
    "merge": _TEXT,
}
_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SURROGATES: Final = re.compile(
    r"(?<!\\)((?:\\\\)*)\\u([dD][89abAB][\da-fA-F]{2})\\u([dD][c-fC-F][\da-fA-F]{2})"
)


@attrs.frozen
class Scalar:
    """`kind` is str, int, float, bool, null or timestamp; `text` is what was written."""

    line: int
    kind: str
    text: str


@attrs.frozen
class Sequence:
    line: int
    items: "tuple[Node, ...]"


@attrs.frozen
class Mapping:
    """Keys in their order. `lines` says where each key stands."""

    line: int
    items: "dict[str, Node]"
    lines: dict[str, int]


Node = Scalar | Sequence | Mapping


def parse(text: str) -> tuple[Node, tuple[Fault, ...]] | Faults:
    """The tree, and faults that leave the rest readable (a key that stands twice).

    Faults alone when there is no tree: broken syntax, no content, more than one document.
    """
    text = _as_yaml(text)
    builder = _Builder()
    try:
        root = builder.document(text)
    except yaml.reader.ReaderError as error:
        at = _line_of(text, error)
        return _sole(at, "a control character stands here; write it as an escape, such as \\x07")
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line if error.problem_mark else 0
        return _sole(line + 1, _syntax_message(error, text.splitlines(), line))
    except _UnreadableError as error:
        return _sole(error.line, str(error))
    return root, tuple(builder.faults)


def _sole(line: int, message: str) -> Faults:
    return Faults((Fault(line, "", message),))


def _as_yaml(text: str) -> str:
    """JSON is YAML but for two things: tabs before a line, and pairs of surrogates."""
    text = text.removeprefix("\ufeff")
    if not text.lstrip().startswith("{"):
        return text
    text = re.sub(r"(?m)^[ \t]+", lambda found: found.group().replace("\t", " "), text)
    return _SURROGATES.sub(_join_surrogates, text)


def _join_surrogates(found: re.Match[str]) -> str:
    pair = chr(int(found[2], 16)) + chr(int(found[3], 16))
    return found[1] + pair.encode("utf-16", "surrogatepass").decode("utf-16")


def _line_of(text: str, error: Any) -> int:
    """The C reader counts bytes, the Python one characters."""
    if _LOADER is yaml.SafeLoader:
        return text[: error.position].count("\n") + 1
    return text.encode()[: error.position].count(b"\n") + 1


def _syntax_message(error: yaml.MarkedYAMLError, lines: list[str], line: int) -> str:
    parts = ["not valid YAML:", error.problem or str(error)]
    if error.context:
        parts.append(error.context)
    if error.context_mark and error.context_mark.line != line:
        parts.append(f"that began in line {error.context_mark.line + 1}")
    if line < len(lines) and re.match(r" *\t", lines[line]):
        parts.append("(indent with spaces, not with tabs)")
    return " ".join(parts)


class _UnreadableError(Exception):
    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


class _Builder:
    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self._resolver: Any = Resolver()
        self._events: Iterator[Any] = iter(())

    def document(self, text: str) -> Node:
        self._events = yaml.parse(text, Loader=_LOADER)
        next(self._events)  # start of the stream
        if isinstance(next(self._events), yaml.StreamEndEvent):
            raise _UnreadableError(1, "the file is empty")
        root = self._node(next(self._events), "", 0)
        next(self._events)  # end of the document
        further = next(self._events)
        if not isinstance(further, yaml.StreamEndEvent):
            raise _UnreadableError(_line(further), "a second document begins; only one is read")
        return root

    def _node(self, event: Any, path: str, depth: int) -> Node:
        line = _line(event)
        if isinstance(event, yaml.AliasEvent) or event.anchor:
            raise _UnreadableError(line, "anchors (&) and aliases (*) are not read; write it out")
        if depth > _MAX_DEPTH:
            raise _UnreadableError(line, f"nested more than {_MAX_DEPTH} levels deep")
        if isinstance(event, yaml.ScalarEvent):
            return Scalar(line, self._kind(event, path), event.value)
        if isinstance(event, yaml.SequenceStartEvent):
            self._refuse_tag(event, "seq", path)
            items: list[Node] = []
            while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
                items.append(self._node(event, f"{path}[{len(items)}]", depth + 1))
            return Sequence(line, tuple(items))
        self._refuse_tag(event, "map", path)
        return self._mapping(line, path, depth)

    def _mapping(self, line: int, path: str, depth: int) -> Mapping:
        items: dict[str, Node] = {}
        lines: dict[str, int] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._node(event, path, depth + 1)
            if not isinstance(key, Scalar):
                raise _UnreadableError(key.line, "a key must be text")
            inside = f"{path}.{key.text}" if path else key.text
            value = self._node(next(self._events), inside, depth + 1)
            if key.text in items:
                message = f"stands twice; the first is in line {lines[key.text]}"
                self.faults.append(Fault(key.line, inside, message))
            else:
                items[key.text], lines[key.text] = value, key.line
        return Mapping(line, items, lines)

    def _kind(self, event: Any, path: str) -> str:
        tag = event.tag
        if tag == "!":
            return _TEXT
        if tag is None:
            tag = self._resolver.resolve(yaml.ScalarNode, event.value, event.implicit)
        kind = _KINDS.get(tag.removeprefix(_TAG))
        if kind is None:
            self._refuse_tag(event, "str", path)
        return kind or _TEXT

    def _refuse_tag(self, event: Any, plain: str, path: str) -> None:
        if event.tag not in {None, "!", _TAG + plain}:
            message = f"the tag {event.tag} is not read; leave it out"
            self.faults.append(Fault(_line(event), path, message))


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1
