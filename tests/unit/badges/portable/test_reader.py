from collections.abc import Collection
from typing import Final
from uuid import UUID

import pytest

from badges.portable.definitions import (
    Document,
    Faults,
    OrganizationDef,
    PenaltyDef,
    RequirementDef,
    RuleDef,
    TemplateDef,
)
from badges.portable.reader import read

PASSING: Final = "org.openedx.learning.course.passing.status.updated.v1"
GRADED: Final = "org.openedx.learning.certificate.created.v1"
ACME: Final = "5f1b0cb7-0000-4000-8000-000000000001"
SAMPLE: Final = f"""\
version: 1
organizations:
  - {{uuid: {ACME}, provider: credly, name: Acme Academy, api_key_env: ACME_CREDLY_KEY}}
templates:
  - uuid: 0d4a0000-0000-4000-8000-000000000001
    name: Data Explorer
    description: Passed the two data courses.
    organization: {ACME}
    providers: [credly]
    is_active: true
    reissue: allowed
    name_policy: profile
    groups: {{A: {{required: 1}}}}
    requirements:
      - id: passed-intro
        event_type: {PASSING}
        group: A
        description: Pass the introduction
        count: 1
        after: []
        rules:
          - {{path: course.course_key, operator: eq, value: "course-v1:Acme+D101+2026"}}
          - {{path: is_passing, operator: eq, value: yes}}
      - id: any-event
        event_type: {PASSING}
    penalties:
      - id: failed-intro
        event_type: {PASSING}
        resets: [passed-intro]
        rules:
          - {{path: is_passing, operator: eq, value: "false"}}
"""
LINES: Final = SAMPLE.splitlines()


def document(text: str, *, organizations: Collection[UUID] = ()) -> Document:
    found = read(text, organizations=organizations)
    assert isinstance(found, Document), found
    return found


def faults(text: str) -> list[str]:
    found = read(text)
    assert isinstance(found, Faults), found
    return [str(each) for each in found.faults]


def changed(old: str, new: str) -> str:
    assert old in SAMPLE
    return SAMPLE.replace(old, new, 1)


def rule(written: str, *, event_type: str = GRADED) -> str:
    """A file with one rule; it stands in line 9."""
    return f"""\
version: 1
templates:
  - uuid: 0d4a0000-0000-4000-8000-000000000001
    name: One
    providers: []
    is_active: true
    requirements:
      - {{id: r, event_type: {event_type}, rules: [
        {written}]}}
"""


def value(written: str, *, operator: str = "eq", path: str = "mode") -> str:
    text = rule(f"{{path: {path}, operator: {operator}, value: {written}}}")
    return document(text).templates[0].requirements[0].rules[0].value


def test_everything_of_the_sample_is_read() -> None:
    assert document(SAMPLE) == Document(
        organizations=(OrganizationDef(UUID(ACME), "credly", "Acme Academy", "ACME_CREDLY_KEY"),),
        templates=(
            TemplateDef(
                uuid=UUID("0d4a0000-0000-4000-8000-000000000001"),
                name="Data Explorer",
                description="Passed the two data courses.",
                organization=UUID(ACME),
                providers=("credly",),
                is_active=True,
                reissue="allowed",
                name_policy="profile",
                requirements=(
                    RequirementDef("any-event", PASSING),
                    RequirementDef(
                        "passed-intro",
                        PASSING,
                        group="A",
                        description="Pass the introduction",
                        rules=(
                            RuleDef("course.course_key", "eq", "course-v1:Acme+D101+2026"),
                            RuleDef("is_passing", "eq", "true"),
                        ),
                    ),
                ),
                penalties=(
                    PenaltyDef(
                        "failed-intro",
                        PASSING,
                        ("passed-intro",),
                        rules=(RuleDef("is_passing", "eq", "false"),),
                    ),
                ),
            ),
        ),
    )


