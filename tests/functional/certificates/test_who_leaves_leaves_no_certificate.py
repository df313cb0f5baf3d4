"""A person is retired: the names on certificates go, and so do the files."""

import io

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from certificates import delivery
from certificates.models import Certificate, CertificateMail
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
from tests.functional.stories import passes


def retire() -> str:
    output = io.StringIO()
    call_command("retire_learner", learner="ann", stdout=output)
    return output.getvalue()


def test_the_file_the_name_and_the_mail_go(
    earned: Service, client: Client, mail_server: MailServer
) -> None:
    mail_server.stop()
    earned.issue()
    key = certificate().verify_uuid

    report = retire()

    assert "    1  certificates erased" in report
    assert "    1  mails about them deleted" in report
    assert public_file(client) is None
    assert client.get(f"/verify/{key}/").status_code == 404
    earned.issue()
    assert stored("certificates/public") == stored("certificates/archive") == []
    assert not CertificateMail.objects.exists()
    row = Certificate.objects.get()
    assert (row.name, row.state, row.file_to_erase) == ("", "erased", False)


def test_what_was_revoked_before_goes_from_the_archive(earned: Service) -> None:
    earned.issue()
    earned.publish([passes("ann", 1, minute=5, passing=False)])
    earned.consume()
    earned.issue()
    assert len(stored("certificates/archive")) == 1
    retire()
    assert delivery.work_due(clock=timezone.now) == 1
    assert stored("certificates/archive") == []


def test_who_leaves_while_it_is_drawn(service: Service, settings: Settings) -> None:
    load(service)
    settings.PDF_GENERATORS = {"own": "tests.fakes.generators.own"}
    generators.lay_out(generator="own", options={})
    generators.own.meanwhile = lambda: print(retire())
    earn(service)
    service.issue()
    service.issue()
    assert stored("certificates/public") == stored("certificates/archive") == []
    assert Certificate.objects.get().name == ""


@pytest.mark.parametrize("keeps", [True, False])
def test_the_setting_says_whether_the_name_stays(
    earned: Service, settings: Settings, keeps: bool
) -> None:
    settings.RETIREMENT_KEEPS_ISSUED_NAMES = keeps
    earned.issue()
    retire()
    assert Certificate.objects.get().name == ("Ann Lee" if keeps else "")
