"""Every page, button, action and view of the admin, for each group of staff: allowed or 403."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.db.models import Model
from django.test import Client, RequestFactory
from django.urls import reverse
from django_celery_beat.models import PeriodicTask

from credentials.models import BadgeTemplate, CredlyOrganization
from staff.groups import AUDITOR, BADGE_ADMIN, SUPPORT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("one_of_each")]

INSTRUCTOR, NOBODY = "Instructor", "Nobody"
STAFF = (BADGE_ADMIN, SUPPORT, AUDITOR, INSTRUCTOR, NOBODY)

# What one can do on the pages: v look, a add, c change, d delete; "-" nothing. In the order of
# STAFF; somebody of the staff without a group may do nothing anywhere.
PAGES = {
    # model                              badge admin support auditor instructor
    "credentials.badgetemplate":            "vacd      v       v       -",
    "badges.badgepenalty":                  "vacd      v       v       -",
    "badges.badgeprogress":                 "v         v       v       -",
    "badges.decision":                      "v         v       v       -",
    "badges.rulesversion":                  "v         -       v       -",
    "credentials.learner":                  "v         v       v       -",
    "credentials.usercredential":           "v         v       v       -",
    "credentials.issuance":                 "v         v       v       -",
    "credentials.credlybadge":              "v         v       v       -",
    "credentials.outboxevent":              "v         v       v       -",
    "credentials.credlyorganization":       "v         -       v       -",
    "credentials.credlyrun":                "v         -       v       -",
    "credentials.difference":               "v         -       v       -",
    "credentials.credlywebhook":            "v         -       v       -",
    "exam_attempts.examattempt":            "-         v       v       -",
    "verified_names.verifiedname":          "-         v       v       -",
    "verified_names.namefact":              "-         v       v       -",
    "verified_names.verifiednameconfig":    "-         v       v       -",
    "certificates.credentialtype":          "vacd      -       v       -",
    "certificates.eligibilityschedule":     "vacd      -       v       vc",
    "certificates.schedulerun":             "v         -       v       v",
    "certificates.courseinstructor":        "vacd      -       v       -",
    "certificates.certificatelayout":       "vacd      -       v       -",
    "certificates.asset":                   "vacd      -       v       -",
    "certificates.certificate":             "v         v       v       -",
    "certificates.certificatemail":         "v         v       v       -",
    "consumer.consumerstatus":              "v         v       v       -",
    "consumer.incident":                    "-         -       v       -",
    "events.inboxevent":                    "v         -       v       -",
    "service_signals.handlerfailure":       "v         -       v       -",
    "django_celery_beat.periodictask":      "-         -       v       -",
    "django_celery_beat.clockedschedule":   "-         -       v       -",
    "django_celery_beat.crontabschedule":   "-         -       v       -",
    "django_celery_beat.intervalschedule":  "-         -       v       -",
    "django_celery_beat.solarschedule":     "-         -       v       -",
    "auth.user":                            "-         -       v       -",
    "auth.group":                           "-         -       v       -",
    "authtoken.tokenproxy":                 "-         -       -       -",
    "notifier.notification":                "-         -       -       -",
}  # fmt: skip

# Who may press what: in the list, and as a button above one row where there is one.
ACTIONS: dict[str, dict[str, set[str]]] = {
    "credentials.badgetemplate": {
        "activate": {BADGE_ADMIN},
        "deactivate": {BADGE_ADMIN},
        "add_preset": {BADGE_ADMIN},
    },
    "credentials.issuance": {"try_again": {BADGE_ADMIN, SUPPORT}},
    "credentials.credlybadge": {"try_again": {BADGE_ADMIN, SUPPORT}},
    "credentials.outboxevent": {"try_again": {BADGE_ADMIN}},
    "credentials.credlyorganization": {
        "synchronise": {BADGE_ADMIN},
        "compare": {BADGE_ADMIN},
        "rotate_key": set(),
        "resume": set(),
        "pause_issuing": set(),
        "resume_issuing": set(),
        "try_now": set(),
    },
    "credentials.credlyrun": {"fix": set()},
    "credentials.credlywebhook": {"work_again": {BADGE_ADMIN}},
    "events.inboxevent": {"replay": {BADGE_ADMIN}},
    "service_signals.handlerfailure": {"replay": {BADGE_ADMIN}, "dismiss": {BADGE_ADMIN}},
    "verified_names.verifiedname": {"approve": set(), "deny": set()},
    "certificates.eligibilityschedule": {
        "run_now": {BADGE_ADMIN, INSTRUCTOR},
        "who_would_get_it": {BADGE_ADMIN, INSTRUCTOR},
    },
    "certificates.certificate": {"reissue": {BADGE_ADMIN}},
    "certificates.certificatemail": {"try_again": {BADGE_ADMIN, SUPPORT}},
    "django_celery_beat.periodictask": {
        "enable_tasks": set(),
        "disable_tasks": set(),
        "toggle_tasks": set(),
        "run_tasks": set(),
    },
}

# Views of our own, by their names in `admin:`, and of which row they are.
VIEWS: dict[str, tuple[str, set[str]]] = {
    "badges_by_hand": ("", {BADGE_ADMIN, SUPPORT}),
    "badges_badgepenalty_requirements": ("", {BADGE_ADMIN}),
    "credentials_badgetemplate_import_file": ("", {BADGE_ADMIN}),
    "credentials_badgetemplate_preset": ("credentials.badgetemplate", {BADGE_ADMIN}),
    "credentials_badgetemplate_picture": (
        "credentials.badgetemplate",
        {BADGE_ADMIN, SUPPORT, AUDITOR},
    ),
    "certificates_certificate_archived": (
        "certificates.certificate",
        {BADGE_ADMIN, SUPPORT, AUDITOR},
    ),
    "certificates_certificatelayout_preview": (
        "certificates.certificatelayout",
        {BADGE_ADMIN, AUDITOR},
    ),
}
_DJANGOS = ("changelist", "add", "history", "delete", "change", "do")


@pytest.fixture(params=STAFF)
def somebody(request: pytest.FixtureRequest) -> User:
    """One of each group; the instructor of the one course that has a schedule."""
    if request.param == INSTRUCTOR:
        return User.objects.get(username="ines")
    made = User.objects.create_user("somebody", is_staff=True)
    made.groups.set(Group.objects.filter(name=request.param))
    return made


@pytest.fixture
def who(request: pytest.FixtureRequest, somebody: User) -> str:
    return str(request.node.callspec.params["somebody"])


def registered() -> dict[str, Any]:
    return {model._meta.label_lower: page for model, page in admin.site._registry.items()}


def named(model: type[Model], what: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{what}", args=args)


def status(client: Client, url: str, data: dict[str, str] | None = None) -> bool:
    """May one? That something is not there (404) or cannot be drawn (409) is no refusal."""
    answer = client.get(url) if data is None else client.post(url, data)
    assert answer.status_code in {200, 302, 403, 404, 409}, (url, answer.status_code)
    return answer.status_code != 403


def test_the_tables_name_everything_there_is() -> None:
    pages = registered()
    assert pages.keys() == PAGES.keys()
    assert {label: set(page.actions or ()) for label, page in pages.items() if page.actions} == {
        label: set(names) for label, names in ACTIONS.items()
    }
    own = {
        url.name
        for page in pages.values()
        for url in page.get_urls()
        if url.name and not url.name.endswith(tuple(f"_{each}" for each in _DJANGOS))
    }
    assert own - {"auth_user_password_change"} == VIEWS.keys()


def test_pages(client: Client, somebody: User, who: str) -> None:
    client.force_login(somebody)
    found = {}
    for label, page in registered().items():
        model = page.model
        row = model._default_manager.order_by("pk").first()
        may = "v" if status(client, named(model, "changelist")) else ""
        may += "a" if status(client, named(model, "add")) else ""
        if row is not None:
            assert status(client, named(model, "change", row.pk)) == ("v" in may), label
            may += "c" if status(client, named(model, "change", row.pk), {}) else ""
            may += "d" if _may_delete(client, named(model, "delete", row.pk)) else ""
        found[label] = may or "-"
    column = STAFF.index(who)
    expected = {label: [*row.split(), "-"][column] for label, row in PAGES.items()}
    assert found == expected


def _may_delete(client: Client, url: str) -> bool:
    return status(client, url)


def test_actions(client: Client, rf: RequestFactory, somebody: User, who: str) -> None:
    client.force_login(somebody)
    request = rf.get("/admin/")
    request.user = somebody
    for label, page in registered().items():
        actions = ACTIONS.get(label, {})
        wanted = {name for name, allowed in actions.items() if who in allowed}
        assert set(page.get_actions(request)) - {"delete_selected"} == wanted, label
        for name in getattr(page, "buttons", ()):
            # What is allowed is not done here: there is no such row.
            key = 0 if name in wanted else page.model._default_manager.order_by("pk")[0].pk
            assert status(client, named(page.model, "do", key, name), {}) == (name in wanted), name


def test_views(client: Client, somebody: User, who: str) -> None:
    client.force_login(somebody)
    for name, (label, allowed) in VIEWS.items():
        args = [registered()[label].model._default_manager.get().pk] if label else []
        assert status(client, reverse(f"admin:{name}", args=args)) == (who in allowed), name


def test_who_may_only_look_runs_no_task(client: Client) -> None:
    auditor = User.objects.create_user("auditor", is_staff=True)
    auditor.groups.set(Group.objects.filter(name=AUDITOR))
    client.force_login(auditor)
    task = PeriodicTask.objects.get(enabled=False)
    url = reverse("admin:django_celery_beat_periodictask_changelist")
    client.post(url, {"action": "enable_tasks", "_selected_action": task.pk})
    task.refresh_from_db()
    assert not task.enabled


def test_an_auditor_sees_no_secret(client: Client) -> None:
    auditor = User.objects.create_user("auditor", password="a long password", is_staff=True)
    auditor.groups.set(Group.objects.filter(name=AUDITOR))
    client.force_login(auditor)
    row = CredlyOrganization.objects.get()
    page = client.get(named(CredlyOrganization, "change", row.pk)).content.decode()
    assert row.api_key_encrypted not in page
    assert "key-of-acme" not in page
    assert "Api key" not in page
    assert "webhook-secret-of-the-tests" not in page
    own = client.get(named(User, "change", auditor.pk)).content.decode()
    assert auditor.password not in own
    assert auditor.password.rpartition("$")[2] not in own


def test_a_badge_admin_synchronises_without_reaching_the_key(client: Client) -> None:
    prof = User.objects.create_user("prof", is_staff=True)
    prof.groups.set(Group.objects.filter(name=BADGE_ADMIN))
    client.force_login(prof)
    acme = CredlyOrganization.objects.get()
    page = client.get(named(CredlyOrganization, "change", acme.pk))
    assert [label for _, label in page.context["buttons"]] == [
        "Synchronise templates",
        "Compare badges",
    ]
    assert 'name="api_key"' not in page.content.decode()
    answer = client.post(named(CredlyOrganization, "do", acme.pk, "synchronise"))
    assert answer.status_code == 302
    assert acme.runs.filter(kind="sync").exists()


def test_a_template_is_made_by_the_badge_admin_alone(client: Client) -> None:
    prof = User.objects.create_user("prof", is_staff=True)
    prof.groups.set(Group.objects.filter(name=BADGE_ADMIN))
    client.force_login(prof)
    page = client.get(named(BadgeTemplate, "add"))
    assert {each.formset.prefix for each in page.context["inline_admin_formsets"]} == {
        "requirements",
        "groups",
        "penalties",
    }
