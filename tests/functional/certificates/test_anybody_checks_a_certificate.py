"""The page behind the link and the QR code, for whoever was shown a certificate."""

import io
from uuid import UUID, uuid4

import pytest
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from django.utils.translation import get_language

from certificates.delivery import files
from certificates.issuing import begin
from certificates.models import Certificate
from certificates.reissue import reissue
from credentials.models import Issuance, Learner, UserCredential
from tests.functional.certificates.conftest import certificate, earn, load
from tests.functional.conftest import Service
from tests.functional.stories import passes


@pytest.fixture
def key(earned: Service) -> str:
    earned.issue()
    return str(certificate().verify_uuid)


def test_lc_13_it_says_who_what_when_by_whom(key: str, client: Client) -> None:
    answer = client.get(f"/verify/{key}/")
    page = answer.content.decode()
    assert answer.status_code == 200
    for part in (
        "This certificate is valid",
        "Ann Lee",
        "Data Explorer",
        "Passed the two data courses.",
        "March 1, 2026",
        "Laurel",
        f'href="http://localhost:8000/certificates/{key}.pdf"',
    ):
        assert part in page
    assert "ann@example.com" not in page


@pytest.mark.parametrize("way", ["ending", "header"])
def test_lc_13_the_same_as_json(key: str, client: Client, way: str) -> None:
    if way == "ending":
        answer = client.get(f"/verify/{key}.json")
    else:
        answer = client.get(f"/verify/{key}/", headers={"Accept": "application/json"})
        assert "Accept" in answer["Vary"]
    assert answer.json() == {
        "verify_uuid": key,
        "status": "valid",
        "name": "Ann Lee",
        "certificate": "Data Explorer",
        "description": "Passed the two data courses.",
        "issuer": "Laurel",
        "awarded_on": "2026-03-01",
        "verify_url": f"http://localhost:8000/verify/{key}/",
        "file_url": f"http://localhost:8000/certificates/{key}.pdf",
    }


def addresses(key: str) -> list[str]:
    return [f"/verify/{key}/", f"/verify/{key}.json", f"/certificates/{key}.pdf"]


def test_lc_13_internal_uuids_say_nothing(key: str, client: Client) -> None:
    for internal in (UserCredential.objects.get().uuid, Learner.objects.get().uuid, uuid4()):
        assert [client.get(each).status_code for each in addresses(str(internal))] == [404] * 3


def test_lc_13_nor_does_an_unfinished_one(earned: Service, client: Client) -> None:
    begun = begin(Issuance.objects.get())
    assert [client.get(each).status_code for each in addresses(str(begun.verify_uuid))] == [404] * 3


@pytest.mark.parametrize("malformed", ["x", "0d4a", "{key}0", "%00", "0" * 32, "' or 1=1", "é"])
def test_lc_13_a_malformed_key_is_a_bad_request(key: str, client: Client, malformed: str) -> None:
    for address in addresses(malformed.replace("{key}", key)):
        assert client.get(address).status_code == 400
    assert client.get(f"/verify/{key.upper()}/").status_code == 200


@pytest.mark.parametrize(
    ("accepts", "language", "says"),
    [
        ("de-AT,de;q=0.9,en;q=0.5", "de", "Dieses Zertifikat ist gültig"),
        ("fr,es;q=0.8,en;q=0.7", "es", "Este certificado es válido"),
        ("fr", "en", "This certificate is valid"),
        ("", "en", "This certificate is valid"),
    ],
)
def test_in_the_language_of_the_visitor(
    key: str, client: Client, accepts: str, language: str, says: str
) -> None:
    answer = client.get(f"/verify/{key}/", headers={"Accept-Language": accepts})
    page = answer.content.decode()
    assert f'<html lang="{language}">' in page
    assert says in page
    assert answer["Content-Language"] == language
    assert "Accept-Language" in answer["Vary"]


def test_the_visitor_may_choose(key: str, client: Client) -> None:
    german = {"Accept-Language": "de"}
    page = client.get(f"/verify/{key}/?lang=es", headers=german).content.decode()
    assert "Este certificado es válido" in page
    assert "1 de marzo de 2026" in page
    assert get_language() == "en"  # and staff, by the same process, are not spoken to in it


def test_where_a_file_was_a_page_says_why_it_is_gone(
    earned: Service, key: str, client: Client
) -> None:
    earned.publish([passes("ann", 1, minute=5, passing=False)])
    earned.consume()
    for _ in range(2):  # before a worker came, and after it
        answer = client.get(f"/certificates/{key}.pdf", headers={"Accept-Language": "de"})
        assert (answer.status_code, answer["Content-Language"]) == (404, "de")
        assert "Dieses Zertifikat wurde widerrufen" in answer.content.decode()
        earned.issue()
    unknown = client.get(f"/certificates/{uuid4()}.pdf").content.decode()
    assert "There is no certificate of this key" in unknown


@pytest.mark.parametrize("what", ["deleted", "half written"])
def test_a_file_that_is_not_whole(key: str, client: Client, what: str) -> None:
    """The certificate is as valid as before, and staff can draw it anew."""
    if what == "deleted":
        default_storage.delete(files.public_name(UUID(key)))
    else:
        files.publish(UUID(key), data=b"%PDF-1.4 half")
    answer = client.get(f"/certificates/{key}.pdf")
    page = answer.content.decode()
    assert answer.status_code == 404
    assert "This certificate is valid" in page
    assert "cannot be found at the moment" in page
    assert "Open the certificate" not in page
    assert client.get(f"/verify/{key}.json").json()["status"] == "valid"

    assert reissue(Certificate.objects.all(), now=timezone.now()) == (1, 0)
    call_command("issue_due", stdout=io.StringIO())
    assert client.get(f"/certificates/{key}.pdf").status_code == 200


def test_nobody_is_followed(key: str, client: Client) -> None:
    """No cookie, nothing from elsewhere, no script; the address goes to nobody."""
    answer = client.get(f"/verify/{key}/")
    page = answer.content.decode()
    assert not answer.cookies
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert answer["Referrer-Policy"] == "no-referrer"
    assert "src=" not in page
    assert "<script" not in page
    assert "<link" not in page


def test_names_are_text(service: Service, client: Client) -> None:
    load(service, name='<b>"Data" & more</b>')
    earn(service)
    service.issue()
    page = client.get(f"/verify/{certificate().verify_uuid}/").content.decode()
    assert "&lt;b&gt;&quot;Data&quot; &amp; more&lt;/b&gt;" in page
