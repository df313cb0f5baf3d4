"""News of the credentials app. Ids are the keys of the rows; `event_id` is the event that did it,
None when it was somebody by hand, the provider, or an edit of the rules.
"""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from service_signals import ServiceSignal

_CREDENTIAL: Final[dict[str, Any]] = {
    "credential_id": int,
    "credential_uuid": UUID,
    "learner_id": int,
    "template_id": int,
    "event_id": UUID | None,
    "at": datetime,
}
# `wanted` is issued or revoked, `state` where that led.
_ISSUANCE: Final[dict[str, Any]] = {
    "issuance_id": int,
    "credential_id": int,
    "provider": str,
    "wanted": str,
    "state": str,
    "event_id": UUID | None,
}

credential_awarded = ServiceSignal("credential_awarded", provides=_CREDENTIAL)
credential_revoked = ServiceSignal("credential_revoked", provides=_CREDENTIAL)
# Carried out at the provider; given up. A try that failed and will be repeated is no news.
issuance_done = ServiceSignal("issuance_done", provides=_ISSUANCE)
issuance_failed = ServiceSignal("issuance_failed", provides=_ISSUANCE)
