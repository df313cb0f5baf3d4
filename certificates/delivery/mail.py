"""Telling learners where their certificate is.

Note [One mail]
    The row is written with the certificate, once. It is claimed by compare-and-swap before the
    mail server is spoken to, and whoever claims it has a lease. A process that dies between the
    server's last word and the record leaves a row that is sent again when the lease ends: late is
    better than never. The second has the same Message-ID as the first, by which mailboxes know
    that they have it.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from smtplib import SMTPRecipientsRefused, SMTPResponseException
from typing import Final
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext

from certificates import links
from certificates.models import Certificate, CertificateMail
from credentials import dispatch
from credentials.retry import backoff

log = structlog.get_logger(__name__)

State = CertificateMail.State
_LEASE: Final = timedelta(minutes=5)
_FIRST_WAIT: Final = timedelta(seconds=15)
_LONGEST_WAIT: Final = timedelta(hours=12)
_MAX_ATTEMPTS: Final = 25
_PAGE: Final = 200
_REFUSED_FOR_GOOD: Final = 500  # RFC 5321, 4.2.1: from here on a repetition is of no use


class _NoServerError(Exception):
    """The mail server does not answer at all."""


def write_row(certificate: Certificate) -> None:
    """Requires the transaction that makes the certificate available. Whoever was told once is not
    told again. Without a mail server nobody is.
    """
    if not settings.EMAIL_URL:
        return
    _, created = CertificateMail.objects.get_or_create(
        certificate=certificate, defaults={"next_attempt_at": Now()}
    )
    if created:
        transaction.on_commit(lambda: dispatch.send("certificates.tasks.send_mails", []))


def due(now: datetime) -> QuerySet[CertificateMail]:
    return CertificateMail.objects.filter(next_attempt_at__lte=now)


def next_due(*, before: datetime) -> datetime | None:
    times = due(before).order_by("next_attempt_at").values_list("next_attempt_at", flat=True)
    return times.first()


def send_due(*, clock: Callable[[], datetime]) -> int:
    """How many were sent, or given up. Must not be called in a transaction."""
    rows = due(clock()).select_related(
        "certificate__issuance__credential__learner", "certificate__issuance__credential__template"
    )
    waiting = list(rows.order_by("next_attempt_at", "id")[:_PAGE])
    if not waiting:
        return 0
    connection: BaseEmailBackend = get_connection()
    try:
        settled = 0
        for row in waiting:
            try:
                settled += _send(row, connection=connection, clock=clock)
            except _NoServerError:
                break  # the others would wait for the same answer, one after the other
        return settled
    finally:
        connection.close()


def _send(
    row: CertificateMail, *, connection: BaseEmailBackend, clock: Callable[[], datetime]
) -> bool:
    """See Note [One mail]."""
    if not _claim(row, now=clock()):
        return False
    why_not = _why_not(row.certificate)
    if why_not:
        _record(row, state=State.CANCELLED, last_error=why_not)
        return True
    try:
        connection.send_messages([message(row.certificate)])
    except Exception as error:
        connection.close()  # what it is in the middle of says nothing to the next one
        settled = _fail(row, error, now=clock())
        if _code(error) is None:
            raise _NoServerError from error
        return settled
    _record(row, state=State.SENT, sent_at=clock(), last_error="")
    log.info("mail sent", certificate=row.certificate_id)
    return True


def _claim(row: CertificateMail, *, now: datetime) -> bool:
    leased = now + _LEASE
    claimed = _as_read(row).update(next_attempt_at=leased, attempts=row.attempts + 1)
    row.attempts += 1
    return bool(claimed)


def _as_read(row: CertificateMail) -> QuerySet[CertificateMail]:
    """Unless somebody else took it up meanwhile, or it was cancelled: every attempt is counted."""
    return CertificateMail.objects.filter(pk=row.pk, state=State.WAITING, attempts=row.attempts)


def _why_not(certificate: Certificate) -> str:
    credential = certificate.issuance.credential
    if not credential.live or certificate.state != Certificate.State.AVAILABLE:
        return "The certificate was withdrawn before."
    return "" if credential.learner.email else "The learner has no e-mail address."


def message(certificate: Certificate) -> EmailMessage:
    """In the language of the certificate: what the learner reads, nobody told us."""
    credential = certificate.issuance.credential
    context = {
        "certificate": certificate,
        "verify_url": links.verify_url(certificate.verify_uuid),
        "file_url": links.file_url(certificate.verify_uuid),
    }
    with translation.override(certificate.language):
        subject = gettext("Your certificate: %(what)s") % {"what": certificate.context_name}
        body = render_to_string("certificates/mail.txt", context).strip() + "\n"
    return EmailMessage(
        subject=" ".join(subject.split()),
        body=body,
        to=[credential.learner.email],
        headers={
            "Message-ID": f"<{certificate.verify_uuid}@{_host()}>",
            "Auto-Submitted": "auto-generated",  # RFC 3834: no answer from who is on holiday
        },
    )


def _host() -> str:
    return urlsplit(settings.PUBLIC_BASE_URL).hostname or "localhost"


def _fail(row: CertificateMail, error: Exception, *, now: datetime) -> bool:
    said = _said(error)
    log.warning("mail not sent", certificate=row.certificate_id, error=said)
    if _is_final(error) or row.attempts >= _MAX_ATTEMPTS:
        _record(row, state=State.DEAD, last_error=said)
        return True
    wait = backoff(row.attempts, first=_FIRST_WAIT, longest=_LONGEST_WAIT)
    _as_read(row).update(next_attempt_at=now + wait, last_error=said)
    return False


def _record(row: CertificateMail, **fields: object) -> None:
    _as_read(row).update(next_attempt_at=None, **fields)


def _code(error: Exception) -> int | None:
    """What the server answered; of the one recipient there is."""
    if isinstance(error, SMTPRecipientsRefused):
        return next((code for code, _ in error.recipients.values()), None)
    return error.smtp_code if isinstance(error, SMTPResponseException) else None


def _is_final(error: Exception) -> bool:
    code = _code(error)
    return isinstance(error, SMTPRecipientsRefused) and (code or 0) >= _REFUSED_FOR_GOOD


def _said(error: Exception) -> str:
    """Without the address, which servers like to repeat."""
    code = _code(error)
    if isinstance(error, SMTPRecipientsRefused):
        return f"The mail server refused the learner's address ({code})."
    if code is not None:
        return f"The mail server answered {code}."
    return f"The mail server does not answer: {error}"


def try_again(rows: QuerySet[CertificateMail], *, now: datetime) -> int:
    """By hand, from admin: what was given up is due now."""
    return rows.filter(state=State.DEAD).update(
        state=State.WAITING, attempts=0, next_attempt_at=now
    )
