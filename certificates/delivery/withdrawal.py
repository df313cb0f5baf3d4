"""Taking certificates back: into the archive when they are revoked, away when a person leaves."""

from typing import Final

from django.db.models.functions import Now

from certificates.delivery import files
from certificates.models import Certificate

State = Certificate.State
_PAGE: Final = 100


def withdraw(certificate: Certificate) -> None:
    """The row first: nobody is given the file from then on, whatever happens to this process. A
    mail that waits is not sent any more: it looks at the row.
    """
    rows = Certificate.objects.filter(pk=certificate.pk)
    rows.exclude(state=State.ERASED).update(
        state=State.WITHDRAWN, drawn_at=None, withdrawn_at=Now()
    )
    if rows.filter(state=State.ERASED).exists():
        files.erase(certificate.verify_uuid)
    else:
        files.archive(certificate.verify_uuid)


def erase_files() -> int:
    """Of people who left, see certificates.retirement. Safe to repeat; how many it was."""
    rows = list(Certificate.objects.filter(file_to_erase=True)[:_PAGE])
    for row in rows:
        files.erase(row.verify_uuid)
    Certificate.objects.filter(pk__in=[row.pk for row in rows]).update(file_to_erase=False)
    return len(rows)
