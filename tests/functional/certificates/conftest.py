"""Certificates as a person meets them: a file, a page that vouches for it, a mail."""

from collections.abc import Iterator
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from typing import Any

import attrs
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.core.files.storage import default_storage
from django.test import Client
from pytest_django import Settings

from certificates.models import Certificate
from tests.functional.conftest import Service
from tests.functional.stories import explorer, passes
from tests.processes import HOST, free_port


@attrs.define
class Mailbox:
    """What a mail server took. `answer`: what it says to the next address instead of yes."""

    mails: list[EmailMessage] = attrs.field(factory=list)
    answer: str = ""

    async def handle_RCPT(  # noqa: N802 -- aiosmtpd's name
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _more: list[str],
    ) -> str:
        if self.answer:
            answer, self.answer = self.answer, ""
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 -- aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        self.mails.append(BytesParser(policy=default).parsebytes(content))
        return "250 OK"

    def body(self) -> str:
        """Of the one mail there is."""
        (mail,) = self.mails
        text: str = mail.get_content()
        return text.replace("\r\n", "\n")


@attrs.define
class MailServer:
    port: int
    box: Mailbox = attrs.field(factory=Mailbox)
    _running: Controller | None = None

    def start(self) -> None:
        self._running = Controller(self.box, hostname=HOST, port=self.port)
        self._running.start()

    def stop(self) -> None:
        if self._running is not None:
            self._running.stop()
            self._running = None


@pytest.fixture
def mail_server(settings: Settings) -> Iterator[MailServer]:
    server = MailServer(free_port())
    settings.EMAIL_URL = f"smtp://{HOST}:{server.port}"
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = HOST, server.port
    server.start()
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def _empty_storage() -> Iterator[None]:
    yield
    for folder in ("certificates/public", "certificates/archive", "certificates/assets"):
        for name in stored(folder):
            default_storage.delete(f"{folder}/{name}")


def stored(folder: str) -> list[str]:
    return default_storage.listdir(folder)[1] if default_storage.exists(folder) else []


def load(service: Service, **changes: Any) -> None:
    """The badge Data Explorer, as a certificate and nothing else."""
    document = explorer(**{"providers": ["pdf"], **changes})
    if document["templates"][0]["providers"] == ["pdf"]:
        del document["templates"][0]["organization"]
    service.load(document)


def earn(service: Service, who: str = "ann") -> None:
    service.publish([passes(who, 1, minute=1), passes(who, 2, minute=2)])
    service.consume()


@pytest.fixture
def earned(service: Service) -> Service:
    load(service)
    earn(service)
    return service


def certificate() -> Certificate:
    return Certificate.objects.get()


def public_file(client: Client) -> bytes | None:
    """As anybody gets it; None: 404."""
    answer = client.get(f"/certificates/{certificate().verify_uuid}.pdf")
    if answer.status_code == 404:
        return None
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
    return b"".join(answer.streaming_content)  # type: ignore[attr-defined]
