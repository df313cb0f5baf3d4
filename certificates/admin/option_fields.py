"""Form fields made from the JSON schema of a retriever's options.

A blank field says nothing: then the layer below counts. What does not parse is handed on as text,
so that the schema's own check says what is wrong, at the field where it was entered.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import attrs
from django import forms
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

Schema = Mapping[str, Any]
_PREFIX: Final = "option"
_BLANK: Final = ("", "—")
_NUMBERS: Final = frozenset({"number", "integer"})
_SCALARS: Final = _NUMBERS | {"string"}
ToText = Callable[[Any], str]
FromText = Callable[[str], Any]


@attrs.frozen
class OptionField:
    """One field of the form. `path`: the keys that lead to its value."""

    path: tuple[str, ...]
    field: forms.Field
    to_text: ToText
    from_text: FromText

    @property
    def name(self) -> str:
        return "__".join((_PREFIX, *self.path))


def option_fields(schema: Schema, *, below: Mapping[str, Any]) -> Sequence[OptionField]:
    """`below`: what counts where a field is left blank."""
    return list(_fields(schema, path=(), titles=(), below=below))


def initial(fields: Sequence[OptionField], options: Mapping[str, Any]) -> dict[str, str]:
    """What the fields show of stored options."""
    shown = {}
    for each in fields:
        value = _at(options, each.path)
        shown[each.name] = "" if value is None else each.to_text(value)
    return shown


def entered(fields: Sequence[OptionField], cleaned: Mapping[str, Any]) -> dict[str, Any]:
    """The options that were entered; blank fields are left out."""
    options: dict[str, Any] = {}
    for each in fields:
        text = str(cleaned.get(each.name) or "").strip()
        if not text:
            continue
        inside = options
        for key in each.path[:-1]:
            inside = inside.setdefault(key, {})
        inside[each.path[-1]] = each.from_text(text)
    return options


def faults_by_field(
    fields: Sequence[OptionField], faults: Mapping[str, str]
) -> Iterator[tuple[str | None, str]]:
    """Where each fault belongs: the name of a field, None when no field is to blame."""
    names = {".".join(each.path): each.name for each in fields}
    for path, message in faults.items():
        home = next((each for each in names if path == each or path.startswith(f"{each}.")), None)
        if home is None:
            yield None, f"{path}: {message}" if path else message
        else:
            inside = path.removeprefix(home).removeprefix(".")
            text = f"{inside}: {message}" if inside else message[0].upper() + message[1:]
            yield names[home], f"{text}."


# One property


def _fields(
    schema: Schema, *, path: tuple[str, ...], titles: tuple[str, ...], below: Mapping[str, Any]
) -> Iterator[OptionField]:
    for key, part in schema.get("properties", {}).items():
        own = (*path, key)
        named = (*titles, part.get("title") or key.replace("_", " ").capitalize())
        if part.get("type") == "object" and "properties" in part and not _is_open(part):
            yield from _fields(part, path=own, titles=named, below=below)
        else:
            yield _field(part, path=own, title=": ".join(named), below=_at(below, own))


def _is_open(schema: Schema) -> bool:
    """May there be keys beside those that it names?"""
    return schema.get("additionalProperties", False) is not False


def _field(schema: Schema, *, path: tuple[str, ...], title: str, below: Any) -> OptionField:
    way = _way(schema)
    usual = "" if below is None else way.to_text(below).replace("\n", ", ")
    for example in schema.get("examples", ())[:1]:
        way.widget.attrs["placeholder"] = way.to_text(example)
    says = (schema.get("description", ""), way.help, f"If empty: {usual}." if usual else "")
    field = forms.CharField(
        label=title,
        required=False,
        widget=way.widget,
        help_text=" ".join(each for each in says if each),
    )
    return OptionField(path, field, way.to_text, way.from_text)


@attrs.frozen
class _Way:
    """How a value of some type is shown and read."""

    widget: forms.Widget
    to_text: ToText
    from_text: FromText
    help: str = ""


def _way(schema: Schema) -> _Way:
    kind = _type(schema)
    if "enum" in schema:
        return _select({str(each): each for each in schema["enum"] if each is not None})
    if kind == "boolean":
        return _select({"yes": True, "no": False})
    if kind in _SCALARS:
        return _Way(UnfoldAdminTextInputWidget(), _scalar_text, _reader(kind))
    inside = _type(schema.get("additionalProperties") or schema.get("items") or {})
    box = UnfoldAdminTextareaWidget({"rows": 4})
    if kind == "object" and inside == "object":
        says = "One per line: name, or name = JSON."
        return _Way(box, _pairs_text, lambda text: _pairs(text, _json, alone={}), says)
    if kind == "object" and inside in _SCALARS:
        turn = _reader(inside)
        return _Way(
            box, _pairs_text, lambda text: _pairs(text, turn), "One per line: name = value."
        )
    if kind == "array" and inside in _SCALARS:
        turn = _reader(inside)
        return _Way(
            box, _items_text, lambda text: [turn(each) for each in _split(text)], "One per line."
        )
    return _Way(box, _json_text, _json, "JSON.")


def _select(choices: Mapping[str, Any]) -> _Way:
    texts = {value: text for text, value in choices.items()}
    widget = UnfoldAdminSelectWidget(choices=[_BLANK, *((text, text) for text in choices)])
    return _Way(widget, lambda value: texts.get(value, ""), lambda text: choices.get(text, text))


def _reader(kind: str) -> FromText:
    return _number if kind in _NUMBERS else str


def _type(schema: Any) -> str:
    """The one type beside null; empty when there are several."""
    declared = schema.get("type") if isinstance(schema, Mapping) else None
    types = [declared] if isinstance(declared, str) else list(declared or ())
    found = [each for each in types if each != "null"]
    return found[0] if len(found) == 1 else ""


def _at(options: Any, path: Sequence[str]) -> Any:
    for key in path:
        options = options.get(key) if isinstance(options, Mapping) else None
    return options


# Texts


def _scalar_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _json_text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _pairs_text(value: Any) -> str:
    if not isinstance(value, Mapping):
        return _scalar_text(value)
    return "\n".join(
        key if each == {} else f"{key} = {_scalar_text(each)}" for key, each in value.items()
    )


def _items_text(value: Any) -> str:
    if not isinstance(value, list):
        return _scalar_text(value)
    return "\n".join(map(_scalar_text, value))


def _number(text: str) -> Any:
    text = text.strip().replace(",", ".") if text.count(",") == 1 else text.strip()
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text


def _split(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _pairs(text: str, turn: FromText, *, alone: Any = None) -> Any:
    """The text itself when a line is no pair: the schema says that it wants an object. `alone`:
    the value of a name that stands alone, if it may.
    """
    found: dict[str, Any] = {}
    for line in _split(text):
        name, sign, value = map(str.strip, line.partition("="))
        if not name or (not sign and alone is None):
            return text
        found[name] = turn(value) if sign else alone
    return found


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
