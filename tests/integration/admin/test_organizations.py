"""Credly organizations: a key is tried before it is kept, and never shown."""

from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from pytest_django import Settings

from credentials.models import BadgeTemplate, CredlyOrganization
from credentials.providers.credly import account
from credly_client.sandbox import Running
from tests.integration.admin.conftest import ACME, GLOBEX, KEY
from tests.integration.admin.pages import all_errors, messages, send

ADD = "/admin/credentials/credlyorganization/add/"
pytestmark = pytest.mark.django_db


def page_of(organization: CredlyOrganization) -> str:
    return f"/admin/credentials/credlyorganization/{organization.pk}/change/"


def test_a_right_key_is_kept_and_the_name_comes_from_credly(
    admin_client: Client, credly: Running
) -> None:
    answer = send(admin_client, ADD, {"uuid": str(ACME), "api_key": KEY})

    assert answer.status_code == 302
    stored = CredlyOrganization.objects.get()
    assert stored.name == "Acme Academy"
    assert account.api_key(stored) == KEY
    assert KEY not in stored.api_key_encrypted
    assert stored.api_key_set_at is not None


def test_a_key_is_never_shown(admin_client: Client, credly: Running) -> None:
    send(admin_client, ADD, {"uuid": str(ACME), "api_key": KEY})
    refused = send(admin_client, ADD, {"uuid": str(GLOBEX), "api_key": "wrong-key"})
    page = admin_client.get(page_of(CredlyOrganization.objects.get())).content.decode()

    assert "A key is stored since" in page
    assert KEY not in page
    assert CredlyOrganization.objects.get().api_key_encrypted not in page
    assert "wrong-key" not in refused.content.decode()


@pytest.mark.parametrize(
    ("uuid", "key", "words"),
    [
        (ACME, "wrong-key", "refuses this key (401)"),
        (GLOBEX, KEY, "may not read this organization (403)"),
        (UUID(int=7), KEY, "no organization with this id (404)"),
        (ACME, "a key", "cannot be a key"),
    ],
)
def test_a_wrong_key_is_refused_with_a_reason(
    admin_client: Client, credly: Running, uuid: Any, key: str, words: str
) -> None:
    answer = send(admin_client, ADD, {"uuid": str(uuid), "api_key": key})

    assert words in all_errors(answer)["api_key"][0]
    assert not CredlyOrganization.objects.exists()


def test_an_unreachable_credly_says_how_to_go_on(admin_client: Client, settings: Settings) -> None:
    settings.CREDLY_API_BASE_URL = "http://127.0.0.1:9/v1/"  # nobody listens there

    answer = send(admin_client, ADD, {"uuid": str(ACME), "api_key": KEY})
    assert "cannot be reached" in all_errors(answer)["api_key"][0]
    assert "Save without checking" in all_errors(answer)["api_key"][0]
    assert not CredlyOrganization.objects.exists()

    unchecked = {"uuid": str(ACME), "api_key": KEY, "unchecked": "on"}
    assert send(admin_client, ADD, unchecked).status_code == 302
    assert account.api_key(CredlyOrganization.objects.get()) == KEY


def test_a_failing_credly_says_how_to_go_on(admin_client: Client, credly: Running) -> None:
    credly.sandbox.control("switches", {"down": True})

    answer = send(admin_client, ADD, {"uuid": str(ACME), "api_key": KEY})

    assert "Credly could not answer" in all_errors(answer)["api_key"][0]
    assert "Save without checking" in all_errors(answer)["api_key"][0]


def test_an_organization_needs_a_key(admin_client: Client, credly: Running) -> None:
    answer = send(admin_client, ADD, {"uuid": str(ACME)})

    assert "Enter the key" in all_errors(answer)["api_key"][0]


def test_an_empty_key_keeps_the_stored_one_and_asks_nobody(
    admin_client: Client, acme: CredlyOrganization, settings: Settings
) -> None:
    settings.CREDLY_API_BASE_URL = "http://127.0.0.1:9/v1/"

    assert send(admin_client, page_of(acme), {"name": "Acme"}).status_code == 302

    stored = CredlyOrganization.objects.get()
    assert stored.name == "Acme"
    assert account.api_key(stored) == KEY


def test_a_new_key_resumes_a_paused_account(
    admin_client: Client, acme: CredlyOrganization, credly: Running
) -> None:
    account.pause(acme, reason="401 Invalid authorization token")
    page = admin_client.get(page_of(acme)).content.decode()
    assert "401 Invalid authorization token" in page

    send(admin_client, page_of(acme), {"api_key": KEY})

    assert CredlyOrganization.objects.get().paused_reason == ""


def test_a_variable_takes_the_place_of_a_stored_key(
    admin_client: Client,
    acme: CredlyOrganization,
    credly: Running,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    missing = send(admin_client, page_of(acme), {"api_key_env": "ACME_KEY_OF_THE_TESTS"})
    assert "is not set in this process" in all_errors(missing)["api_key_env"][0]

    monkeypatch.setenv("ACME_KEY_OF_THE_TESTS", KEY)
    send(admin_client, page_of(acme), {"api_key_env": "ACME_KEY_OF_THE_TESTS"})

    stored = CredlyOrganization.objects.get()
    assert stored.api_key_env == "ACME_KEY_OF_THE_TESTS"
    assert stored.api_key_encrypted == ""


def test_a_key_and_a_variable_are_one_too_many(
    admin_client: Client, acme: CredlyOrganization
) -> None:
    both = {"api_key": KEY, "api_key_env": "ACME_KEY", "unchecked": "on"}

    assert "not both" in all_errors(send(admin_client, page_of(acme), both))["api_key_env"][0]


def test_resume(admin_client: Client, acme: CredlyOrganization) -> None:
    account.pause(acme, reason="401")

    press(admin_client, "resume", acme)

    assert CredlyOrganization.objects.get().paused_reason == ""


def test_synchronise_templates(
    admin_client: Client, acme: CredlyOrganization, credly: Running
) -> None:
    page = press(admin_client, "synchronise", acme)

    assert "Acme Academy: 1 new (inactive)" in messages(page)
    template = BadgeTemplate.objects.get()
    assert template.name == "Data Explorer"
    assert not template.is_active


def test_a_refused_key_pauses_instead_of_hammering(
    admin_client: Client, acme: CredlyOrganization, credly: Running
) -> None:
    account.store_key(acme, key="wrong-key", now=acme.api_key_set_at)  # type: ignore[arg-type]

    page = press(admin_client, "synchronise", acme)

    assert "The account is paused" in messages(page)
    assert "401" in CredlyOrganization.objects.get().paused_reason


def press(client: Client, action: str, organization: CredlyOrganization) -> Any:
    url = f"/admin/credentials/credlyorganization/{organization.pk}/do/{action}/"
    return client.post(url, follow=True)
