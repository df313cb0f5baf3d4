"""A certificate is taken back: its file, its page, its mail."""

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from badges.models import Decision
from certificates.delivery import files
from certificates.issuing import begin
from certificates.models import CertificateMail
from credentials.models import BadgeTemplate, Issuance
from tests.fakes import generators
from tests.functional.certificates.conftest import (
    MailServer,
    certificate,
    earn,
    load,
    public_file,
    stored,
)
from tests.functional.conftest import Service
from tests.functional.stories import EXPLORER, passes


def lose(service: Service) -> None:
    service.publish([passes("ann", 1, minute=5, passing=False)])
    service.consume()


def test_lc_9_the_file_goes_to_the_archive_and_the_page_says_why(
    earned: Service, client: Client
) -> None:
    earned.issue()
    drawn = public_file(client)
    lose(earned)
    earned.issue()

    badge = earned.badge("ann", EXPLORER)
    assert badge is not None
    assert badge["credential"]["issuances"][0]["state"] == "revoked"
    row = certificate()
    assert public_file(client) is None
    assert stored("certificates/public") == []
    with default_storage.open(f"certificates/archive/{row.verify_uuid}.pdf") as archived:
        assert archived.read() == drawn
    told = client.get(f"/verify/{row.verify_uuid}.json").json()
    assert told["status"] == "revoked"
    assert told["reason"]
    assert "file_url" not in told
    page = client.get(f"/verify/{row.verify_uuid}/").content.decode()
    assert "This certificate was revoked" in page
    assert told["reason"] in page


def test_lc_9_the_page_names_the_reason_that_staff_gave_and_not_who(
    earned: Service, client: Client
) -> None:
    earned.issue()
    client.force_login(User.objects.create_superuser("prof-of-physics"))
    entered = {
        "verb": "revoke",
        "username": "ann",
        "template": BadgeTemplate.objects.get().pk,
        "reason": "Handed in the report of somebody else.",
    }
    assert client.post(reverse("admin:badges_by_hand"), entered).status_code == 302
    told = client.get(f"/verify/{certificate().verify_uuid}.json").json()
    assert told["reason"] == "Handed in the report of somebody else."
    decision = Decision.objects.get(outcome="revoked")
    assert decision.reason == "Handed in the report of somebody else. (prof-of-physics)"


def test_lc_9_it_is_out_of_reach_before_any_worker_came(earned: Service, client: Client) -> None:
    earned.issue()
    lose(earned)
    assert stored("certificates/public") != []
    assert public_file(client) is None
    assert client.get(f"/verify/{certificate().verify_uuid}.json").json()["status"] == "revoked"


def test_lc_9_the_archive_is_for_staff(earned: Service, client: Client) -> None:
    earned.issue()
    drawn = public_file(client)
    lose(earned)
    earned.issue()
    row = certificate()
    address = f"/admin/certificates/certificate/{row.pk}/archived.pdf"
    assert client.get(address).status_code == 302  # to the login
    client.force_login(User.objects.create_user("nobody", is_staff=True))
    assert client.get(address).status_code in {302, 403}
    client.force_login(User.objects.create_superuser("prof"))
    assert client.get(address).content == drawn


def test_revoked_before_anything_was_drawn(earned: Service, client: Client) -> None:
    begin(Issuance.objects.get())
    Issuance.objects.update(started=True, external_id="x", state="available")
    lose(earned)
    earned.issue()
    row = certificate()
    assert row.state == "withdrawn"
    client.force_login(User.objects.create_superuser("prof"))
    page = f"/admin/certificates/certificate/{row.pk}"
    assert "archived.pdf" not in client.get(f"{page}/change/").content.decode()
    assert client.get(f"{page}/archived.pdf").status_code == 404
    assert client.get(f"/verify/{row.verify_uuid}/").status_code == 404


def test_lc_9_what_was_revoked_is_not_issued_again(earned: Service, client: Client) -> None:
    earned.issue()
    lose(earned)
    earned.issue()
    earned.publish([passes("ann", 1, minute=9)])
    earned.consume()
    earned.issue()
    assert Issuance.objects.count() == 1
    assert public_file(client) is None


def test_earned_again_is_another_certificate(service: Service, client: Client) -> None:
    load(service, reissue="allowed")
    earn(service)
    service.issue()
    first = certificate().verify_uuid
    lose(service)
    service.publish([passes("ann", 1, minute=9)])
    service.consume()
    service.issue()
    status = {
        str(each.certificate.verify_uuid): each.state for each in Issuance.objects.order_by("id")
    }
    assert list(status.values()) == ["revoked", "available"]
    assert client.get(f"/verify/{first}.json").json()["status"] == "revoked"
    (second,) = status.keys() - {str(first)}
    assert client.get(f"/certificates/{second}.pdf").status_code == 200


def test_revoked_while_it_is_drawn(
    service: Service, client: Client, mail_server: MailServer, settings: Settings
) -> None:
    load(service)
    settings.PDF_GENERATORS = {"own": "tests.fakes.generators.own"}
    generators.lay_out(generator="own", options={})
    generators.own.meanwhile = lambda: lose(service)
    earn(service)
    service.issue()
    service.issue()
    assert Issuance.objects.get().state == "revoked"
    assert public_file(client) is None
    assert stored("certificates/public") == []
    assert mail_server.box.mails == []
    assert CertificateMail.objects.get().state == "cancelled"


def test_revoked_after_a_worker_died_in_the_file(earned: Service) -> None:
    row = begin(Issuance.objects.get())
    files.publish(row.verify_uuid, data=b"%PDF-1.4 half")
    Issuance.objects.update(started=True)
    lose(earned)
    earned.issue()
    assert Issuance.objects.get().state == "cancelled"
    assert stored("certificates/public") == []


@pytest.mark.parametrize("half_done", ["both there", "row only"])
def test_a_withdrawal_that_was_interrupted_is_finished(
    earned: Service, client: Client, half_done: str
) -> None:
    earned.issue()
    row = certificate()
    lose(earned)
    if half_done == "both there":
        half = ContentFile(b"%PDF-1.4 half")
        default_storage.save(f"certificates/archive/{row.verify_uuid}.pdf", half)
    else:
        row.state = "withdrawn"
        row.save()
    earned.issue()
    assert Issuance.objects.get().state == "revoked"
    assert stored("certificates/public") == []
    assert stored("certificates/archive") == [f"{row.verify_uuid}.pdf"]
    with default_storage.open(f"certificates/archive/{row.verify_uuid}.pdf") as archived:
        assert archived.read().endswith(b"%%EOF\n")
