"""The types of schedules: who draws the certificates that come of them."""

import pytest
from django.test import Client
from pytest_django import Settings

from certificates.models import CredentialType
from tests.integration.admin.pages import all_errors, send

pytestmark = pytest.mark.django_db
ADD = "/admin/certificates/credentialtype/add/?retriever=oracle"


@pytest.fixture(autouse=True)
def _generators(settings: Settings) -> None:
    fakes = "tests.fakes.generators"
    settings.PDF_GENERATORS = {"own": f"{fakes}.own", "picky": f"{fakes}.picky"}


def test_a_type_names_who_draws(admin_client: Client) -> None:
    page = send(admin_client, ADD, {"name": "Drawn otherwise", "generator": "own"})
    assert page.status_code == 302, all_errors(page)
    made = CredentialType.objects.get()
    assert made.generator == "own"
    change = f"/admin/certificates/credentialtype/{made.pk}/change/"
    assert send(admin_client, change, {"generator": ""}).status_code == 302
    made.refresh_from_db()
    assert made.generator == ""


@pytest.mark.parametrize(
    ("generator", "error"),
    [("picky", "needs options"), ("unknown", "not one of the available choices")],
)
def test_who_cannot_draw_is_refused(admin_client: Client, generator: str, error: str) -> None:
    page = send(admin_client, ADD, {"name": "Drawn otherwise", "generator": generator})
    assert error in str(all_errors(page))
    assert not CredentialType.objects.exists()


def test_who_is_gone_since_is_named(admin_client: Client) -> None:
    made = CredentialType.objects.create(name="Old", retriever="oracle", generator="gone")
    change = f"/admin/certificates/credentialtype/{made.pk}/change/"
    assert "gone" in str(all_errors(send(admin_client, change, {})))
