from uuid import UUID

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from badges.portable.definitions import (
    Document,
    OrganizationDef,
    PenaltyDef,
    RequirementDef,
    RuleDef,
    TemplateDef,
)
from badges.portable.reader import read
from badges.portable.writer import write

CREATED = "org.openedx.learning.certificate.created.v1"
ACME = UUID("5f1b0cb7-0000-4000-8000-000000000001")
ODD = [
    "", " ", "007", "0.90", "1e3", "0x1F", "1_000", "1:30", ".5", "yes", "No", "true", "null", "~",
    "y", "=", "<<", "-", "- a", "? a", "a: b", "a #b", "#", "&a", "*a", "!a", "%a", "@a", "`a`",
    "[a]", "{a}", "[a", '["a", "b, c"]', "a, b", '"', "'", "\\", "\\n", "\n", "a\nb\n", " a", "a ",
    "\ta", "\r\n", "2026-03-01", "2026-03-01T10:00:00Z", "course-v1:Acme+D101+2026", "Ünï", "😀",
    "日本", "\u2028", "\x85", "\ufeff", "\x7f", "\xa0", "\u200b", "\ufffe", "a" * 3_000, "---",
    "...",
]  # fmt: skip
# Everything a database takes: no NUL, no half characters.
texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=60)


def template(*, name: str = "One", description: str = "", value: str = "") -> TemplateDef:
    rules = (RuleDef("mode", "eq", value), RuleDef("grade", "exists"))
    return TemplateDef(
        uuid=UUID(int=7),
        name=name,
        description=description,
        organization=ACME,
        providers=("credly",),
        is_active=True,
        reissue="never",
        name_policy="profile",
        requirements=(
            RequirementDef("1e3", CREATED, rules=rules),
            RequirementDef("yes", CREATED, group=description[:100], description=name[:255]),
        ),
        penalties=(
            PenaltyDef("007", CREATED, ("1e3", "yes"), description=name[:255], rules=rules),
        ),
    )


def demanding(odd: str) -> TemplateDef:
    """Two of the group `odd`; the second one three times, some time after the first."""
    first = RequirementDef("1e3", CREATED, group=odd)
    second = RequirementDef(
        "yes",
        CREATED,
        group=odd,
        count=3,
        distinct_by="course.course_key",
        within="P1DT6H",
        after=("1e3",),
    )
    return attrs.evolve(template(), requirements=(first, second), groups=((odd, 2),))


def written_and_read(*, organization: str, found: TemplateDef) -> Document:
    organizations = (OrganizationDef(ACME, "credly", organization, ""),)
    text = write(organizations=organizations, templates=[found])
    document = read(text)
    assert document == Document(organizations, (found,)), text
    assert write(organizations=document.organizations, templates=document.templates) == text
    return document


@pytest.mark.parametrize("odd", ODD)
def test_odd_texts_survive(odd: str) -> None:
    written_and_read(
        organization=odd[:255],
        found=template(name=odd[:255] or "One", description=odd, value=odd),
    )


@given(name=texts.filter(bool), description=texts, value=texts)
def test_any_text_survives(name: str, description: str, value: str) -> None:
    written_and_read(
        organization=name, found=template(name=name, description=description, value=value)
    )


@pytest.mark.parametrize("odd", [each for each in ODD if 0 < len(each) <= 100])
def test_groups_repetition_and_order_survive(odd: str) -> None:
    written_and_read(organization="Acme", found=demanding(odd))


@given(label=texts.filter(bool))
def test_any_label_survives(label: str) -> None:
    written_and_read(organization="Acme", found=demanding(label))


def test_groups_repetition_and_order_read_well() -> None:
    text = write(organizations=[], templates=[demanding("A")])

    assert (
        f"""\
    name_policy: profile
    groups: {{A: {{required: 2}}}}
    requirements:
      - id: "1e3"
        event_type: {CREATED}
        group: A
        rules: []
      - id: "yes"
        event_type: {CREATED}
        group: A
        count: 3
        distinct_by: course.course_key
        within: P1DT6H
        after: ["1e3"]
        rules: []
"""
        in text
    )


def test_the_file_reads_well() -> None:
    text = write(
        organizations=[OrganizationDef(ACME, "credly", "Acme Academy", "ACME_CREDLY_KEY")],
        templates=[template(name="Data Explorer", value="honor")],
    )

    assert (
        text
        == f"""\
version: 1
organizations:
  - uuid: {ACME}
    provider: credly
    name: Acme Academy
    api_key_env: ACME_CREDLY_KEY
templates:
  - uuid: 00000000-0000-0000-0000-000000000007
    name: Data Explorer
    organization: {ACME}
    providers: [credly]
    is_active: true
    reissue: never
    name_policy: profile
    requirements:
      - id: "1e3"
        event_type: {CREATED}
        rules:
          - {{path: mode, operator: eq, value: "honor"}}
          - {{path: grade, operator: exists}}
      - id: "yes"
        event_type: {CREATED}
        description: Data Explorer
        rules: []
    penalties:
      - id: "007"
        event_type: {CREATED}
        resets: ["1e3", "yes"]
        description: Data Explorer
        rules:
          - {{path: mode, operator: eq, value: "honor"}}
          - {{path: grade, operator: exists}}
"""
    )


def test_nothing_is_a_file_too() -> None:
    text = write(organizations=[], templates=[])

    assert text == "version: 1\norganizations: []\ntemplates: []\n"
    assert read(text) == Document((), ())
