"""What this app does when a badge is awarded. Named by the setting SERVICE_SIGNALS."""

from datetime import datetime
from typing import Any
from uuid import UUID

from tests.notifier.models import Notification


def on_award(sender: str, *, credential_uuid: UUID, at: datetime, **_kwargs: Any) -> None:
    """Writes a row only: a handler runs in the process that told. A replay finds the row."""
    Notification.objects.get_or_create(
        credential_uuid=credential_uuid, defaults={"awarded_at": at, "next_attempt_at": at}
    )
