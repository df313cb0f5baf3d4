"""Options: JSON that is merged in layers, filled with defaults and checked by a JSON schema. Pure.

Schemas are JSON schema 2020-12, with two differences: an object that names its `properties` takes
no others unless it says so, and numbers are finite. Parts are shared by Python, not by `$ref`.
`examples` of a text with a `pattern` is what a fault shows.
"""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from types import MappingProxyType
from typing import Any, Final

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.validators import extend
from referencing import Registry

Schema = Mapping[str, Any]
Options = Mapping[str, Any]

_LONGEST: Final = 60  # characters of a value that a message quotes


def merged(*layers: Options) -> dict[str, Any]:
    """Later layers win, objects are merged key by key at any depth, everything else is replaced.
    Shares nothing with the layers.
    """
    result: dict[str, Any] = {}
    for layer in layers:
        for key, value in layer.items():
            known = result.get(key)
            if isinstance(value, Mapping):
                result[key] = merged(known if isinstance(known, Mapping) else {}, value)
            else:
                result[key] = deepcopy(value)
    return result


def with_defaults(schema: Schema, options: Options) -> dict[str, Any]:
    """A copy in which every key that is missing has the schema's default, if there is one, also
    inside of the objects and lists that are there.
    """
    filled: dict[str, Any] = _filled(schema, options)
    return filled


def _filled(schema: Any, value: Any) -> Any:
    if not isinstance(schema, Mapping):
        return deepcopy(value)
    if isinstance(value, Mapping):
        properties = schema.get("properties", {})
        others = schema.get("additionalProperties")
        absent = {
            key: part["default"]
            for key, part in properties.items()
            if key not in value and isinstance(part, Mapping) and "default" in part
        }
        return {
            key: _filled(properties.get(key, others), item)
            for key, item in {**value, **absent}.items()
        }
    if isinstance(value, list):
        return [_filled(schema.get("items"), item) for item in value]
    return deepcopy(value)


def faults(schema: Schema, options: Any) -> Mapping[str, str]:
    """One plain message for each field that does not fit, by its dotted path
    (`elements.name.size`, `steps.0`); the whole is at the path "".
    """
    found: dict[str, str] = {}
    errors = _Validator(
        _closed(schema),
        registry=Registry(),  # nothing is ever fetched
        format_checker=Draft202012Validator.FORMAT_CHECKER,
    ).iter_errors(options)
    for error in errors:
        for path, message in _told(error):
            found.setdefault(path, message)
    return found


def schema_fault(schema: Any) -> str:
    """Why this is no schema of options; empty when it is one. Its defaults have to fit it."""
    if not isinstance(schema, Mapping):
        return "it is not an object"
    try:
        Draft202012Validator.check_schema(_closed(schema))
    except SchemaError as error:
        return error.message
    if schema.get("type") != "object":
        return 'its type is not "object"'
    for path, message in faults(schema, with_defaults(schema, {})).items():
        if message != MISSING:
            return f"its default of {path} {message}"
    return ""


# The schema as it is meant


def _closed(schema: Any) -> Any:
    """With `additionalProperties: false` where nothing is said. Not below `anyOf` and its like,
    whose branches each see only a part.
    """
    if not isinstance(schema, Mapping):
        return schema
    closed = dict(schema)
    if "properties" in schema:
        closed.setdefault("additionalProperties", False)
    for key in ("properties", "patternProperties"):
        if isinstance(schema.get(key), Mapping):
            closed[key] = {name: _closed(part) for name, part in schema[key].items()}
    for key in ("items", "additionalProperties"):
        if key in schema:
            closed[key] = _closed(schema[key])
    return closed


def _is_number(_checker: Any, value: Any) -> bool:
    """NaN would pass every limit."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_object(_checker: Any, value: Any) -> bool:
    return isinstance(value, Mapping)


_Validator: Any = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine_many(
        {"number": _is_number, "object": _is_object}
    ),
)

# Messages

MISSING: Final = "is missing"
_TYPES: Final = MappingProxyType(
    {
        "number": "a number",
        "integer": "a whole number",
        "string": "text",
        "boolean": "true or false",
        "object": "an object",
        "array": "a list",
        "null": "null",
    }
)
_LIMITS: Final = MappingProxyType(
    {
        "minimum": "must be at least {}",
        "maximum": "must be at most {}",
        "exclusiveMinimum": "must be more than {}",
        "exclusiveMaximum": "must be less than {}",
        "multipleOf": "must be a multiple of {}",
    }
)
_SIZES: Final = MappingProxyType(
    {
        "minLength": "must have at least {} characters",
        "maxLength": "must have at most {} characters",
        "minItems": "must have at least {} entries",
        "maxItems": "must have at most {} entries",
        "minProperties": "must have at least {} entries",
        "maxProperties": "must have at most {} entries",
        "format": "must be a {}",
    }
)


def _told(error: ValidationError) -> Iterator[tuple[str, str]]:
    """Paths and messages of one error."""
    path = [str(part) for part in error.absolute_path]
    value, wanted, schema = _parts(error)
    if error.validator == "required":
        for name in wanted:
            if name not in value:
                yield _dotted(path, name), MISSING
    elif error.validator == "additionalProperties":
        known = schema.get("properties", {})
        for name in _unknown(value, schema=schema):
            yield _dotted(path, name), f"is not known here, known: {', '.join(sorted(known))}"
    else:
        yield _dotted(path), _message(error)


def _parts(error: ValidationError) -> tuple[Any, Any, Any]:
    """The value, what the failed keyword says, and the schema that it stands in."""
    return error.instance, error.validator_value, error.schema


def _unknown(instance: Mapping[str, Any], *, schema: Schema) -> list[str]:
    patterns = schema.get("patternProperties", {})
    return [
        name
        for name in instance
        if name not in schema.get("properties", {})
        and not any(re.search(each, name) for each in patterns)
    ]


def _message(error: ValidationError) -> str:
    keyword = str(error.validator)
    value, wanted, schema = _parts(error)
    writers: Mapping[str, Callable[[], str]] = {
        "type": lambda: f"must be {_kinds(wanted)}, not {_quoted(value)}",
        "enum": lambda: "must be one of " + ", ".join(_quoted(each) for each in wanted),
        "const": lambda: f"must be {_quoted(wanted)}",
        "pattern": lambda: _form(value, schema=schema),
        "uniqueItems": lambda: "names something twice",
    }
    if keyword in writers:
        return writers[keyword]()
    if keyword in _LIMITS:
        return f"{_LIMITS[keyword].format(wanted)}, not {_quoted(value)}"
    if keyword in _SIZES:
        return _SIZES[keyword].format(wanted)
    return error.message


def _form(value: Any, *, schema: Schema) -> str:
    examples = schema.get("examples")
    if examples:
        return f"must look like {examples[0]}, not {_quoted(value)}"
    return f"must match {schema['pattern']}, not {_quoted(value)}"


def _kinds(wanted: str | list[str]) -> str:
    return " or ".join(_TYPES[each] for each in ([wanted] if isinstance(wanted, str) else wanted))


def _quoted(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _dotted(path: Sequence[str], *more: str) -> str:
    return ".".join((*path, *more))