def test_repetition_order_and_groups_are_read() -> None:
    text = SAMPLE
    for old, new in [
        ("{A: {required: 1}}", "{A: {required: 2}, B: {required: 1}}"),
        (
            "count: 1",
            "count: 10000\n        distinct_by: course.course_key\n        within: P1DT6H",
        ),
        (
            "      - id: any-event",
            "      - id: c\n        event_type: EVENT\n        group: B\n      - id: any-event",
        ),
        ("after: []", "after: [c, any-event]"),
    ]:
        assert old in text
        text = text.replace(old, new.replace("EVENT", PASSING), 1)
    text = text.replace("    penalties:", "        group: A\n    penalties:", 1)

    (template,) = document(text).templates

    # A group of which one is demanded says nothing: every group demands one.
    assert template.groups == (("A", 2),)
    assert [(each.id, each.group) for each in template.requirements] == [
        ("any-event", "A"),
        ("c", "B"),
        ("passed-intro", "A"),
    ]
    intro = template.requirements[2]
    assert (intro.count, intro.distinct_by, intro.within, intro.after) == (
        10000,
        "course.course_key",
        "P1DT6H",
        ("any-event", "c"),
    )


def test_what_may_be_left_out_has_defaults() -> None:
    text = "version: 1\ntemplates:\n  - {uuid: 0d4a0000000040008000000000000001, name: 2026,"
    text += " providers: [], is_active: no, organization: null, requirements: ~}\n"

    (template,) = document(text).templates

    assert template == TemplateDef(
        uuid=UUID("0d4a0000-0000-4000-8000-000000000001"),
        name="2026",
        description="",
        organization=None,
        providers=(),
        is_active=False,
        reissue="never",
        name_policy="verified_if_available",
        requirements=(),
        penalties=(),
    )


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("true", "true"),
        ("No", "false"),
        ('"No"', "No"),
        ("0.90", "0.90"),
        ("007", "007"),
        ("1e3", "1e3"),
        ("2026-03-01", "2026-03-01"),
        ("''", ""),
        ('"a\\nb"', "a\nb"),
        ("course-v1:Acme+D101+2026", "course-v1:Acme+D101+2026"),
    ],
)
def test_values_are_text(written: str, text: str) -> None:
    assert value(written) == text


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("[honor, verified]", "honor, verified"),
        ("honor", "honor"),
        ("[yes, 0.90]", "true, 0.90"),
        ('["a, b", c]', '["a, b", "c"]'),
        ('["", c]', '["", "c"]'),
    ],
)
def test_lists_become_the_text_of_a_list(written: str, text: str) -> None:
    assert value(written, operator="in") == text


def test_an_operator_without_value_needs_none() -> None:
    (template,) = document(rule("{path: mode, operator: exists}")).templates

    assert template.requirements[0].rules == (RuleDef("mode", "exists", ""),)


def test_an_organization_of_the_database_may_be_named() -> None:
    text = changed(LINES[1] + "\n" + LINES[2] + "\n", "")

    assert document(text, organizations=[UUID(ACME)]).organizations == ()
    assert faults(text) == [
        f"line 6: templates[0].organization: {ACME} is neither in this file nor in the database"
    ]


R: Final = "templates[0].requirements[0]"
P: Final = "templates[0].penalties[0]"


