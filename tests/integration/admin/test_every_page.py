"""Every page of the admin opens, for a superuser and for somebody who may only look."""

from datetime import UTC, datetime

import pytest
from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.contrib.auth.models import Permission, User
from django.db.models import Model
from django.test import Client, RequestFactory
from django.urls import reverse

from badges.models import BadgeProgress
from credentials.models import (
    CredlyRun,
    CredlyWebhook,
    Difference,
    Issuance,
    Learner,
    OutboxEvent,
    UserCredential,
)
from events.models import InboxEvent

NOW = datetime(2026, 3, 1, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def pages(model: type[Model]) -> list[str]:
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    found = [reverse(f"{name}_changelist")]
    row = model._default_manager.first()
    if row is not None:
        found.append(reverse(f"{name}_change", args=[row.pk]))
    return found


@pytest.mark.usefixtures("one_of_each")
def test_every_page_opens(admin_client: Client, rf: RequestFactory) -> None:
    assert admin_client.get("/admin/").status_code == 200
    request = rf.get("/admin/")
    request.user = User.objects.get(username="admin")
    for model, page in admin.site._registry.items():
        for url in pages(model):
            assert admin_client.get(url).status_code == 200, url
        if page.has_add_permission(request):
            url = pages(model)[0] + "add/"
            assert admin_client.get(url).status_code == 200, url


@pytest.mark.usefixtures("one_of_each")
def test_an_auditor_sees_every_page(client: Client) -> None:
    auditor = User.objects.create_user("auditor", is_staff=True)
    auditor.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(auditor)
    for model in admin.site._registry:
        for url in pages(model):
            page = client.get(url)
            assert page.status_code == 200, url
            assert not page.context.get("buttons"), url


def test_the_sidebar_shows_what_one_may_see(client: Client) -> None:
    bob = User.objects.create_user("bob", is_staff=True)
    bob.user_permissions.set(Permission.objects.filter(codename="view_inboxevent"))
    client.force_login(bob)

    page = client.get("/admin/").content.decode()

    assert "/admin/events/inboxevent/" in page
    assert "/admin/credentials/credlyorganization/" not in page


def test_rows_of_the_service_are_read_only() -> None:
    from credentials.admin.base import ReadOnlyAdmin

    written = {BadgeProgress, CredlyRun, CredlyWebhook, Difference, Issuance, Learner}
    written |= {OutboxEvent, UserCredential}
    registry: dict[type[Model], ModelAdmin[Model]] = admin.site._registry
    assert all(isinstance(registry[model], ReadOnlyAdmin) for model in {*written, InboxEvent})
