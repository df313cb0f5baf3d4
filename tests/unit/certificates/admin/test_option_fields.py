"""Form fields from the schema of a retriever's options."""

from typing import Any

import pytest

from certificates.admin.option_fields import entered, faults_by_field, initial, option_fields
from certificates.retrievers.registry import retriever, retrievers
from tests.fakes.oracle import oracle

FIELDS = {each.name: each for each in option_fields(oracle.options_schema, below={})}


def read(name: str, text: str) -> Any:
    return FIELDS[f"option__{name}"].from_text(text)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("required_completion", "0.9", 0.9),
        ("required_completion", "0,9", 0.9),
        ("required_completion", "1", 1),
        ("required_completion", "much", "much"),
        ("required_completion", "1,000,000", "1,000,000"),
        ("retake__limit", "3", 3),
        ("only_active", "no", False),
        ("only_active", "perhaps", "perhaps"),
        ("mode", "strict", "strict"),
        ("weights", "hw = 20\n final exam=62,5 \n", {"hw": 20, "final exam": 62.5}),
        ("weights", "hw", "hw"),
        ("weights", "= 3", "= 3"),
        ("steps", " one\n\ntwo ", ["one", "two"]),
    ],
)
def test_what_is_entered(name: str, text: str, value: Any) -> None:
    assert read(name, text) == value
    assert type(read(name, text)) is type(value)


def test_a_name_alone_stands_for_what_is_usual() -> None:
    (steps,) = [
        each
        for each in option_fields(retriever("learning_path").options_schema, below={})
        if each.path == ("steps",)
    ]
    given = {"course-v1:A+B+1": {}, "course-v1:A+C+1": {"required_completion": 0.5}}
    text = steps.to_text(given)
    assert text == 'course-v1:A+B+1\ncourse-v1:A+C+1 = {"required_completion": 0.5}'
    assert steps.from_text(text) == given
    assert steps.from_text("a = {") == {"a": "{"}  # the schema says what is wrong with it


def test_blank_fields_say_nothing() -> None:
    cleaned = {"option__mode": "", "option__retake__note": " ", "option__retake__limit": "0"}
    assert entered(list(FIELDS.values()), cleaned) == {"retake": {"limit": 0}}


def test_a_fault_stands_at_its_field() -> None:
    faults = {
        "retake.limit": "must be at least 0",
        "weights.final exam": "must be a number",
        "colour": "is not known here",
        "": "does not fit",
    }
    assert list(faults_by_field(list(FIELDS.values()), faults)) == [
        ("option__retake__limit", "Must be at least 0."),
        ("option__weights", "final exam: must be a number."),
        (None, "colour: is not known here"),
        (None, "does not fit"),
    ]


def test_stored_options_that_fit_no_more_are_shown_all_the_same() -> None:
    stored = {"weights": "once a text", "steps": 7, "required_completion": "x", "mode": "gone"}
    shown = initial(list(FIELDS.values()), stored)
    assert shown["option__weights"] == "once a text"
    assert shown["option__steps"] == "7"
    assert shown["option__required_completion"] == "x"
    assert shown["option__mode"] == ""


@pytest.mark.parametrize("slug", [each for each in retrievers() if each != "oracle"])
def test_every_retriever_of_ours_has_a_form(slug: str) -> None:
    schema = retriever(slug).options_schema
    fields = option_fields(schema, below={})
    assert {each.path[0] for each in fields} == set(schema["properties"])
    assert all(each.field.label and each.field.help_text for each in fields)