@pytest.mark.parametrize(
    ("old", "new", "line", "path", "reason"),
    [
        # the file
        ("version: 1", "version: 2", 1, "version", "must be 1"),
        ("version: 1", 'version: "1"', 1, "version", "must be 1"),
        ("version: 1\n", "", 1, "version", "missing; write version: 1"),
        ("version: 1", "versoin: 1", 1, "versoin", "unknown key; choose one of: version, "),
        ("templates:\n", "templates: 3\nx:\n", 4, "templates", "must be a list, but is a number"),
        # organizations
        ("provider: credly, ", "", 3, "organizations[0].provider", "missing"),
        ("provider: credly", "provider: pdf", 3, "organizations[0].provider", "'pdf' is unknown"),
        ("name: Acme Academy", "x: 1", 3, "organizations[0].name", "missing"),
        ("Acme Academy", "a" * 256, 3, "organizations[0].name", "at most 255 characters"),
        ("ACME_CREDLY_KEY", "s3-cret!", 3, "organizations[0].api_key_env", "not a key itself"),
        (f"uuid: {ACME}", "uuid: 7", 3, "organizations[0].uuid", "'7' is not a UUID"),
        # a template
        ("    name: Data Explorer\n", "", 5, "templates[0].name", "missing"),
        ("Data Explorer", "''", 6, "templates[0].name", "must not be empty"),
        ("Data Explorer", "[a]", 6, "templates[0].name", "must be text, but is a list"),
        ("Data Explorer", '"a\\0"', 6, "templates[0].name", "NUL"),
        ("[credly]", "[credly, paper]", 9, "templates[0].providers[1]", "'paper' is not configured"),
        ("[credly]", "[credly, credly]", 9, "templates[0].providers[1]", "stands twice"),
        ("[credly]", "credly", 9, "templates[0].providers", "must be a list, but is text"),
        (LINES[7], "    x: 1", 5, "templates[0].organization", "provider credly needs one"),
        (f"organization: {ACME}", f"organization: {UUID(int=9)}", 8, "templates[0].organization",
         "neither in this file nor in the database"),
        ("is_active: true", 'is_active: "true"', 10, "templates[0].is_active", "without quotes"),
        ("    is_active: true\n", "", 5, "templates[0].is_active", "missing"),
        ("reissue: allowed", "reissue: often", 11, "templates[0].reissue", "never, allowed"),
        ("policy: profile", "policy: x", 12, "templates[0].name_policy", "verified_required"),
        # groups, repetition, order
        ("{required: 1}", "{required: 2}", 13, "templates[0].groups.A.required",
         "2 is not possible: the group has 1 requirements"),
        ("{required: 1}", "{required: 0}", 13, "templates[0].groups.A.required", "not possible"),
        ("{required: 1}", "{required: x}", 13, "templates[0].groups.A.required", "whole number"),
        ("{required: 1}", "{demanded: 1}", 13, "templates[0].groups.A.demanded", "unknown key"),
        ("{required: 1}", "1", 13, "templates[0].groups.A", "must be a mapping"),
        ("{A: {required: 1}}", "{B: {required: 1}}", 13, "templates[0].groups.B.required",
         "no requirement of this template has this group"),
        ("{A: {required: 1}}", "[A]", 13, "templates[0].groups", "must be a mapping of labels"),
        ("count: 1", "count: 0", 19, f"{R}.count", "0 is not between 1 and 10000"),
        ("count: 1", "count: 10001", 19, f"{R}.count", "10001 is not between 1 and 10000"),
        ("count: 1", "count: -2", 19, f"{R}.count", "-2 is not between 1 and 10000"),
        ("count: 1", 'count: "2"', 19, f"{R}.count", "a whole number without quotes"),
        ("count: 1", "count: 010", 19, f"{R}.count", "a whole number without quotes"),
        ("count: 1", "count: 2.0", 19, f"{R}.count", "a whole number without quotes"),
        ("count: 1", "count: 99999999999", 19, f"{R}.count", "must be a whole number"),
        ("count: 1", "within: P1M", 19, f"{R}.within", "is no duration in weeks, days"),
        ("count: 1", "within: 30", 19, f"{R}.within", "write for example P30D"),
        ("count: 1", "distinct_by: course.key", 19, f"{R}.distinct_by",
         "is not a key path of this event; choose one of"),
        ("count: 1", "distinct_by: course", 19, f"{R}.distinct_by", "choose a value inside it"),
        ("count: 1", "distinct_by: course_passing_status.course.course_key", 19,
         f"{R}.distinct_by", "is not a key path"),
        ("after: []", "after: [other]", 20, f"{R}.after",
         "'other' is no requirement of this template"),
        ("after: []", "after: [passed-intro]", 20, f"{R}.after",
         "goes in a circle: passed-intro after passed-intro"),
        ("after: []", "after: [any-event, any-event]", 20, f"{R}.after[1]", "stands twice"),
        ("after: []", "after: any-event", 20, f"{R}.after", "must be a list"),
        # requirements
        ("id: passed-intro", "id: passed intro", 15, f"{R}.id", "Use letters, digits"),
        ("id: passed-intro", 'id: "passed\\n"', 15, f"{R}.id", "line break"),
        ("id: any-event", "id: passed-intro", 24, "templates[0].requirements[1].id",
         "'passed-intro' stands twice; the first is in line 15"),
        (PASSING, "org.openedx.nothing.v1", 16, f"{R}.event_type", "is not configured"),
        ("operator: eq", "operator: gt", 22, f"{R}.rules[0].operator", "does not fit"),
        ("operator: eq", "operator: is", 22, f"{R}.rules[0].operator", "choose one of: eq, "),
        ("path: course.course_key", "path: course.key", 22, f"{R}.rules[0].path", "choose one of"),
        ("course-v1:Acme+D101+2026", "D101", 22, f"{R}.rules[0].value", "is no key of this kind"),
        (", value: yes", "", 23, f"{R}.rules[1].value", "missing"),
        ("value: yes", "value: [yes]", 23, f"{R}.rules[1].value", "only the operators in"),
        # penalties
        ("[passed-intro]", "[]", 29, f"{P}.resets", "must reset at least one"),
        ("[passed-intro]", "[passed-outro]", 29, f"{P}.resets[0]", "of its own template"),
        ("        resets: [passed-intro]\n", "", 27, f"{P}.resets", "must reset at least one"),
        ("id: failed-intro", "name: failed", 27, f"{P}.name", "unknown key; choose one of: id, "),
    ],
)  # fmt: skip
def test_a_fault_names_line_and_field(
    old: str, new: str, line: int, path: str, reason: str
) -> None:
    found = faults(changed(old, new))

    matching = [each for each in found if each.startswith(f"line {line}: {path}: ")]
    assert matching, found
    assert any(reason in each for each in matching), found


