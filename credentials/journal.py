"""A line in the log for each award and revocation, under the id of the event that caused it: from
the message to the provider, one search finds all. Ids only, never names or addresses.
"""

import logging
from collections.abc import Sequence

import structlog

from credentials.lifecycle import Change, Verb
from credentials.models import UserCredential

log = structlog.get_logger(__name__)
_asked = logging.getLogger(__name__)


def tell(changes: Sequence[Change]) -> None:
    """Call it once the changes are committed."""
    if not _asked.isEnabledFor(logging.INFO):
        return
    for each in changes:
        credential = each.credential
        awarded = each.verb is Verb.AWARDED
        log.info(
            "badge awarded" if awarded else "badge revoked",
            correlation_id=cause_of(credential, revoked=not awarded),
            credential=str(credential.uuid),
            learner=credential.learner_id,
            template=credential.template_id,
        )


def cause_of(credential: UserCredential, *, revoked: bool) -> str | None:
    """The event on whose behalf it was awarded or revoked; None: not by an event."""
    cause = credential.revoked_by_event if revoked else credential.awarded_by_event
    return None if cause is None else str(cause)
