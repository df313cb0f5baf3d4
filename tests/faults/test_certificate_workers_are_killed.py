"""Workers are killed while they draw, store and send: in a file, behind it, in a mail.

What is promised: exactly one credential, one certificate and one whole file each; and one mail,
except where a worker died between the server's answer and its own note: that mail goes out again,
as the same message.
"""

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from io import BytesIO
from pathlib import Path
from typing import Final

import attrs
from aiosmtpd.smtp import SMTP, Envelope, Session
from pypdf import PdfReader

from tests.dialog import Dialog, dialog
from tests.faults.place import PATIENCE, Place
from tests.functional.certificates.conftest import Mailbox, MailServer
from tests.processes import HOST, free_port

CERTIFICATES: Final = 20
ROUNDS: Final = 3  # in a file, behind one, in a mail


@attrs.define
class DeadlyMailbox(Mailbox):
    """Takes the mail, then kills who sent it, before it hears that."""

    victim: int | None = None
    killed_for: list[str] = attrs.field(factory=list)  # Message-IDs

    async def handle_DATA(  # noqa: N802 -- aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        answer = await super().handle_DATA(server, session, envelope)
        if self.victim is not None:
            victim, self.victim = self.victim, None
            self.killed_for.append(message_id(self.mails[-1]))
            os.kill(victim, signal.SIGKILL)
        return answer


def message_id(mail: EmailMessage) -> str:
    return str(mail["Message-ID"])


@attrs.frozen
class Drawers:
    """Talks to tests.faults.issuers."""

    folder: Path
    dialog: Dialog

    def begin(self) -> int:
        """The pid of a worker."""
        return int(self.dialog.ask("work"))

    def end(self) -> int:
        """Its exit status, once it has ended."""
        return int(self.dialog.hear())

    def kill(self, *, when: Callable[[], bool]) -> None:
        pid = self.begin()
        deadline = time.monotonic() + PATIENCE
        while not when():
            assert time.monotonic() < deadline
            time.sleep(0.0005)
        os.kill(pid, signal.SIGKILL)
        assert self.end() == -signal.SIGKILL

    def files(self) -> dict[str, bytes]:
        """Those that anybody may see, by their keys."""
        return {each.stem: each.read_bytes() for each in self.folder.glob("**/public/*")}

    def halves(self) -> set[str]:
        return {key for key, data in self.files().items() if not data.endswith(b"%%EOF\n")}


@contextmanager
def drawers(place: Place, mails: MailServer) -> Iterator[Drawers]:
    media = place.folder / "media"
    env = {
        **place.env,
        "STORAGE_URL": media.as_uri(),
        "EMAIL_URL": f"smtp://{HOST}:{mails.port}",
        "LOG_LEVEL": "WARNING",
    }
    with dialog("tests.faults.issuers", log=place.folder / "workers.log", env=env) as talk:
        yield Drawers(media, talk)


def draw(workers: Drawers, box: DeadlyMailbox) -> None:
    """Until all is done, by workers most of which are killed."""
    for _ in range(ROUNDS):
        before = workers.halves()
        workers.kill(when=lambda: bool(workers.halves() - before))  # noqa: B023 -- called at once
        assert workers.halves() - before  # it died in the middle of a file

        done = workers.files().keys() - workers.halves()
        workers.kill(when=lambda: bool(workers.files().keys() - workers.halves() - done))  # noqa: B023
    for _ in range(ROUNDS):
        box.victim = workers.begin()
        assert workers.end() == -signal.SIGKILL
    workers.begin()
    assert workers.end() == 0


def test_each_has_one_certificate_and_hears_of_it(place: Place) -> None:
    box = DeadlyMailbox()
    mails = MailServer(free_port(), box)
    mails.start()
    try:
        with drawers(place, mails) as workers:
            workers.dialog.ask(f"certify {CERTIFICATES}")
            draw(workers, box)
            found = json.loads(workers.dialog.ask("look"))
            files = workers.files()
    finally:
        mails.stop()

    assert len(found) == len({each["learner"] for each in found}) == CERTIFICATES
    for each in found:
        assert (each["state"], each["shown"], each["mail"]) == (
            "available",
            "available",
            "sent",
        )
        assert each["external_id"] == each["key"]
        assert each["leased_until"] is None
    assert {key: len(data) for key, data in files.items()} == {
        each["key"]: each["size"] for each in found
    }
    texts = [PdfReader(BytesIO(data)).pages[0].extract_text() for data in files.values()]
    assert all(
        any(f"Learner Nr{n}\n" in text for text in texts) for n in range(1, CERTIFICATES + 1)
    )

    told = Counter(message_id(mail) for mail in box.mails)
    assert len(box.killed_for) == ROUNDS
    assert told == Counter(f"<{key}@localhost>" for key in files) + Counter(box.killed_for)
