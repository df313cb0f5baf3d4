"""Where what stands on a page: the options of the standard generator, and the values they become.

Lengths are points (72 to an inch), measured from the lower left corner of the page as it is seen.
"""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

import attrs

Options = Mapping[str, Any]

PACKAGED_TEMPLATE: Final = "laurel"
NAME: Final = "name"
PLACEHOLDERS: Final = ("name", "context_name", "issue_date", "verify_uuid", "verify_url", "issuer")
_TEXTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        NAME: "{name}",
        "context": "{context_name}",
        "date": "{issue_date}",
        "verify_uuid": "{verify_uuid}",
    }
)
_PLACEHOLDER: Final = re.compile(r"\{(\w*)\}")
_COLOR: Final = {"type": "string", "pattern": "^#[0-9a-fA-F]{6}$", "examples": ["#1a2b3c"]}
_LENGTH: Final = {"type": "number", "minimum": 0, "maximum": 14400}
_SLUG: Final = {"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]*$", "examples": ["acme-diploma"]}

_FIELDS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "text": {"type": "string", "maxLength": 2000},
        "x": _LENGTH,
        "y": _LENGTH,
        "width": {"type": "number", "exclusiveMinimum": 0, "maximum": 14400},
        "align": {"enum": ["left", "center", "right"], "default": "left"},
        "font": {**_SLUG, "default": "sans"},
        "size": {"type": "number", "minimum": 4, "maximum": 400, "default": 12},
        "min_size": {"type": "number", "minimum": 4, "maximum": 400},
        "max_lines": {"type": "integer", "minimum": 1, "maximum": 50, "default": 3},
        "line_height": {"type": "number", "minimum": 0.5, "maximum": 5, "default": 1.2},
        "color": {**_COLOR, "default": "#000000"},
        "uppercase": {"type": "boolean", "default": False},
    }
)


def _element(*, text: str | None) -> dict[str, Any]:
    """Without a text of its own an element has to bring one."""
    fields = {name: dict(field) for name, field in _FIELDS.items()}
    if text is not None:
        fields["text"]["default"] = text
    required = ["x", "y"] if text is not None else ["text", "x", "y"]
    return {"type": "object", "properties": fields, "required": required}


def _without_defaults() -> dict[str, Any]:
    fields = {
        name: {key: value for key, value in field.items() if key != "default"}
        for name, field in _FIELDS.items()
    }
    return {"type": "object", "properties": fields}


SCHEMA: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "type": "object",
        "required": ["template", "elements"],
        "properties": {
            "template": _SLUG,
            "page": {"type": "integer", "minimum": 1, "default": 1},
            "language": {"type": "string", "pattern": "^[a-z]{2,3}(-[a-z]+)?$", "examples": ["de"]},
            "time_zone": {"type": "string"},
            "title": {"type": "string", "maxLength": 200, "default": "{context_name}: {name}"},
            "context_name": {"type": "string", "maxLength": 255},
            "elements": {
                "type": "object",
                "minProperties": 1,
                "properties": {name: _element(text=text) for name, text in _TEXTS.items()},
                "additionalProperties": _element(text=None),
            },
            "multi_line": {"type": "object", "additionalProperties": _without_defaults()},
            "qr": {
                "type": "object",
                "required": ["x", "y", "size"],
                "properties": {
                    "x": _LENGTH,
                    "y": _LENGTH,
                    "size": {"type": "number", "minimum": 36, "maximum": 1000},
                    "color": {**_COLOR, "default": "#000000"},
                },
            },
            "images": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["image", "x", "y", "width"],
                    "properties": {
                        "image": _SLUG,
                        "x": _LENGTH,
                        "y": _LENGTH,
                        "width": {"type": "number", "exclusiveMinimum": 0, "maximum": 14400},
                    },
                },
            },
            "protected": {"type": "boolean", "default": False},
        },
    }
)


@attrs.frozen
class Element:
    text: str
    x: float
    y: float
    width: float | None
    align: str
    font: str
    size: float
    min_size: float
    max_lines: int
    line_height: float
    color: str
    uppercase: bool


@attrs.frozen
class Code:
    """A QR code, lower left corner and length of a side."""

    x: float
    y: float
    size: float
    color: str


@attrs.frozen
class Picture:
    image: str
    x: float
    y: float
    width: float


@attrs.frozen
class Layout:
    """`long_elements`: those that take over when the name needs more than one line. `page` counts
    from 1. `protected`: encrypted, so that readers open it and refuse to change it.
    """

    template: str
    page: int
    title: str
    elements: Mapping[str, Element]
    long_elements: Mapping[str, Element]
    qr: Code | None
    images: tuple[Picture, ...]
    protected: bool


def read(options: Options) -> Layout:
    """Of options that fit SCHEMA and have its defaults."""
    elements: Mapping[str, Options] = options["elements"]
    changes: Mapping[str, Options] = options.get("multi_line", {})
    return Layout(
        template=options["template"],
        page=options["page"],
        title=options["title"],
        elements={name: _read_element(each) for name, each in elements.items()},
        long_elements={
            name: _read_element({**each, **changes.get(name, {})})
            for name, each in elements.items()
        },
        qr=Code(**options["qr"]) if "qr" in options else None,
        images=tuple(Picture(**each) for each in options.get("images", ())),
        protected=options["protected"],
    )


def _read_element(options: Options) -> Element:
    """A text may become a little smaller before it takes a second line."""
    smallest = min(options.get("min_size", options["size"] * 0.7), options["size"])
    return Element(**{"width": None, **options, "min_size": smallest})


def filled(text: str, *, values: Mapping[str, str]) -> str:
    """`text` with its placeholders replaced, once: a name that looks like one stays a name."""
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), text)


def faults(options: Options) -> Iterator[tuple[str, str]]:
    """What the schema cannot say, by path. Of options that fit it."""
    for path, text in _texts(options):
        for name in _PLACEHOLDER.findall(text):
            if name not in PLACEHOLDERS:
                known = ", ".join(f"{{{each}}}" for each in PLACEHOLDERS)
                yield path, f"{{{name}}} is not known, known: {known}"
    for name in options.get("multi_line", {}):
        if name not in options["elements"]:
            yield f"multi_line.{name}", "is not among the elements"


def fonts(options: Options) -> Iterator[tuple[str, str]]:
    """Paths and slugs of the fonts that are named."""
    for part in ("elements", "multi_line"):
        for name, element in options.get(part, {}).items():
            if "font" in element:
                yield f"{part}.{name}.font", element["font"]


def _texts(options: Options) -> Iterator[tuple[str, str]]:
    if "title" in options:
        yield "title", options["title"]
    for part in ("elements", "multi_line"):
        for name, element in options.get(part, {}).items():
            if "text" in element:
                yield f"{part}.{name}.text", element["text"]
