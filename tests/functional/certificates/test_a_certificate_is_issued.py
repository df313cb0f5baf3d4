"""From an event to a file that anybody can check."""

from datetime import timedelta
from io import BytesIO

import pytest
from django.test import Client
from django.utils import timezone
from pypdf import PdfReader
from pytest_django import Settings

from certificates.delivery import files
from certificates.issuing import begin
from certificates.models import Certificate, CertificateMail, CredentialType
from certificates.pdf import design
from certificates.reissue import reissue
from credentials import worker
from credentials.models import BadgeTemplate, Issuance, UserCredential
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
from tests.functional.schedule_stories import schedule
from tests.functional.stories import EXPLORER


@pytest.fixture
def own_generator(settings: Settings, earned: Service) -> None:
    """The template's certificates are drawn by one of the tests."""
    settings.PDF_GENERATORS = {"own": "tests.fakes.generators.own"}
    generators.own.faults.clear()
    generators.own.meanwhile = None
    generators.lay_out(generator="own", options={})


def text_of(data: bytes | None) -> str:
    assert data is not None
    return PdfReader(BytesIO(data)).pages[0].extract_text()


def test_lc_5_the_certificate_says_who_what_when_and_its_key(
    earned: Service, client: Client
) -> None:
    earned.issue()

    badge = earned.badge("ann", EXPLORER)
    assert badge is not None
    (issuance,) = badge["credential"]["issuances"]
    row = certificate()
    assert issuance["state"] == "available"
    assert issuance["external_id"] == str(row.verify_uuid)
    text = text_of(public_file(client))
    for part in ("Ann Lee", "Data Explorer", "March 1, 2026", str(row.verify_uuid), "Laurel"):
        assert part in text
    assert str(UserCredential.objects.get().uuid) not in text


def test_lc_5_the_date_is_that_of_the_time_zone_and_language(
    service: Service, client: Client
) -> None:
    load(service)
    generators.lay_out(
        options={
            "template": "laurel",
            "language": "de",
            "time_zone": "Pacific/Kiritimati",  # 14 hours ahead: the award is tomorrow there
            "elements": {"date": {"x": 50, "y": 50}},
        }
    )
    earn(service)
    service.issue()
    assert text_of(public_file(client)).strip() == "2. März 2026"


def test_lc_8_a_generator_that_fails_is_tried_again(
    own_generator: None, earned: Service, client: Client, mail_server: MailServer
) -> None:
    generators.own.faults.append(RuntimeError("The ink is dry."))
    earned.issue()
    issuance = Issuance.objects.get()
    assert (issuance.state, issuance.credential.status) == ("error", "awarded")
    assert issuance.last_error == "The certificate could not be drawn: The ink is dry."
    assert public_file(client) is None
    assert mail_server.box.mails == []

    worker.carry_out_due(clock=lambda: timezone.now() + timedelta(minutes=1))
    earned.issue()

    issuance.refresh_from_db()
    assert (issuance.state, issuance.last_error) == ("available", "")
    assert public_file(client) == b"%PDF-1.4 of Ann Lee"
    assert len(mail_server.box.mails) == 1


def test_the_type_of_a_schedule_names_who_draws(
    earned: Service, client: Client, settings: Settings
) -> None:
    settings.PDF_GENERATORS = {"own": "tests.fakes.generators.own"}
    kind = CredentialType.objects.create(name="Own", retriever="oracle", generator="own")
    schedule(BadgeTemplate.objects.get(), type=kind)
    earned.issue()
    assert public_file(client) == b"%PDF-1.4 of Ann Lee"

    layout = generators.lay_out(options=design.OPTIONS)
    reissue(Certificate.objects.all(), now=timezone.now())
    earned.issue()
    assert layout.in_use
    assert "Ann Lee" in text_of(public_file(client))


def test_lc_6_a_name_that_no_font_draws_is_given_up_until_somebody_looks(
    service: Service, client: Client
) -> None:
    load(service, name="आन")
    earn(service)
    service.issue()
    issuance = Issuance.objects.get()
    assert issuance.state == "dead"
    assert "आ (U+0906 DEVANAGARI LETTER AA)" in issuance.last_error
    assert public_file(client) is None


def test_lc_10_two_workers_and_the_button_make_one_file_and_one_mail(
    own_generator: None, earned: Service, client: Client, mail_server: MailServer
) -> None:
    worked: list[int] = []

    def others() -> None:
        worker.try_again(Issuance.objects.all(), now=timezone.now())
        worked.append(worker.carry_out_due(clock=timezone.now))
        earned.issue()

    generators.own.meanwhile = others
    earned.issue()
    earned.issue()

    assert worked == [0]
    assert Issuance.objects.get().state == "available"
    assert stored("certificates/public") == [f"{certificate().verify_uuid}.pdf"]
    assert (Certificate.objects.count(), CertificateMail.objects.count()) == (1, 1)
    assert len(mail_server.box.mails) == 1


@pytest.mark.parametrize(
    "died", ["before the file", "in the file", "in a second file", "before the record"]
)
def test_lc_10_a_worker_that_dies_leaves_one_file_and_one_mail(
    earned: Service, client: Client, mail_server: MailServer, died: str
) -> None:
    """What a killed worker leaves: claimed, and something of the work done."""
    if died in {"before the record", "in a second file"}:
        earned.issue()
        if died == "in a second file":
            files.publish(certificate().verify_uuid, data=b"%PDF-1.4 half")
    else:
        row = begin(Issuance.objects.get())
        if died == "in the file":
            files.publish(row.verify_uuid, data=b"%PDF-1.4 half")
    before = certificate().verify_uuid
    lease = timezone.now() + worker.LEASE
    Issuance.objects.update(
        state="created", external_id=None, started=True, next_attempt_at=lease, leased_until=lease
    )
    worker.carry_out_due(clock=lambda: timezone.now() + worker.LEASE * 2)
    earned.issue()

    assert certificate().verify_uuid == before
    assert Issuance.objects.get().external_id == str(before)
    assert stored("certificates/public") == [f"{before}.pdf"]
    assert "Ann Lee" in text_of(public_file(client))
    assert len(mail_server.box.mails) == 1


def test_x_8_events_that_come_again_draw_nothing_again(
    earned: Service, client: Client, mail_server: MailServer
) -> None:
    earned.issue()
    first = (public_file(client), certificate().drawn_at)
    for _ in range(2):
        earn(earned)
        earned.issue()
    assert (public_file(client), certificate().drawn_at) == first
    assert len(mail_server.box.mails) == 1
