"""The mail with the link: once, late rather than never, in the language of the certificate."""

import io
from datetime import timedelta

from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from certificates import delivery
from certificates.delivery import mail
from certificates.models import CertificateMail
from credentials.models import Issuance, Learner
from tests.fakes import generators
from tests.functional.certificates.conftest import MailServer, certificate, earn, load, public_file
from tests.functional.conftest import Service


def later(minutes: float = 60) -> int:
    return delivery.work_due(clock=lambda: timezone.now() + timedelta(minutes=minutes))


def test_it_brings_the_link(earned: Service, mail_server: MailServer, client: Client) -> None:
    earned.issue()
    (got,) = mail_server.box.mails
    key = certificate().verify_uuid
    assert got["To"] == "ann@example.com"
    assert got["From"] == "no-reply@localhost"
    assert got["Subject"] == "Your certificate: Data Explorer"
    assert got["Message-ID"] == f"<{key}@localhost>"
    body = mail_server.box.body()
    assert body.startswith("Dear Ann Lee,\n")
    assert f"http://localhost:8000/certificates/{key}.pdf\n" in body
    assert f"http://localhost:8000/verify/{key}/\n" in body


def test_lc_8_the_mail_server_is_down(
    earned: Service, mail_server: MailServer, client: Client
) -> None:
    mail_server.stop()
    earned.issue()
    assert Issuance.objects.get().state == "available"
    assert public_file(client) is not None
    row = CertificateMail.objects.get()
    assert (row.state, row.attempts) == ("waiting", 1)
    assert row.last_error.startswith("The mail server does not answer")

    mail_server.start()
    assert later(0) == 0  # not yet
    assert later() == 1
    assert later(600) == 0
    assert len(mail_server.box.mails) == 1
    assert CertificateMail.objects.get().state == "sent"


def test_lc_8_while_it_is_down_one_mail_finds_out_for_all(
    service: Service, mail_server: MailServer
) -> None:
    load(service)
    mail_server.stop()
    earn(service, "ann")
    earn(service, "bob")
    service.issue()
    assert sorted(CertificateMail.objects.values_list("attempts", flat=True)) == [0, 1]
    mail_server.start()
    later()
    assert sorted(each["To"] for each in mail_server.box.mails) == [
        "ann@example.com",
        "bob@example.com",
    ]


def test_a_server_that_says_not_now_is_asked_again(
    earned: Service, mail_server: MailServer
) -> None:
    mail_server.box.answer = "451 4.7.1 ann@example.com: greylisted"
    earned.issue()
    row = CertificateMail.objects.get()
    assert row.state == "waiting"
    assert row.last_error == "The mail server refused the learner's address (451)."
    later()
    assert len(mail_server.box.mails) == 1


def test_a_server_that_says_never_is_not(earned: Service, mail_server: MailServer) -> None:
    mail_server.box.answer = "550 5.1.1 ann@example.com: no such user"
    earned.issue()
    row = CertificateMail.objects.get()
    assert (row.state, row.next_attempt_at) == ("dead", None)
    assert "ann" not in row.last_error
    later()
    assert mail_server.box.mails == []


def test_nobody_else_sends_what_somebody_is_sending(
    earned: Service, mail_server: MailServer
) -> None:
    """And when that one died, its mail goes out when the lease ends, as the same message."""
    mail_server.stop()
    earned.issue()
    CertificateMail.objects.update(next_attempt_at=timezone.now() - timedelta(seconds=1))
    mail_server.start()
    first = CertificateMail.objects.get()
    assert mail._claim(first, now=timezone.now())
    assert later(0) == 0
    assert mail_server.box.mails == []
    assert later(6) == 1
    assert len(mail_server.box.mails) == 1


def test_it_speaks_the_language_of_the_certificate(
    service: Service, mail_server: MailServer
) -> None:
    load(service)
    generators.lay_out(
        options={
            "template": "laurel",
            "language": "es",
            "context_name": "Exploración de datos",
            "elements": {"name": {"x": 50, "y": 50}},
        }
    )
    earn(service)
    service.issue()
    (got,) = mail_server.box.mails
    assert got["Subject"] == "Su certificado: Exploración de datos"
    assert mail_server.box.body().startswith("Hola, Ann Lee:\n")


def test_without_an_address_nobody_is_told(service: Service, mail_server: MailServer) -> None:
    load(service)
    earn(service)
    Learner.objects.update(email="")
    service.issue()
    row = CertificateMail.objects.get()
    assert (row.state, row.last_error) == ("cancelled", "The learner has no e-mail address.")


def test_without_a_mail_server_no_mail_waits(
    earned: Service, settings: Settings, client: Client
) -> None:
    assert settings.EMAIL_URL == ""
    earned.issue()
    assert Issuance.objects.get().state == "available"
    assert not CertificateMail.objects.exists()


def test_issue_due_waits_for_mails_too(earned: Service, mail_server: MailServer) -> None:
    mail_server.box.answer = "451 later"
    call_command("issue_due", stdout=io.StringIO())
    CertificateMail.objects.update(next_attempt_at=timezone.now() + timedelta(seconds=1))
    call_command("issue_due", "--until-idle", stdout=io.StringIO())
    assert len(mail_server.box.mails) == 1
