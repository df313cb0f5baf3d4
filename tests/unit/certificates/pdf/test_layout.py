"""LC-7: what is refused when a layout is saved."""

from typing import Any

import pytest

from certificates.options import faults, merged, with_defaults
from certificates.pdf import design, layout


def refused(change: dict[str, Any], without: str = "") -> dict[str, str]:
    options = merged(design.OPTIONS, change)
    if without:
        del options[without]
    return dict(faults(layout.SCHEMA, options))


def test_the_packaged_design_fits() -> None:
    assert refused({}) == {}
    assert dict(layout.faults(with_defaults(layout.SCHEMA, merged(design.OPTIONS)))) == {}
    assert design.FILE.read_bytes() == design.draw()


def test_lc_7_every_field_has_its_own_message() -> None:
    options = {
        "elements": {
            "name": {"x": 10, "size": "32", "color": "red", "align": "middle", "bold": True},
            "motto": {"x": 1, "y": 1},
        },
        "qr": {"x": 1, "y": 1, "size": 10},
        "colour": "red",
        "page": 0,
    }
    found = faults(layout.SCHEMA, options)
    assert set(found) == {
        "template",
        "elements.name.y",
        "elements.name.size",
        "elements.name.color",
        "elements.name.align",
        "elements.name.bold",
        "elements.motto.text",
        "qr.size",
        "colour",
        "page",
    }
    assert found["template"] == "is missing"
    assert found["elements.name.size"] == 'must be a number, not "32"'
    assert found["elements.name.color"] == 'must look like #1a2b3c, not "red"'
    assert found["elements.name.y"] == "is missing"


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -1, True, None])
def test_lc_7_lengths_are_lengths(number: Any) -> None:
    assert list(refused({"elements": {"name": {"x": number}}})) == ["elements.name.x"]


def test_placeholders_and_long_elements_are_known() -> None:
    options = with_defaults(
        layout.SCHEMA,
        merged(
            design.OPTIONS,
            {
                "title": "{nmae}",
                "elements": {"note": {"text": "{name} {when}", "x": 1, "y": 1}},
                "multi_line": {"nobody": {"size": 20}, "name": {"text": "{x}"}},
            },
        ),
    )
    assert faults(layout.SCHEMA, options) == {}
    found = dict(layout.faults(options))
    assert set(found) == {
        "title",
        "elements.note.text",
        "multi_line.name.text",
        "multi_line.nobody",
    }
    assert found["title"].startswith("{nmae} is not known, known: {name}, {context_name}")
