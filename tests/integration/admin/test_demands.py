"""Repetition, order and groups on the page of a template: saved in one go, refused in the field."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from badges.models import BadgeRequirement, RequirementGroup
from credentials.models import BadgeTemplate
from tests.integration.admin.pages import ADD_TEMPLATE, PASSING, Data, all_errors, rows, send

pytestmark = pytest.mark.django_db


def page_of(template: BadgeTemplate) -> str:
    return f"/admin/credentials/badgetemplate/{template.pk}/change/"


def requirement(key: str, **more: object) -> Data:
    return {"key": key, "event_type": PASSING, "group": "A", **more}


def a_badge(**changes: object) -> Data:
    """Two of a, b, c; a demands five courses in a month, after b and c."""
    demanding = {"count": "5", "distinct_by": "course.course_key", "within": "P30D"}
    data: Data = {"name": "Data Explorer", "is_active": "on"}
    data |= rows(
        "requirements",
        requirement("a", after=["b", "c"], **demanding),
        requirement("b"),
        requirement("c", after=["b"], count=""),
    )
    for number in range(3):
        data |= rows(f"requirements-{number}-rules")
    return data | rows("groups", {"label": "A", "required": "2"}) | changes


@pytest.fixture
def stored(admin_client: Client) -> BadgeTemplate:
    assert send(admin_client, ADD_TEMPLATE, a_badge()).status_code == 302
    return BadgeTemplate.objects.get()


def order() -> dict[str, set[str]]:
    found = BadgeRequirement.objects.prefetch_related("after")
    return {each.key: {other.key for other in each.after.all()} for each in found}


def test_a_whole_template_is_saved_in_one_go(stored: BadgeTemplate) -> None:
    a, b, c = stored.requirements.all()

    assert (a.count, a.distinct_by, a.within) == (5, "course.course_key", "P30D")
    assert (b.count, b.distinct_by, b.within) == (1, "", "")
    assert c.count == 1
    assert order() == {"a": {"b", "c"}, "b": set(), "c": {"b"}}
    assert [str(each) for each in stored.groups.all()] == ["2 of A"]


def test_saved_again_it_stays_what_it_is(admin_client: Client, stored: BadgeTemplate) -> None:
    before = order(), list(BadgeRequirement.objects.values()), list(stored.groups.values())

    assert send(admin_client, page_of(stored), {}).status_code == 302

    assert before == (
        order(),
        list(BadgeRequirement.objects.values()),
        list(stored.groups.values()),
    )


def test_order_repetition_and_groups_are_changed(
    admin_client: Client, stored: BadgeTemplate
) -> None:
    changes = {
        "requirements-0-after": ["b"],
        "requirements-0-count": "2",
        "requirements-0-distinct_by": "",
        "requirements-0-within": " pt12h ",
        "groups-0-required": "3",
    }

    assert send(admin_client, page_of(stored), changes).status_code == 302

    a = stored.requirements.get(key="a")
    assert (a.count, a.distinct_by, a.within) == (2, "", "PT12H")
    assert order() == {"a": {"b"}, "b": set(), "c": {"b"}}
    assert stored.groups.get().required == 3


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("requirements-0-count", "0", "greater than or equal to 1"),
        ("requirements-0-count", "10001", "less than or equal to 10000"),
        ("requirements-0-count", "many", "whole number"),
        ("requirements-0-within", "P1M", "is no duration in weeks, days"),
        ("requirements-0-distinct_by", "course.nonsense", "is not a key path of this event"),
        ("requirements-0-distinct_by", "course", "choose a value inside it"),
        ("requirements-0-after", ["a"], "a is no other requirement of this template"),
        ("requirements-0-after", ["z"], "z is no other requirement of this template"),
        ("requirements-1-after", ["c"], "goes in a circle: "),
        ("groups-0-required", "0", "greater than or equal to 1"),
        ("groups-0-required", "4", "4 is not possible: the group has 3 requirements"),
        ("groups-0-label", "B", "no requirement of this template has this group"),
    ],
)
def test_what_cannot_be_is_refused_in_its_field(
    admin_client: Client, field: str, value: str, words: str
) -> None:
    answer = send(admin_client, ADD_TEMPLATE, a_badge(**{field: value}))

    errors = {name: found for name, found in all_errors(answer).items() if words in found[0]}
    if words.startswith("goes"):  # at one of those in the circle
        assert errors.keys() <= {f"requirements-{number}-after" for number in range(3)}
        assert len(errors) == 1
    else:
        assert errors.keys() == {field}
    assert not BadgeTemplate.objects.exists()


def test_a_requirement_that_another_comes_after_does_not_vanish_below_it(
    admin_client: Client, stored: BadgeTemplate
) -> None:
    changes = {"requirements-1-DELETE": "on", "requirements-2-after": []}

    errors = all_errors(send(admin_client, page_of(stored), changes))

    assert errors == {"requirements-0-after": ["b is no other requirement of this template."]}
    assert stored.requirements.count() == 3


def test_a_group_does_not_demand_more_than_is_left_of_it(
    admin_client: Client, stored: BadgeTemplate
) -> None:
    changes = {"requirements-0-DELETE": "on", "requirements-1-group": ""}

    errors = all_errors(send(admin_client, page_of(stored), changes))

    assert list(errors) == ["groups-0-required"]
    assert "the group has 1 requirements" in errors["groups-0-required"][0]


def test_one_group_stands_once(admin_client: Client) -> None:
    twice = rows("groups", {"label": "A", "required": "2"}, {"label": "A", "required": "3"})

    errors = all_errors(send(admin_client, ADD_TEMPLATE, a_badge(**twice)))

    assert "stands here twice" in errors["groups"][0]


def test_the_page_offers_values_and_the_other_requirements(
    admin_client: Client, stored: BadgeTemplate
) -> None:
    page = admin_client.get(page_of(stored))

    first = page.context["inline_admin_formsets"][0].formset.forms[0]
    assert [key for key, _ in first.fields["after"].choices] == ["b", "c"]
    offered = dict(first.fields["distinct_by"].widget.choices)
    assert "course.course_key" in dict(offered["course"])
    assert "course" not in {path for group in offered.values() for path, *_ in group}


def test_who_may_only_look_at_groups_is_told_all_the_same(
    client: Client, stored: BadgeTemplate
) -> None:
    bob = User.objects.create_user("bob", is_staff=True)
    models = ["badgetemplate", "badgerequirement", "datarule"]
    allowed = [f"{verb}_{model}" for model in models for verb in ("view", "change", "delete")]
    bob.user_permissions.set(
        Permission.objects.filter(codename__in=[*allowed, "view_requirementgroup"])
    )
    client.force_login(bob)

    answer = send(
        client,
        page_of(stored),
        {f"requirements-{number}-group": "" for number in range(2)},
        without="groups-0-required",  # nothing of a row that is only shown is sent
    )

    assert "A: 2 is not possible" in all_errors(answer)["groups"][0]
    assert "A: 2 is not possible" in answer.content.decode()
    assert RequirementGroup.objects.get().required == 2
