"""What can be said of a certificate to anybody who has its uuid."""

from datetime import date, datetime
from enum import Enum
from typing import Any
from uuid import UUID

import attrs

from certificates import links
from certificates.models import Certificate


class Status(Enum):
    VALID = "valid"
    REVOKED = "revoked"


@attrs.frozen
class Standing:
    """`file_url` is empty once it is revoked, `reason` and `revoked_at` before. `size` of the file,
    in bytes.
    """

    verify_uuid: UUID
    status: Status
    name: str
    context_name: str
    description: str
    issuer: str
    awarded_on: date
    verify_url: str
    size: int | None
    file_url: str = ""
    revoked_at: datetime | None = None
    reason: str = ""

    @property
    def is_valid(self) -> bool:
        return self.status is Status.VALID

    def as_document(self) -> dict[str, Any]:
        """The JSON beside the page."""
        document = {
            "verify_uuid": str(self.verify_uuid),
            "status": self.status.value,
            "name": self.name,
            "certificate": self.context_name,
            "description": self.description,
            "issuer": self.issuer,
            "awarded_on": self.awarded_on.isoformat(),
            "verify_url": self.verify_url,
        }
        if self.is_valid:
            return {**document, "file_url": self.file_url}
        revoked_at = self.revoked_at.isoformat() if self.revoked_at else None
        return {**document, "revoked_at": revoked_at, "reason": self.reason}


def standing_of(verify_uuid: UUID) -> Standing | None:
    """None: there is no such certificate, or it was never finished, or its learner left. One
    query.
    """
    rows = Certificate.objects.select_related("issuance__credential__template")
    row = rows.filter(verify_uuid=verify_uuid).first()
    if row is None or row.state in {Certificate.State.WAITING, Certificate.State.ERASED}:
        return None
    credential = row.issuance.credential
    # The credential decides: the file may take a moment to go.
    is_valid = bool(credential.live) and row.state == Certificate.State.AVAILABLE
    if row.awarded_on is None:
        return None  # revoked before anything was drawn
    return Standing(
        verify_uuid=row.verify_uuid,
        status=Status.VALID if is_valid else Status.REVOKED,
        name=row.name,
        context_name=row.context_name,
        description=credential.template.description,
        issuer=row.issuer,
        awarded_on=row.awarded_on,
        verify_url=links.verify_url(row.verify_uuid),
        size=row.size,
        file_url=links.file_url(row.verify_uuid) if is_valid else "",
        revoked_at=None if is_valid else credential.revoked_at,
        reason="" if is_valid else credential.revocation_reason,
    )
