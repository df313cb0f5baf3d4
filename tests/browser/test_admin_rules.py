"""Prof builds a badge in the browser: event type -> key path -> operator -> value."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from badges.models import BadgePenalty, BadgeRequirement
from credentials.models import BadgeTemplate

PASSING = "org.openedx.learning.course.passing.status.updated.v1"
CERTIFICATE = "org.openedx.learning.certificate.created.v1"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def form(prof: Page, live_server: LiveServer) -> Page:
    prof.goto(f"{live_server.url}/admin/credentials/badgetemplate/add/")
    return prof


def field(page: Page, name: str) -> Locator:
    return page.locator(f"[name='{name}']")


def options(page: Page, name: str) -> list[str]:
    values: list[str] = (
        field(page, name)
        .locator("option")
        .evaluate_all("options => options.map(option => option.value)")
    )
    return values


def add(page: Page, prefix: str) -> None:
    """Press "Add another" below the rows of `prefix`."""
    page.locator(f"#{prefix}-data > .form-actions .add-row").first.click()


def add_requirement(page: Page, number: int, key: str, event_type: str = PASSING) -> None:
    add(page, "requirements")
    field(page, f"requirements-{number}-key").fill(key)
    field(page, f"requirements-{number}-key").blur()
    field(page, f"requirements-{number}-event_type").select_option(event_type)


def rule(page: Page, prefix: str, path: str, operator: str, value: str) -> None:
    field(page, f"{prefix}-path").select_option(path)
    field(page, f"{prefix}-operator").select_option(operator)
    field(page, f"{prefix}-value").fill(value)


def save(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_load_state()
    assert page.script_failures == []  # type: ignore[attr-defined]


def test_paths_follow_the_event_type_and_operators_the_path(form: Page) -> None:
    add_requirement(form, 0, "passed-intro")
    add(form, "requirements-0-rules")

    assert "course.course_key" in options(form, "requirements-0-rules-0-path")
    field(form, "requirements-0-rules-0-path").select_option("is_passing")
    assert options(form, "requirements-0-rules-0-operator") == [
        "", "eq", "ne", "exists", "is_missing",
    ]  # fmt: skip
    placeholder = field(form, "requirements-0-rules-0-value")
    expect(placeholder).to_have_attribute("placeholder", "true or false")

    field(form, "requirements-0-event_type").select_option(CERTIFICATE)
    assert "grade" in options(form, "requirements-0-rules-0-path")
    assert "is_passing" not in options(form, "requirements-0-rules-0-path")
    expect(field(form, "requirements-0-rules-0-path")).to_have_value("")


def test_an_operator_without_a_value_takes_none(form: Page) -> None:
    add_requirement(form, 0, "passed-intro")
    add(form, "requirements-0-rules")
    rule(form, "requirements-0-rules-0", "course.display_name", "eq", "Introduction")

    field(form, "requirements-0-rules-0-operator").select_option("exists")

    expect(field(form, "requirements-0-rules-0-value")).to_have_value("")
    expect(field(form, "requirements-0-rules-0-value")).not_to_be_editable()


def test_a_badge_is_built_on_one_page(form: Page) -> None:
    field(form, "name").fill("Data Explorer")
    form.locator("[name=is_active]").check(force=True)
    add_requirement(form, 0, "passed-intro")
    add(form, "requirements-0-rules")
    add(form, "requirements-0-rules")
    rule(form, "requirements-0-rules-0", "course.course_key", "eq", "course-v1:Acme+D101+2026")
    rule(form, "requirements-0-rules-1", "is_passing", "eq", "true")
    add(form, "penalties")
    field(form, "penalties-0-key").fill("failed-intro")
    field(form, "penalties-0-event_type").select_option(PASSING)
    form.locator("[name='penalties-0-resets'][value='passed-intro']").check()
    add(form, "penalties-0-rules")
    rule(form, "penalties-0-rules-0", "is_passing", "eq", "false")
    save(form)

    template = BadgeTemplate.objects.get(name="Data Explorer")
    assert template.is_active
    requirement = template.requirements.get()
    assert [str(each) for each in requirement.rules.all()] == [
        "course.course_key eq course-v1:Acme+D101+2026",
        "is_passing eq true",
    ]
    penalty = template.penalties.get()
    assert list(penalty.requirements.all()) == [requirement]
    assert [str(each) for each in penalty.rules.all()] == ["is_passing eq false"]


def test_what_was_typed_survives_the_removal_of_a_row_above(form: Page) -> None:
    field(form, "name").fill("Data Explorer")
    for number, key in enumerate(("a", "b")):
        add_requirement(form, number, key)
        add(form, f"requirements-{number}-rules")
        rule(form, f"requirements-{number}-rules-0", "is_passing", "eq", "true")

    form.locator("#requirements-data > .form-group").first.locator(
        ".form-row .delete-template"
    ).first.click()

    expect(field(form, "requirements-0-key")).to_have_value("b")
    expect(field(form, "requirements-0-rules-0-path")).to_have_value("is_passing")
    add(form, "requirements-0-rules")  # the buttons inside still work
    rule(form, "requirements-0-rules-1", "course.course_key", "ne", "course-v1:A+B+C")
    save(form)

    requirement = BadgeRequirement.objects.get()
    assert requirement.key == "b"
    assert requirement.rules.count() == 2


def test_a_refused_rule_is_shown_where_it_was_entered(form: Page) -> None:
    field(form, "name").fill("Data Explorer")
    add_requirement(form, 0, "passed-intro")
    add(form, "requirements-0-rules")
    rule(form, "requirements-0-rules-0", "is_passing", "eq", "perhaps")
    save(form)

    cell = form.locator("td.field-value:not(.empty-form td)").first
    expect(cell).to_contain_text("'perhaps' is neither true")
    expect(field(form, "requirements-0-rules-0-path")).to_have_value("is_passing")
    assert not BadgeTemplate.objects.exists()


def test_boxes_of_a_penalty_follow_the_requirements(form: Page) -> None:
    add_requirement(form, 0, "a")
    add(form, "penalties")
    boxes: Callable[[], Any] = lambda: form.locator("[name='penalties-0-resets']").evaluate_all(  # noqa: E731 -- asked twice
        "inputs => inputs.map(input => [input.value, input.checked])"
    )
    form.locator("[name='penalties-0-resets'][value='a']").check()

    field(form, "requirements-0-key").fill("renamed")
    field(form, "requirements-0-key").blur()
    add_requirement(form, 1, "b")

    assert boxes() == [["renamed", True], ["b", False]]


def test_repetition_order_and_groups_are_picked(form: Page) -> None:
    field(form, "name").fill("Data Explorer")
    add_requirement(form, 0, "a")
    expect(field(form, "requirements-0-count")).not_to_be_visible()  # the simple case stays simple
    form.locator("#requirements-data summary").first.click()
    expect(form.locator("#id_requirements-0-after")).to_contain_text("no other requirement yet")
    add_requirement(form, 1, "b")
    add_requirement(form, 2, "c")

    distinct = "requirements-0-distinct_by"
    assert {"", "course.course_key", "course.display_name"} <= set(options(form, distinct))
    assert "course" not in options(form, distinct)  # an object
    field(form, "requirements-0-event_type").select_option(CERTIFICATE)
    assert "is_passing" not in options(form, distinct)
    field(form, distinct).select_option("course.course_key")
    field(form, "requirements-0-event_type").select_option(PASSING)
    expect(field(form, distinct)).to_have_value("course.course_key")  # both types have it
    field(form, "requirements-0-count").fill("5")
    field(form, "requirements-0-within").fill("P30D")
    form.locator("[name='requirements-0-after'][value='b']").check()
    assert form.locator("[name='requirements-0-after'][value='a']").count() == 0
    field(form, "requirements-1-key").fill("renamed")
    field(form, "requirements-1-key").blur()
    for number in (0, 2):
        field(form, f"requirements-{number}-group").fill("A")
    form.locator("#groups-group .add-row").click()
    field(form, "groups-0-label").fill("A")
    expect(field(form, "groups-0-required")).to_have_value("2")
    save(form)

    template = BadgeTemplate.objects.get()
    a = template.requirements.get(key="a")
    assert (a.count, a.distinct_by, a.within) == (5, "course.course_key", "P30D")
    assert [each.key for each in a.after.all()] == ["renamed"]
    assert [str(each) for each in template.groups.all()] == ["2 of A"]
    form.goto(f"{form.url}{template.pk}/change/")
    expect(field(form, "requirements-0-count")).to_be_visible()  # what says something is not hidden
    expect(field(form, "requirements-1-count")).not_to_be_visible()


def test_what_comes_after_survives_the_removal_of_a_row_above(form: Page) -> None:
    field(form, "name").fill("Data Explorer")
    for number, key in enumerate(("x", "a", "b")):
        add_requirement(form, number, key)
    section = form.locator("#requirements-data > .form-group").nth(2)
    section.locator("summary").first.click()
    form.locator("[name='requirements-2-after'][value='a']").check()
    field(form, "requirements-2-distinct_by").select_option("course.course_key")

    form.locator("#requirements-data > .form-group").first.locator(
        ".form-row .delete-template"
    ).first.click()

    expect(field(form, "requirements-1-distinct_by")).to_have_value("course.course_key")
    expect(form.locator("[name='requirements-1-after']")).to_have_count(1)
    save(form)
    b = BadgeRequirement.objects.get(key="b")
    assert [each.key for each in b.after.all()] == ["a"]
    assert b.distinct_by == "course.course_key"


def test_a_penalty_page_offers_what_its_template_requires(
    prof: Page, live_server: LiveServer
) -> None:
    template = BadgeTemplate.objects.create(name="Data Explorer")
    BadgeRequirement.objects.create(template=template, key="passed-intro", event_type=PASSING)
    prof.goto(f"{live_server.url}/admin/badges/badgepenalty/add/")
    expect(prof.locator("#id_resets")).to_contain_text("Choose the template first.")

    prof.locator(".field-template .select2-selection").click()
    prof.locator(".select2-results__option", has_text="Data Explorer").click()
    prof.locator("[name=resets][value=passed-intro]").check()
    field(prof, "key").fill("failed-intro")
    field(prof, "event_type").select_option(PASSING)
    save(prof)

    assert [each.key for each in BadgePenalty.objects.get().requirements.all()] == ["passed-intro"]
