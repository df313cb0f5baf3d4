"""What Credly's webhook says, pure: bytes become a notice or are refused."""

import json
from uuid import UUID

from credentials.database import storable
from credentials.providers.base import BadNoticeError, Notice


def parse(body: bytes) -> Notice:
    """Raises BadNoticeError. Extra keys are ignored; `occurred_at` is not believed either: that of
    the fetched event counts.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadNoticeError("The body is not JSON.") from error
    if not isinstance(document, dict):
        raise BadNoticeError("The body is no JSON object.")
    return Notice(
        event_id=_uuid(document.get("id")),
        organization_id=_uuid(document.get("organization_id")),
        event_type=storable(str(document.get("event_type", "")), length=100),
    )


def _uuid(value: object) -> UUID | None:
    """Only the usual form with dashes: `UUID()` itself would accept braces and prefixes."""
    try:
        parsed = UUID(str(value))
    except ValueError:
        return None
    return parsed if str(parsed) == str(value).lower() else None
