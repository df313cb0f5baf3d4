"""An empty list says what that means: on most pages of a service that is well it is good news."""

from html import unescape

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from badges.models import Decision
from credentials.models import BadgeTemplate, Learner
from tests.functional.test_docs import readable

SAID = {
    model._meta.label: said
    for model, model_admin in admin.site._registry.items()
    if (said := getattr(model_admin, "when_empty", ""))
}
pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("label", SAID)
def test_it_says_what_it_means(admin_client: Client, label: str) -> None:
    url = reverse(f"admin:{label.lower().replace('.', '_')}_changelist")
    page = unescape(admin_client.get(url).content.decode())
    assert SAID[label] in page
    assert "yielded into no results" not in page


def test_what_was_searched_for_is_not_there(admin_client: Client) -> None:
    url = reverse("admin:consumer_incident_changelist")
    page = unescape(admin_client.get(url, {"q": "nothing of the kind"}).content.decode())
    assert "Nothing here fits what you search or filter for." in page
    assert "Good: no message was lost" not in page


def test_a_decision_shows_what_it_has(admin_client: Client) -> None:
    now = timezone.now()
    ann = Learner.objects.create(lms_user_id=11, username="ann", profile_time=now)
    template = BadgeTemplate.objects.create(name="Explorer")
    blocked = Decision.objects.create(
        learner=ann, template=template, version=1, event_time=now, outcome="blocked", made_at=now
    )
    url = reverse("admin:badges_decision_change", args=[blocked.pk])
    page = readable(admin_client.get(url).content.decode())
    assert "not awarded again: revoked before" in page
    assert "event time" in page
    for label in ("demanded", "counted", "event type"):
        assert label not in page
