"""An edit that learners would feel is shown before it is saved; staff award and revoke."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from badges import editing
from badges.models import BadgeProgress, BadgeRequirement, Decision, Fulfillment, RulesVersion
from credentials.models import BadgeTemplate, Learner, UserCredential
from tests.integration.admin.pages import filled_in

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def ann(explorer: BadgeTemplate) -> Learner:
    """Under way: one of two requirements is fulfilled."""
    two = BadgeRequirement.objects.create(
        template=explorer, key="passed-two", event_type=explorer.requirements.get().event_type
    )
    two.rules.create(path="course.display_name", operator="eq", value="Two")
    editing.definitions_changed([explorer.pk], now=timezone.now())
    ann = Learner.objects.create(lms_user_id=11, username="ann", profile_time=NOW)
    progress = BadgeProgress.objects.create(learner=ann, template=explorer)
    Fulfillment.objects.create(
        progress=progress,
        requirement=explorer.requirements.get(key="passed-intro"),
        key="passed-intro",
        event_id=uuid4(),
        event_time=NOW,
    )
    return ann


def address(template: BadgeTemplate) -> str:
    return f"/admin/credentials/badgetemplate/{template.pk}/change/"


def without_two(client: Client, template: BadgeTemplate) -> dict[str, Any]:
    data = filled_in(client.get(address(template)))
    number = [each.key for each in template.requirements.order_by("pk")].index("passed-two")
    return {**data, f"requirements-{number}-DELETE": "on"}


def test_an_edit_that_awards_is_shown_first(
    admin_client: Client, explorer: BadgeTemplate, ann: Learner
) -> None:
    data = without_two(admin_client, explorer)
    page = admin_client.post(address(explorer), data)
    assert page.status_code == 200
    assert "Nothing is saved yet" in page.content.decode()
    assert "1 learner meets everything now" in page.content.decode()
    assert "successfully" not in page.content.decode()
    assert explorer.requirements.count() == 2
    assert not UserCredential.objects.exists()
    assert RulesVersion.objects.count() == 1

    page = admin_client.post(address(explorer), {**data, "_effect_confirmed": "yes"}, follow=True)
    assert explorer.requirements.count() == 1
    assert UserCredential.objects.get().learner == ann
    assert RulesVersion.objects.count() == 2


def test_an_edit_that_nobody_feels_is_saved_at_once(
    admin_client: Client, explorer: BadgeTemplate, ann: Learner
) -> None:
    data = {**filled_in(admin_client.get(address(explorer))), "description": "New words."}
    assert admin_client.post(address(explorer), data).status_code == 302
    explorer.refresh_from_db()
    assert explorer.description == "New words."


def test_staff_award_and_revoke(
    admin_client: Client, explorer: BadgeTemplate, ann: Learner
) -> None:
    page = "/admin/badges/badgeprogress/by_hand/"
    assert admin_client.get(page).status_code == 200
    data = {"username": "ann", "template": explorer.pk, "reason": "Appeal"}
    admin_client.post(page, {**data, "verb": "award"})
    credential = UserCredential.objects.get()
    assert credential.status == "awarded"
    again = admin_client.post(page, {**data, "verb": "award"})
    assert "holds Data Explorer already" in again.content.decode()
    admin_client.post(page, {**data, "verb": "revoke"})
    credential.refresh_from_db()
    assert (credential.status, credential.revocation_origin) == ("revoked", "staff")
    assert Decision.objects.filter(reason="Appeal (admin)").count() == 2
    unknown = admin_client.post(page, {**data, "verb": "award", "username": "nobody"})
    assert "No learner has this username" in unknown.content.decode()


def test_a_supporter_without_the_permission_may_not(client: Client, django_user_model: Any) -> None:
    user = django_user_model.objects.create_user("helper", password="x", is_staff=True)
    client.force_login(user)
    assert client.get("/admin/badges/badgeprogress/by_hand/").status_code == 403


def test_the_page_of_a_progress_says_why(
    admin_client: Client, explorer: BadgeTemplate, ann: Learner
) -> None:
    progress = BadgeProgress.objects.get()
    page = admin_client.get(f"/admin/badges/badgeprogress/{progress.pk}/change/").content.decode()
    assert "Does not have the badge yet; 1 of 2 groups are met." in page
    assert admin_client.get("/admin/badges/decision/").status_code == 200
    assert admin_client.get("/admin/badges/rulesversion/").status_code == 200


def test_a_circle_of_badges_is_not_saved(
    admin_client: Client, explorer: BadgeTemplate, ann: Learner
) -> None:
    """The badge demands itself: no form sees that, the whole does."""
    two = explorer.requirements.get(key="passed-two")
    two.event_type = "org.openedx.learning.badge.awarded.v1"
    two.save()
    two.rules.all().delete()
    two.rules.create(path="template.uuid", operator="eq", value=str(explorer.uuid))
    data = filled_in(admin_client.get(address(explorer)))
    page = admin_client.post(address(explorer), {**data, "description": "New."}, follow=True)
    assert "Nothing was saved" in page.content.decode()
    assert "successfully" not in page.content.decode()
    explorer.refresh_from_db()
    assert explorer.description != "New."