def test_an_order_that_goes_in_a_circle_is_a_fault_once() -> None:
    text = changed("after: []", "after: [any-event]")
    text = text.replace(
        "      - id: any-event\n", "      - id: any-event\n        after: [passed-intro]\n"
    )

    (fault,) = faults(text)

    assert "goes in a circle" in fault
    assert fault.startswith((f"line 20: {R}.after", "line 25: templates[0].requirements[1].after"))


def test_an_unknown_event_is_not_blamed_for_the_path_that_differs() -> None:
    text = changed("count: 1", "distinct_by: anything").replace(PASSING, "nothing", 1)

    found = faults(text)

    assert [each.split(": ")[1] for each in found] == [f"{R}.event_type"]


def test_every_fault_is_listed_in_the_order_of_lines() -> None:
    text = SAMPLE
    for old, new in [
        ("version: 1", "version: 7"),
        ("provider: credly", "provider: x"),
        ("is_active: true", "is_active: maybe"),
        ("operator: eq", "operator: is"),
        ("resets: [passed-intro]", "resets: [x]"),
    ]:
        text = text.replace(old, new, 1)

    places = [each.split(": ")[:2] for each in faults(text)]

    assert places == [
        ["line 1", "version"],
        ["line 3", "organizations[0].provider"],
        ["line 10", "templates[0].is_active"],
        ["line 22", f"{R}.rules[0].operator"],
        ["line 29", f"{P}.resets[0]"],
    ]


def test_a_rule_of_an_unknown_event_is_not_blamed_for_it() -> None:
    (fault,) = faults(rule("{path: x, operator: y, value: z}", event_type="nothing"))

    assert "requirements[0].event_type" in fault


def test_an_unknown_path_does_not_hide_an_unknown_operator() -> None:
    found = faults(rule("{path: x, operator: y, value: z}"))

    assert [each.split(": ")[1].rpartition(".")[2] for each in found] == ["operator", "path"]


def test_a_uuid_twice_is_a_fault_however_it_is_written() -> None:
    templates = SAMPLE[SAMPLE.index("  - uuid: 0d4a") :]
    text = SAMPLE + templates.replace("0d4a0000-0000-4000-8000-", "0D4A0000000040008000")

    (fault,) = faults(text)

    assert fault.startswith("line 32: templates[1].uuid: ")
    assert fault.endswith(" stands twice; the first is in line 5")


def test_an_active_template_needs_a_requirement() -> None:
    text = "version: 1\ntemplates:\n- {uuid: 0d4a0000000040008000000000000001, name: n,"
    text += " providers: [], is_active: true, requirements: []}\n"

    (fault,) = faults(text)

    assert fault.startswith("line 3: templates[0].requirements: A template without requirements")


@pytest.mark.parametrize("text", ["[]", "x", "3", "templates: []\nversion: 1\norganizations: {}"])
def test_anything_else_is_refused_without_a_crash(text: str) -> None:
    assert faults(text)
