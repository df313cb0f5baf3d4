"""A file of badge templates is imported in the admin: first shown, then done."""

import io
import json
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from badges import editing
from badges.models import BadgeProgress, Fulfillment
from credentials.models import (
    BadgeTemplate,
    CredlyOrganization,
    DefinitionsVersion,
    Learner,
    UserCredential,
)
from staff.groups import BADGE_ADMIN
from tests.integration.admin.pages import PASSING, messages

pytestmark = pytest.mark.django_db
LIST: Final = "/admin/credentials/badgetemplate/"
IMPORT: Final = f"{LIST}import/"
ACME: Final = UUID("5f1b0cb7-0000-4000-8000-000000000001")
NAME: Final = "badges.json"


def template(**changes: Any) -> dict[str, Any]:
    return {
        "uuid": "0d4a0000-0000-4000-8000-000000000001",
        "name": "Data <b>Explorer</b>",
        "providers": [],
        "is_active": True,
        "requirements": [{"id": "passed-intro", "event_type": PASSING}],
        **changes,
    }


def organization(**changes: Any) -> dict[str, Any]:
    return {"uuid": str(ACME), "provider": "credly", "name": "Acme", **changes}


def document(*templates: dict[str, Any], **more: Any) -> str:
    return json.dumps({"version": 1, "organizations": [], "templates": templates, **more})


def look(client: Client, text: str | bytes) -> Any:
    """Choose the file and send it."""
    raw = text if isinstance(text, bytes) else text.encode()
    return client.post(IMPORT, {"file": SimpleUploadedFile(NAME, raw)})


def confirm(client: Client, page: Any) -> Any:
    """Press the button below the plan; a browser ends lines in its own way."""
    text = page.context["text"].replace("\n", "\r\n")
    return client.post(IMPORT, {"text": text, "source": page.context["source"]}, follow=True)


