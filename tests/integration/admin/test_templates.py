"""Badge templates: built on one page, refused where something is wrong, never half saved."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from badges.definitions import FOREIGN_RESET, NO_REQUIREMENTS, NO_RESETS
from badges.models import BadgeProgress, BadgeRequirement, DataRule
from credentials.models import BadgeTemplate, DefinitionsVersion, Learner, UserCredential
from tests.integration.admin.pages import (
    ADD_TEMPLATE,
    PASSING,
    Data,
    all_errors,
    messages,
    rows,
    rule,
    send,
)

COURSE = "course-v1:Acme+D101+2026"
pytestmark = pytest.mark.django_db


def page_of(template: BadgeTemplate) -> str:
    return f"/admin/credentials/badgetemplate/{template.pk}/change/"


def requirement(key: str = "passed-intro") -> Data:
    return {"key": key, "event_type": PASSING}


def a_badge(**changes: Any) -> Data:
    """A sound new template: pass one course; failing it takes that away."""
    data: Data = {"name": "Data Explorer", "is_active": "on"}
    data |= rows("requirements", requirement())
    data |= rows(
        "requirements-0-rules",
        rule("course.course_key", "eq", COURSE),
        rule("is_passing", "eq", "true"),
    )
    data |= rows(
        "penalties", {"key": "failed-intro", "event_type": PASSING, "resets": ["passed-intro"]}
    )
    return data | rows("penalties-0-rules", rule("is_passing", "eq", "false")) | changes


def test_a_badge_is_built_on_one_page(admin_client: Client) -> None:
    before = DefinitionsVersion.current()

    answer = send(admin_client, ADD_TEMPLATE, a_badge())

    assert answer.status_code == 302
    template = BadgeTemplate.objects.get()
    stored = template.requirements.get()
    assert [str(each) for each in stored.rules.all()] == [
        f"course.course_key eq {COURSE}",
        "is_passing eq true",
    ]
    penalty = template.penalties.get()
    assert list(penalty.requirements.all()) == [stored]
    assert [str(each) for each in penalty.rules.all()] == ["is_passing eq false"]
    assert DefinitionsVersion.current() == before + 1


def test_activation_without_requirements_is_refused(admin_client: Client) -> None:
    answer = send(admin_client, ADD_TEMPLATE, {"name": "Empty", "is_active": "on"})

    assert NO_REQUIREMENTS in all_errors(answer)["requirements"][0]
    assert NO_REQUIREMENTS in answer.content.decode()
    assert not BadgeTemplate.objects.exists()


def test_an_inactive_template_needs_no_requirements(admin_client: Client) -> None:
    assert send(admin_client, ADD_TEMPLATE, {"name": "Empty"}).status_code == 302


def test_the_last_requirement_of_an_active_template_stays(
    admin_client: Client, explorer: BadgeTemplate
) -> None:
    answer = send(
        admin_client,
        page_of(explorer),
        {"requirements-0-DELETE": "on", "penalties-0-DELETE": "on"},
    )

    assert NO_REQUIREMENTS in all_errors(answer)["requirements"][0]
    assert explorer.requirements.exists()


@pytest.mark.parametrize(
    ("wrong", "field", "words"),
    [
        (rule("course.nonsense", "eq", "x"), "path", "is not a key path of this event"),
        (rule("is_passing", "contains", "x"), "operator", "does not fit is_passing"),
        (rule("is_passing", "eq", "perhaps"), "value", "neither true"),
        (rule("course.course_key", "matches", "("), "value", "not a regular expression"),
        (rule("", "eq", "x"), "path", "Choose a key path"),
    ],
)
def test_a_bad_rule_is_refused_at_its_place(
    admin_client: Client, wrong: Data, field: str, words: str
) -> None:
    answer = send(admin_client, ADD_TEMPLATE, a_badge(**rows("requirements-0-rules", wrong)))

    errors = all_errors(answer)
    assert words in errors[f"requirements-0-rules-0-{field}"][0]
    assert "passed-intro" in errors["requirements"][0]  # said above as well
    assert not BadgeTemplate.objects.exists()


def test_a_bad_rule_of_a_penalty_is_refused_at_its_place(admin_client: Client) -> None:
    wrong = rows("penalties-0-rules", rule("is_passing", "eq", "perhaps"))

    errors = all_errors(send(admin_client, ADD_TEMPLATE, a_badge(**wrong)))

    assert "neither true" in errors["penalties-0-rules-0-value"][0]


def test_an_event_type_that_is_not_configured_is_refused(admin_client: Client) -> None:
    wrong = {"requirements-0-event_type": "org.example.unknown.v1"}

    errors = all_errors(send(admin_client, ADD_TEMPLATE, a_badge(**wrong)))

    assert "is not configured" in errors["requirements-0-event_type"][0]


def test_a_penalty_without_resets_is_refused(admin_client: Client) -> None:
    answer = send(admin_client, ADD_TEMPLATE, a_badge(), without="penalties-0-resets")

    assert all_errors(answer)["penalties-0-resets"] == [NO_RESETS]
    assert not BadgeTemplate.objects.exists()


def test_a_penalty_resets_requirements_of_its_own_template_only(
    admin_client: Client, explorer: BadgeTemplate
) -> None:
    BadgeRequirement.objects.create(
        template=BadgeTemplate.objects.create(name="Other"), key="foreign", event_type=PASSING
    )

    answer = send(admin_client, page_of(explorer), {"penalties-0-resets": ["foreign"]})

    assert all_errors(answer)["penalties-0-resets"] == [FOREIGN_RESET]


def test_a_requirement_that_a_penalty_resets_does_not_vanish_below_it(
    admin_client: Client, explorer: BadgeTemplate
) -> None:
    BadgeRequirement.objects.create(template=explorer, key="other", event_type=PASSING)

    answer = send(admin_client, page_of(explorer), {"requirements-0-DELETE": "on"})

    assert all_errors(answer)["penalties-0-resets"] == [FOREIGN_RESET]
    assert explorer.requirements.count() == 2


def test_two_requirements_with_one_id_are_refused(admin_client: Client) -> None:
    twice = rows("requirements", requirement(), requirement())

    answer = send(admin_client, ADD_TEMPLATE, a_badge(**twice, **rows("requirements-1-rules")))

    assert "same id" in all_errors(answer)["requirements"][0]


def test_a_changed_rule_below_an_unchanged_requirement_is_saved(
    admin_client: Client, explorer: BadgeTemplate
) -> None:
    before = DefinitionsVersion.current()

    send(admin_client, page_of(explorer), {"requirements-0-rules-0-value": "no"})

    assert DataRule.objects.get().value == "no"
    assert DefinitionsVersion.current() == before + 1


def test_what_stands_below_a_deleted_requirement_is_not_checked(
    admin_client: Client, explorer: BadgeTemplate
) -> None:
    changes = {
        "is_active": "",
        "requirements-0-DELETE": "on",
        "requirements-0-rules-0-value": "perhaps",
        "penalties-0-DELETE": "on",
    }

    assert send(admin_client, page_of(explorer), changes).status_code == 302
    assert not explorer.requirements.exists()


def test_the_id_of_a_stored_requirement_stays(
    admin_client: Client, explorer: BadgeTemplate
) -> None:
    send(admin_client, page_of(explorer), {"requirements-0-key": "renamed"})

    assert explorer.requirements.get().key == "passed-intro"


def test_credly_needs_an_organization(admin_client: Client) -> None:
    answer = send(admin_client, ADD_TEMPLATE, {"name": "X", "providers": ["credly"]})

    assert "Choose the organization" in all_errors(answer)["organization"][0]


def test_the_list_activates_what_is_sound(admin_client: Client, explorer: BadgeTemplate) -> None:
    BadgeTemplate.objects.update(is_active=False, note="Deactivated by the service.")
    broken = BadgeTemplate.objects.create(name="Broken")
    before = DefinitionsVersion.current()

    page = act(admin_client, "activate", explorer, broken)

    explorer.refresh_from_db()
    broken.refresh_from_db()
    assert explorer.is_active
    assert explorer.note == ""
    assert not broken.is_active
    assert f"Broken was not activated. {NO_REQUIREMENTS}" in messages(page)
    assert DefinitionsVersion.current() == before + 1


def test_a_stored_rule_that_fits_no_more_speaks_against_activation(
    admin_client: Client, explorer: BadgeTemplate
) -> None:
    BadgeTemplate.objects.update(is_active=False)
    DataRule.objects.update(path="gone")

    page = act(admin_client, "activate", explorer)

    assert "'gone' is not a key path" in messages(page)
    assert not BadgeTemplate.objects.get().is_active


def test_the_list_deactivates(admin_client: Client, explorer: BadgeTemplate) -> None:
    before = DefinitionsVersion.current()

    act(admin_client, "deactivate", explorer)

    assert not BadgeTemplate.objects.get().is_active
    assert DefinitionsVersion.current() == before + 1


def test_a_template_with_credentials_is_not_deleted(
    admin_client: Client, explorer: BadgeTemplate
) -> None:
    ann = Learner.objects.create(lms_user_id=11, username="ann", profile_time=timezone.now())
    UserCredential.objects.create(learner=ann, template=explorer, awarded_at=timezone.now())

    page = admin_client.get(f"/admin/credentials/badgetemplate/{explorer.pk}/delete/", follow=True)
    listed = act(admin_client, "delete_selected", explorer, post="yes")

    assert "Deactivate it instead" in messages(page)
    assert "Deactivate it instead" in listed.content.decode()
    assert BadgeTemplate.objects.exists()


def test_a_template_without_credentials_goes_with_its_progress(
    admin_client: Client, explorer: BadgeTemplate
) -> None:
    ann = Learner.objects.create(lms_user_id=11, username="ann", profile_time=timezone.now())
    BadgeProgress.objects.create(learner=ann, template=explorer)
    before = DefinitionsVersion.current()
    url = f"/admin/credentials/badgetemplate/{explorer.pk}/delete/"

    assert ("badge progress", 1) in admin_client.get(url).context["model_count"]
    admin_client.post(url, {"post": "yes"})

    assert not BadgeTemplate.objects.exists()
    assert DefinitionsVersion.current() == before + 1


def test_who_may_only_look_changes_nothing(client: Client, explorer: BadgeTemplate) -> None:
    bob = User.objects.create_user("bob", is_staff=True)
    names = ["badgetemplate", "badgerequirement", "badgepenalty", "datarule", "penaltydatarule"]
    bob.user_permissions.set(
        Permission.objects.filter(codename__in=[f"view_{name}" for name in names])
    )
    client.force_login(bob)
    page = client.get(page_of(explorer))

    assert page.status_code == 200
    assert "course" not in page.context["buttons"]
    assert page.context["buttons"] == []
    assert client.post(page_of(explorer), {"name": "Mine"}).status_code == 403
    button = f"/admin/credentials/badgetemplate/{explorer.pk}/do/deactivate/"
    assert client.post(button).status_code == 403
    assert BadgeTemplate.objects.get().is_active


def act(client: Client, action: str, *rows: BadgeTemplate, **more: str) -> Any:
    data = {"action": action, "_selected_action": [row.pk for row in rows], **more}
    return client.post("/admin/credentials/badgetemplate/", data, follow=True)
