"""Credly organizations: a key is tried before it is kept, and never shown."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from credentials.issuing import breaker
from credentials.models import (
    BadgeTemplate,
    CredlyOrganization,
    CredlyRun,
    Difference,
    Issuance,
    Learner,
    UserCredential,
)
from credentials.providers.credly import account, runs
from credly_client.sandbox import Running
from tests.integration.admin.conftest import ACME, GLOBEX, KEY
from tests.integration.admin.pages import all_errors, messages, send

NOW = datetime(2026, 3, 1, tzinfo=UTC)
LIST = "/admin/credentials/credlyorganization/"
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


def test_issuing_is_paused_by_hand_with_a_reason(
    admin_client: Client, acme: CredlyOrganization
) -> None:
    asked = press(admin_client, "pause_issuing", acme).content.decode()
    assert "Why" in asked
    assert CredlyOrganization.objects.get().issuing_paused_at is None
    press(admin_client, "pause_issuing", acme, reason=" ")
    assert CredlyOrganization.objects.get().issuing_paused_at is None

    page = press(admin_client, "pause_issuing", acme, reason="We sort out who gets what.")

    stored = CredlyOrganization.objects.get()
    assert stored.is_paused
    assert stored.paused_reason == ""
    assert (stored.issuing_paused_by, stored.issuing_paused_reason) == (
        "admin",
        "We sort out who gets what.",
    )
    text = page.content.decode()
    assert "was paused by admin on" in text
    assert "We sort out who gets what." in text
    assert "Resume issuing" in text
    assert "paused by hand" in admin_client.get(LIST).content.decode()
    history = LogEntry.objects.values_list("change_message", flat=True)
    assert list(history) == ["Paused issuing: We sort out who gets what."]

    press(admin_client, "resume_issuing", acme)

    assert not CredlyOrganization.objects.get().is_paused
    assert "paused by hand" not in admin_client.get(LIST).content.decode()


def test_a_new_key_does_not_resume_what_a_person_paused(
    admin_client: Client, acme: CredlyOrganization, credly: Running
) -> None:
    press(admin_client, "pause_issuing", acme, reason="Not yet.")
    send(admin_client, page_of(acme), {"api_key": KEY})
    assert CredlyOrganization.objects.get().issuing_paused_reason == "Not yet."


def test_that_credly_fails_is_said_in_plain_words(
    admin_client: Client, acme: CredlyOrganization
) -> None:
    now = timezone.now()
    outcome = breaker.Outcome(worked=False, error="503 from Credly")
    breaker.note(acme.pk, [outcome] * breaker.FAILURES, now=now)

    page = admin_client.get(page_of(acme)).content.decode()
    assert "Credly fails for Acme" in page
    assert "10 calls in a row, the last one: 503 from Credly. What is due waits" in page
    assert "Credly fails" in admin_client.get(LIST).content.decode()

    press(admin_client, "try_now", acme)

    until = CredlyOrganization.objects.get().breaker_until
    assert until is not None
    assert until <= timezone.now()


def test_whoever_may_only_look_cannot_pause(client: Client, acme: CredlyOrganization) -> None:
    auditor = User.objects.create_user("auditor", is_staff=True)
    auditor.user_permissions.add(Permission.objects.get(codename="view_credlyorganization"))
    client.force_login(auditor)
    answer = press(client, "pause_issuing", acme, reason="Mischief.")
    assert answer.status_code == 403
    assert not CredlyOrganization.objects.get().is_paused


def test_synchronise_templates(
    admin_client: Client, acme: CredlyOrganization, credly: Running
) -> None:
    """A worker does it; the page that opens shows how far it is, and what came out."""
    page = press(admin_client, "synchronise", acme)
    assert "Waits for a worker" in page.content.decode()
    assert page.headers["Refresh"] == "2"
    assert not BadgeTemplate.objects.exists()

    work(CredlyRun.objects.get())

    shown = admin_client.get(page.redirect_chain[0][0])
    assert "Done: 1 created, 0 changed, 0 unchanged, 0 archived." in shown.content.decode()
    assert "Refresh" not in shown.headers
    template = BadgeTemplate.objects.get()
    assert template.name == "Data Explorer"
    assert not template.is_active
    assert "Synchronise templates: done. 1 created" in (
        admin_client.get(page_of(acme)).content.decode()
    )


def test_pressed_twice_it_is_done_once(admin_client: Client, acme: CredlyOrganization) -> None:
    press(admin_client, "synchronise", acme)
    press(admin_client, "synchronise", acme)
    assert CredlyRun.objects.count() == 1


def test_a_refused_key_pauses_instead_of_hammering(
    admin_client: Client, acme: CredlyOrganization, credly: Running
) -> None:
    account.store_key(acme, key="wrong-key", now=timezone.now())
    press(admin_client, "synchronise", acme)
    work(CredlyRun.objects.get())

    page = admin_client.get(f"/admin/credentials/credlyrun/{CredlyRun.objects.get().pk}/change/")

    assert "The account is paused" in page.content.decode()
    assert "401" in CredlyOrganization.objects.get().paused_reason
    again = press(admin_client, "synchronise", acme)
    assert again.status_code == 200
    assert "is paused: resume it first" in messages(again)


def test_differences_are_shown_and_fixed(
    admin_client: Client, explorer: BadgeTemplate, credly: Running
) -> None:
    """Credly lost a badge: the page says what it is and what fixing does, then it is done."""
    organization = CredlyOrganization.objects.get()
    ann = Learner.objects.create(lms_user_id=11, username="ann", profile_time=NOW)
    credential = UserCredential.objects.create(learner=ann, template=explorer, awarded_at=NOW)
    Issuance.objects.create(
        credential=credential, provider="credly", state="accepted", external_id=str(uuid4())
    )
    opened = press(admin_client, "compare", organization)
    run = CredlyRun.objects.get()
    work(run)
    page = admin_client.get(opened.redirect_chain[0][0]).content.decode()
    assert "Show 1 difference<" in page

    listed = admin_client.get("/admin/credentials/difference/").content.decode()
    assert "Gone from Credly but held here" in listed
    assert "The credential is revoked: the badge was deleted at Credly." in listed
    difference = Difference.objects.get()
    shown = admin_client.get(f"/admin/credentials/difference/{difference.pk}/change/")
    assert "Credly had the badge and has it no more" in shown.content.decode()

    admin_client.post(f"/admin/credentials/credlyrun/{run.pk}/do/fix/", follow=True)
    work(CredlyRun.objects.get(kind="fix"))
    credential.refresh_from_db()
    assert credential.status == "revoked"
    assert "the credential is revoked" in Difference.objects.get().outcome


def test_the_webhook_address_is_for_those_who_may_enter_a_key(
    admin_client: Client, acme: CredlyOrganization, settings: Settings
) -> None:
    settings.PUBLIC_BASE_URL = "https://laurel.example.com/"
    address = f"https://laurel.example.com/badges/credly/webhook/{settings.CREDLY_WEBHOOK_SECRET}/"
    assert f'value="{address}"' in admin_client.get(page_of(acme)).content.decode()

    auditor = Client()
    user = User.objects.create_user("auditor", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    auditor.force_login(user)
    seen = auditor.get(page_of(acme)).content.decode()
    assert "Acme Academy" in seen
    assert settings.CREDLY_WEBHOOK_SECRET not in seen

    settings.CREDLY_WEBHOOK_SECRET = ""
    assert "The webhook is off" in admin_client.get(page_of(acme)).content.decode()


def test_a_key_is_rotated_after_a_question(
    admin_client: Client, acme: CredlyOrganization, credly: Running
) -> None:
    asked = press(admin_client, "rotate_key", acme)
    assert "the one in use ends in the same moment" in asked.content.decode()
    assert account.api_key(CredlyOrganization.objects.get()) == KEY

    url = f"/admin/credentials/credlyorganization/{acme.pk}/do/rotate_key/"
    page = admin_client.post(url, {"confirmed": "1"}, follow=True)

    assert "The key was rotated and the new one stored." in messages(page)
    stored = CredlyOrganization.objects.get()
    assert account.api_key(stored) != KEY
    assert account.api_key(stored) not in page.content.decode()


def test_the_age_of_a_key_is_shown(admin_client: Client, acme: CredlyOrganization) -> None:
    listed = "/admin/credentials/credlyorganization/"
    for days, words in ((100, "stored, 79 days left"), (170, "stored, 9 days left"), (190, "over")):
        set_at = timezone.now() - timedelta(days=days)
        CredlyOrganization.objects.update(api_key_set_at=set_at)
        assert words in admin_client.get(listed).content.decode()
    assert "The key is over" in admin_client.get(page_of(acme)).content.decode()


def work(run: CredlyRun) -> None:
    assert runs.work(run.pk, clock=timezone.now)


def press(client: Client, action: str, organization: CredlyOrganization, **entered: str) -> Any:
    url = f"/admin/credentials/credlyorganization/{organization.pk}/do/{action}/"
    return client.post(url, entered, follow=True)