@pytest.fixture
def by_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What the command says of the same file."""
    monkeypatch.chdir(tmp_path)

    def run(text: str | bytes, *options: str) -> str:
        Path(NAME).write_bytes(text if isinstance(text, bytes) else text.encode())
        said = io.StringIO()
        try:
            call_command("badges_import", NAME, *options, stdout=said)
        except CommandError as error:
            return str(error)
        return said.getvalue().rstrip()

    return run


@pytest.fixture
def prof(client: Client) -> Client:
    """A badge admin, who may look at organizations and no more."""
    made = User.objects.create_user("prof", is_staff=True)
    made.groups.set(Group.objects.filter(name=BADGE_ADMIN))
    client.force_login(made)
    return client


def test_the_list_leads_to_it(prof: Client) -> None:
    assert f'href="{IMPORT}"' in prof.get(LIST).content.decode()
    assert "Look through it" in prof.get(IMPORT).content.decode()


def test_it_is_shown_in_the_words_of_a_dry_run_and_nothing_is_written(
    prof: Client, by_command: Any
) -> None:
    before = DefinitionsVersion.current()
    page = look(prof, document(template()))
    assert "\n".join(page.context["lines"]) == by_command(document(template()), "--dry-run")
    assert "Data &lt;b&gt;Explorer&lt;/b&gt;" in page.content.decode()
    assert not BadgeTemplate.objects.exists()
    assert DefinitionsVersion.current() == before


def test_then_it_is_done(prof: Client, by_command: Any) -> None:
    text = json.dumps(json.loads(document(template())), indent=2)
    answer = confirm(prof, look(prof, text))
    assert messages(answer) == f"{NAME}: done: 1 created, 0 updated, 0 unchanged, 0 deleted"
    assert answer.redirect_chain == [(LIST, 302)]
    assert BadgeTemplate.objects.get().requirements.get().key == "passed-intro"
    assert by_command(text).endswith("done: 0 created, 0 updated, 1 unchanged, 0 deleted")


def test_what_it_does_to_learners_is_shown_first(prof: Client) -> None:
    two = {"id": "passed-two", "event_type": PASSING}
    confirm(prof, look(prof, document(template(requirements=[two, *template()["requirements"]]))))
    under_way()
    page = look(prof, document(template()))
    felt = (
        "learners of Data <b>Explorer</b>: nobody loses a badge, 1 learner meets everything now "
        "and gets the badge at once"
    )
    assert felt in page.context["lines"]
    assert not UserCredential.objects.exists()
    assert felt in messages(confirm(prof, page))
    assert UserCredential.objects.get().learner.username == "ann"


def under_way() -> None:
    """Ann has one of two requirements."""
    row = BadgeTemplate.objects.get()
    ann = Learner.objects.create(lms_user_id=11, username="ann", profile_time=timezone.now())
    Fulfillment.objects.create(
        progress=BadgeProgress.objects.create(learner=ann, template=row),
        requirement=row.requirements.get(key="passed-intro"),
        key="passed-intro",
        event_id=uuid4(),
        event_time=timezone.now(),
    )
    editing.definitions_changed([row.pk], now=timezone.now())


@pytest.mark.parametrize(
    "text",
    [
        document(template(name=""), template(reissue="sometimes")),
        document(template(), more=1),
        "templates: [",
        b"version: 1\nname: \xff",
        "",
    ],
)
def test_what_the_command_refuses_is_refused_in_its_words(
    prof: Client, by_command: Any, text: str | bytes
) -> None:
    page = look(prof, text)
    assert "\n".join([page.context["refused"], *page.context["faults"]]) == by_command(text)
    assert page.context["refused"] in page.content.decode()
    assert not BadgeTemplate.objects.exists()


def test_what_cannot_be_done_any_more_is_refused_when_it_is_confirmed(prof: Client) -> None:
    acme = CredlyOrganization.objects.create(uuid=ACME, name="Acme")
    page = look(prof, document(template(organization=str(ACME), providers=["credly"])))
    assert page.context["lines"]
    acme.delete()
    assert "organization" in confirm(prof, page).context["faults"][0]
    assert not BadgeTemplate.objects.exists()


def test_too_large_a_file_is_left_to_the_command(prof: Client) -> None:
    page = look(prof, b"#" * (2 * 1024 * 1024 + 1))
    assert "The command badges_import takes it." in page.context["form"].errors["file"][0]


def test_a_large_file_can_be_confirmed(prof: Client) -> None:
    text = document(template()) + " " * (2 * 1024 * 1024 - 1000)
    confirm(prof, look(prof, text))
    assert BadgeTemplate.objects.exists()


@pytest.mark.parametrize(
    ("verb", "name", "variable"),
    [("add", "", ""), ("change", "Acme", "SECRET_KEY")],
    ids=["create", "point to another key"],
)
def test_organizations_only_by_whom_may_edit_them(
    prof: Client, verb: str, name: str, variable: str
) -> None:
    if name:
        CredlyOrganization.objects.create(uuid=ACME, name=name)
    text = document(template(), organizations=[organization(api_key_env=variable)])
    assert f"You may not {verb} organizations" in look(prof, text).context["faults"][0]
    at_once = prof.post(IMPORT, {"text": text, "source": NAME})
    assert f"You may not {verb} organizations" in at_once.context["faults"][0]
    assert not BadgeTemplate.objects.exists()
    assert not CredlyOrganization.objects.exclude(api_key_env="").exists()

    allowed = Permission.objects.get(codename=f"{verb}_credlyorganization")
    User.objects.get(username="prof").user_permissions.add(allowed)
    confirm(prof, look(prof, text))
    assert CredlyOrganization.objects.get().api_key_env == variable


def test_an_organization_that_stays_as_it_is_may_stand_in_the_file(prof: Client) -> None:
    CredlyOrganization.objects.create(uuid=ACME, name="Acme")
    confirm(prof, look(prof, document(template(), organizations=[organization()])))
    assert BadgeTemplate.objects.exists()


@pytest.mark.parametrize("verbs", [["view", "add"], ["view", "change", "delete"]])
def test_who_may_not_both_add_and_change_templates_imports_nothing(
    client: Client, verbs: list[str]
) -> None:
    bob = User.objects.create_user("bob", is_staff=True)
    names = [f"{verb}_badgetemplate" for verb in verbs]
    bob.user_permissions.set(Permission.objects.filter(codename__in=names))
    client.force_login(bob)
    assert IMPORT not in client.get(LIST).content.decode()
    assert client.get(IMPORT).status_code == 403
    assert look(client, document(template())).status_code == 403
    data = {"text": document(template()), "source": NAME}
    assert client.post(IMPORT, data).status_code == 403
    assert not BadgeTemplate.objects.exists()
