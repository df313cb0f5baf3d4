"""A new name is approved after the certificate was drawn."""

from collections.abc import Iterator
from io import BytesIO

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pypdf import PdfReader

from certificates.models import Certificate
from certificates.reissue import reissue
from credentials.models import BadgeTemplate, Issuance, Learner, UserCredential
from credly_client.sandbox import Running
from events import pipeline
from tests.functional.certificates.conftest import (
    MailServer,
    certificate,
    earn,
    load,
    public_file,
    stored,
)
from tests.functional.conftest import Service
from tests.functional.exam_stories import ANN, idv
from tests.functional.stories import passes

LEE = {**ANN, "name": "Ann Lee"}


@pytest.fixture(autouse=True)
def _other_handlers() -> Iterator[None]:
    pipeline.handlers.cache_clear()
    yield
    pipeline.handlers.cache_clear()


@pytest.fixture
def renamed(service: Service, credly: Running, mail_server: MailServer) -> Service:
    """Ann Lee has the badge at Credly and as a certificate; then Anna Leigh is approved."""
    load(service, providers=["credly", "pdf"])
    earn(service)
    service.issue()
    service.publish([idv("approved", 7, "Anna Leigh", 30, LEE)])
    service.consume()
    return service


def printed(client: Client) -> str:
    data = public_file(client)
    assert data is not None
    return PdfReader(BytesIO(data)).pages[0].extract_text()


def test_x_7_staff_draw_it_anew_and_credly_is_only_marked(
    renamed: Service, client: Client, credly: Running, mail_server: MailServer
) -> None:
    key = certificate().verify_uuid
    assert dict(Issuance.objects.values_list("provider", "name_drift")) == {
        "credly": True,
        "pdf": True,
    }
    assert "Ann Lee" in printed(client)

    client.force_login(User.objects.create_superuser("prof"))
    page = f"/admin/certificates/certificate/{certificate().pk}"
    assert "The learner goes by another name now" in client.get(f"{page}/change/").content.decode()
    client.post(f"{page}/do/reissue/")
    renamed.issue()

    assert "Anna Leigh" in printed(client)
    assert certificate().verify_uuid == key
    assert stored("certificates/public") == [f"{key}.pdf"]
    assert client.get(f"/verify/{key}.json").json()["name"] == "Anna Leigh"
    issuances = {each.provider: each for each in Issuance.objects.all()}
    assert (issuances["pdf"].state, issuances["pdf"].name_drift) == ("available", False)
    assert (issuances["credly"].state, issuances["credly"].name_drift) == ("pending", True)
    assert UserCredential.objects.get().issued_name == "Ann Lee"
    badges = credly.sandbox.control("state", {}, method="GET")["badges"]
    assert [each["issued_to_last_name"] for each in badges] == ["Lee"]
    assert len(mail_server.box.mails) == 1


def test_x_7_the_mark_stays_right_afterwards(renamed: Service, client: Client) -> None:
    reissue(Certificate.objects.all(), now=timezone.now())
    renamed.issue()
    renamed.publish([idv("denied", 7, None, 31, LEE)])  # the profile's name is in force again
    renamed.consume()
    assert dict(Issuance.objects.values_list("provider", "name_drift")) == {
        "credly": False,
        "pdf": True,
    }


def test_until_it_is_drawn_anew_the_former_one_stays(renamed: Service, client: Client) -> None:
    assert reissue(Certificate.objects.all(), now=timezone.now()) == (1, 0)
    assert "Ann Lee" in printed(client)
    assert client.get(f"/verify/{certificate().verify_uuid}.json").json()["name"] == "Ann Lee"


def test_what_is_withdrawn_is_not_drawn_anew(renamed: Service, client: Client) -> None:
    renamed.publish([passes("ann", 1, minute=40, passing=False)])
    renamed.consume()
    assert reissue(Certificate.objects.all(), now=timezone.now()) == (0, 1)
    renamed.issue()
    assert public_file(client) is None


def test_what_may_have_no_name_now_is_not_drawn_anew(renamed: Service, client: Client) -> None:
    BadgeTemplate.objects.update(name_policy="verified_required")
    renamed.publish([idv("denied", 7, None, 31, LEE)])
    renamed.consume()
    assert Learner.objects.get().name
    assert reissue(Certificate.objects.all(), now=timezone.now()) == (0, 1)
