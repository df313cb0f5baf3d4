"""Taking over what Credly says of one badge, whether a webhook or a comparison brought it."""

from datetime import datetime
from uuid import UUID

import attrs
from django.db import transaction

from credentials import dispatch, issuances, lifecycle, outbox
from credentials.database import storable
from credentials.issuances import SETTLED_WITHOUT
from credentials.lifecycle import Change, Origin, Verb
from credentials.models import Issuance, UserCredential
from credentials.providers.base import External

_ADDRESS_LENGTH = 1000


@attrs.frozen
class Told:
    """What Credly says of a badge, and when that came to be. `gone`: it was deleted there."""

    there: External
    at: datetime
    gone: bool = False
    public: bool | None = None
    reason: str = attrs.field(default="", repr=False)
    event_id: UUID | None = None


def is_news(issuance: Issuance, told: Told) -> bool:
    """False when something later is known, or the badge is known to be no more: it does not come
    back.
    """
    if issuance.provider_state_at is not None and told.at < issuance.provider_state_at:
        return False
    ended = issuance.state in {Issuance.State.REVOKED, Issuance.State.GONE}
    return not ended or told.gone or told.there.state in SETTLED_WITHOUT


def apply(issuance: Issuance, told: Told, *, now: datetime) -> str:
    """The issuance takes the state; a badge that is no more takes its credential with it, and no
    call goes back to Credly. One whose revocation was given up is revoked after all. Requires a
    transaction and the issuance locked; returns what was done.
    """
    issuance.state = Issuance.State.GONE if told.gone else told.there.state
    url = storable(told.there.url)
    issuance.external_url = url if len(url) <= _ADDRESS_LENGTH else ""
    issuance.provider_state_at = told.at
    if told.public is not None:
        issuance.public = told.public
    if issuance.state in SETTLED_WITHOUT:
        issuance.wanted = Issuance.Wanted.REVOKED
        issuance.next_attempt_at = None
        issuance.last_error = ""
    elif issuance.wanted == Issuance.Wanted.REVOKED and issuance.next_attempt_at is None:
        issuance.attempts, issuance.next_attempt_at = 0, now
        transaction.on_commit(lambda: dispatch.carry_out([issuance.pk]))
    issuance.save()
    if issuance.state not in SETTLED_WITHOUT:
        shown = {None: "", True: ", shown to everybody", False: ", private"}[issuance.public]
        return f"The badge is {issuance.state}{shown}."
    credential = UserCredential.objects.select_for_update().get(pk=issuance.credential_id)
    if not credential.live:
        return f"The badge is {issuance.state}; the credential was revoked before."
    reason = "Deleted at Credly." if told.gone else storable(told.reason) or "Revoked at Credly."
    lifecycle.revoke(
        credential, at=told.at, event_id=told.event_id, reason=reason, origin=Origin.PROVIDER
    )
    changes = [Change(Verb.REVOKED, credential, told.at)]
    lifecycle.save(changes)
    issuances.want(changes, now=now)  # at the other providers; here it is settled
    outbox.announce(changes)
    return f"The badge is {issuance.state}; the credential is revoked."
