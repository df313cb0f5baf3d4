"""Badge penalties, in the section of their own."""

import pytest
from django.test import Client

from badges.definitions import FOREIGN_RESET, NO_RESETS
from badges.models import BadgePenalty, BadgeRequirement
from credentials.models import BadgeTemplate, DefinitionsVersion
from tests.integration.admin.pages import PASSING, Data, all_errors, rows, rule, send

ADD = "/admin/badges/badgepenalty/add/"
pytestmark = pytest.mark.django_db


def a_penalty(template: BadgeTemplate, **changes: object) -> Data:
    data: Data = {"template": template.pk, "key": "failed", "event_type": PASSING}
    data |= {"resets": ["passed-intro"]}
    return data | rows("rules", rule("is_passing", "eq", "no")) | changes


def test_a_penalty_is_added(admin_client: Client, explorer: BadgeTemplate) -> None:
    before = DefinitionsVersion.current()

    answer = send(admin_client, ADD, a_penalty(explorer))

    assert answer.status_code == 302
    penalty = BadgePenalty.objects.get(key="failed")
    assert list(penalty.requirements.all()) == list(explorer.requirements.all())
    assert [str(each) for each in penalty.rules.all()] == ["is_passing eq no"]
    assert DefinitionsVersion.current() == before + 1


def test_it_resets_at_least_one_requirement(admin_client: Client, explorer: BadgeTemplate) -> None:
    answer = send(admin_client, ADD, a_penalty(explorer), without="resets")

    assert all_errors(answer)["resets"] == [NO_RESETS]
    assert BadgePenalty.objects.count() == 1


def test_it_resets_requirements_of_its_template_only(
    admin_client: Client, explorer: BadgeTemplate
) -> None:
    other = BadgeTemplate.objects.create(name="Other")
    BadgeRequirement.objects.create(template=other, key="foreign", event_type=PASSING)

    answer = send(admin_client, ADD, a_penalty(explorer, resets=["foreign"]))

    assert all_errors(answer)["resets"] == [FOREIGN_RESET]


def test_its_rules_are_checked(admin_client: Client, explorer: BadgeTemplate) -> None:
    wrong = rows("rules", rule("is_passing", "eq", "perhaps"))

    answer = send(admin_client, ADD, a_penalty(explorer, **wrong))

    assert "neither true" in all_errors(answer)["rules-0-value"][0]
    assert BadgePenalty.objects.count() == 1


def test_a_stored_penalty_stays_with_its_template(
    admin_client: Client, explorer: BadgeTemplate
) -> None:
    other = BadgeTemplate.objects.create(name="Other")
    penalty = explorer.penalties.get()
    url = f"/admin/badges/badgepenalty/{penalty.pk}/change/"

    assert send(admin_client, url, {"template": other.pk, "key": "renamed"}).status_code == 302

    penalty.refresh_from_db()
    assert penalty.key == "renamed"
    assert penalty.template == explorer


def test_deleting_one_tells_the_rules(admin_client: Client, explorer: BadgeTemplate) -> None:
    before = DefinitionsVersion.current()
    penalty = explorer.penalties.get()

    admin_client.post(f"/admin/badges/badgepenalty/{penalty.pk}/delete/", {"post": "yes"})

    assert not BadgePenalty.objects.exists()
    assert DefinitionsVersion.current() == before + 1


def test_the_page_asks_what_a_template_requires(
    admin_client: Client, explorer: BadgeTemplate
) -> None:
    url = "/admin/badges/badgepenalty/requirements/"

    found = admin_client.get(url, {"template": explorer.pk}).json()
    nothing = admin_client.get(url, {"template": "nonsense"}).json()

    assert found == {"requirements": [{"key": "passed-intro", "label": "passed-intro"}]}
    assert nothing == {"requirements": []}
