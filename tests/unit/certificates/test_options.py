"""Options: merged, filled with defaults, and told what is wrong with them, field by field."""

from copy import deepcopy
from typing import Any, Final

import pytest

from certificates.options import faults, merged, schema_fault, with_defaults

SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "required_completion": {"type": "number", "minimum": 0, "maximum": 1, "default": 0.9},
        "colour": {"type": "string", "pattern": "^#[0-9a-f]{6}$", "examples": ["#1a2b3c"]},
        "steps": {"type": "array", "items": {"type": "string", "minLength": 1}, "maxItems": 2},
        "mode": {"enum": ["soft", "hard"]},
        "elements": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "properties": {
                    "y": {"type": "number"},
                    "size": {"type": "integer", "exclusiveMinimum": 0, "default": 12},
                },
                "required": ["y"],
            },
        },
    },
}


def test_lc_2_layers_are_merged_deeply_and_stay_as_they_are() -> None:
    layers: list[dict[str, Any]] = [{"a": {"x": 1, "y": 2}}, {"a": {"y": 3}, "b": 1}]
    layers.append({"a": {"x": 9}})
    before = deepcopy(layers)
    result = merged(*layers)
    assert result == {"a": {"x": 9, "y": 3}, "b": 1}
    result["a"]["z"] = 0
    assert layers == before


@pytest.mark.parametrize(
    ("over", "result"),
    [
        ({"a": None}, {"a": None}),
        ({"a": [3]}, {"a": [3]}),
        ({"a": {"b": {"c": 1}}}, {"a": {"l": [1, 2], "b": {"c": 1}}}),
        ({"a": {"l": [3]}}, {"a": {"l": [3], "b": {"d": 0}}}),
        ({"a": {"b": 1}}, {"a": {"l": [1, 2], "b": 1}}),
        ({}, {"a": {"l": [1, 2], "b": {"d": 0}}}),
    ],
)
def test_only_objects_are_merged(over: dict[str, Any], result: dict[str, Any]) -> None:
    if over == {"a": {"b": {"c": 1}}}:
        result["a"]["b"] = {"d": 0, "c": 1}
    assert merged({"a": {"l": [1, 2], "b": {"d": 0}}}, over) == result


def test_lists_are_not_shared() -> None:
    layer: dict[str, Any] = {"steps": [{"x": 1}]}
    merged(layer)["steps"][0]["x"] = 2
    with_defaults({}, layer)["steps"][0]["x"] = 2
    assert layer == {"steps": [{"x": 1}]}


def test_defaults_fill_what_is_missing_also_inside() -> None:
    options = {"elements": {"name": {"y": 1}, "date": {"y": 2, "size": 8}}}
    assert with_defaults(SCHEMA, options) == {
        "required_completion": 0.9,
        "elements": {"name": {"y": 1, "size": 12}, "date": {"y": 2, "size": 8}},
    }
    assert options == {"elements": {"name": {"y": 1}, "date": {"y": 2, "size": 8}}}
    assert with_defaults(SCHEMA, {"required_completion": None}) == {"required_completion": None}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, {}),
        ({"required_completion": 1}, {}),
        (
            {"required_completion": 1.5},
            {"required_completion": "must be at most 1, not 1.5"},
        ),
        (
            {"required_completion": "x"},
            {"required_completion": 'must be a number, not "x"'},
        ),
        ({"required_completion": True}, {"required_completion": "must be a number, not true"}),
        (
            {"required_completion": float("nan")},
            {"required_completion": "must be a number, not NaN"},
        ),
        (
            {"required": 0.9},
            {
                "required": "is not known here, known: "
                "colour, elements, mode, required_completion, steps"
            },
        ),
        ({"colour": "red"}, {"colour": 'must look like #1a2b3c, not "red"'}),
        ({"steps": ["a", ""]}, {"steps.1": "must have at least 1 characters"}),
        ({"steps": ["a", "b", "c"]}, {"steps": "must have at most 2 entries"}),
        ({"mode": "gentle"}, {"mode": 'must be one of "soft", "hard"'}),
        (
            {"elements": {"name": {"size": "32"}, "date": {"y": 1, "z": 1}}},
            {
                "elements.name.size": 'must be a whole number, not "32"',
                "elements.name.y": "is missing",
                "elements.date.z": "is not known here, known: size, y",
            },
        ),
        (
            {"elements": {"name": {"y": 1, "size": 0}}},
            {"elements.name.size": "must be more than 0, not 0"},
        ),
        ([], {"": "must be an object, not []"}),
    ],
)
def test_lc_7_a_message_per_field(options: Any, expected: dict[str, str]) -> None:
    assert faults(SCHEMA, options) == expected


def test_long_values_are_cut() -> None:
    (message,) = faults(SCHEMA, {"required_completion": "x" * 1000}).values()
    assert len(message) < 100


def test_an_object_that_wants_others_has_them() -> None:
    schema = {"type": "object", "properties": {"a": {}}, "additionalProperties": True}
    assert faults(schema, {"b": 1}) == {}
    schema = {"type": "object", "properties": {"a": {}}, "patternProperties": {"^b": {}}}
    assert list(faults(schema, {"b": 1, "c": 1})) == ["c"]


@pytest.mark.parametrize(
    ("schema", "fault"),
    [
        (SCHEMA, ""),
        (None, "it is not an object"),
        ({}, 'its type is not "object"'),
        ({"type": "object", "properties": {"a": {"type": "float"}}}, "'float' is not valid"),
        (
            {"type": "object", "properties": {"a": {"type": "number", "default": "x"}}},
            'its default of a must be a number, not "x"',
        ),
        ({"type": "object", "properties": {"a": {}}, "required": ["a"]}, ""),
    ],
)
def test_a_schema_that_is_none(schema: Any, fault: str) -> None:
    assert schema_fault(schema).startswith(fault)
    assert bool(schema_fault(schema)) == bool(fault)
