"""Where a badge at Credly and its issuance here disagree, pure: both sides in, a verdict out."""

from datetime import datetime
from typing import Final

import attrs

from credentials.issuances import SETTLED_WITHOUT
from credentials.models import Difference, Issuance
from credentials.providers.credly.provider import external
from credly_client.types import HELD, BadgeState, IssuedBadge

Kind = Difference.Kind
State = Issuance.State

FIXES: Final[dict[str, str]] = {
    Kind.REVOKED_THERE: "The credential is revoked, as the webhook would have done.",
    Kind.GONE_THERE: "The credential is revoked: the badge was deleted at Credly.",
    Kind.NEVER_ISSUED: "Issuing is tried again, after looking whether the badge is there.",
    Kind.LIVE_THERE: "The badge is revoked at Credly.",
    Kind.OTHER_STATE: "The state of Credly is taken over.",
    Kind.UNRECORDED: "The badge is taken over, with its id and state.",
}
"""What fixing does, by kind. The other kinds are for a person to decide on."""


@attrs.frozen
class Here:
    """What is known here of one issuance. `busy`: a worker is at it, or will be."""

    external_id: str | None
    wanted: str
    state: str
    state_at: datetime | None
    busy: bool
    email: str = attrs.field(default="", repr=False)

    @classmethod
    def of(cls, issuance: Issuance, *, now: datetime) -> "Here":
        leased = issuance.leased_until is not None and issuance.leased_until > now
        return cls(
            external_id=issuance.external_id,
            wanted=issuance.wanted,
            state=issuance.state,
            state_at=issuance.provider_state_at,
            busy=leased or issuance.next_attempt_at is not None,
            email=issuance.credential.learner.email,
        )


def judge(here: Here | None, badge: IssuedBadge | None) -> Kind | None:
    """None: they agree, or a worker is about to see to it. `here` is None for a badge that nobody
    here accounts for, `badge` for one that Credly does not have.
    """
    if here is None:
        return Kind.UNKNOWN_HERE if badge is not None and _is_held(badge) else None
    if here.busy:
        return None
    revoked_here = here.wanted == Issuance.Wanted.REVOKED or here.state in SETTLED_WITHOUT
    if badge is None:
        return None if revoked_here else _missing_there(here)
    if revoked_here:
        if badge.state == BadgeState.REVOKED and here.state not in SETTLED_WITHOUT:
            return Kind.OTHER_STATE
        return Kind.LIVE_THERE if _is_held(badge) else None
    return _both_issued(here, badge)


def _missing_there(here: Here) -> Kind | None:
    if here.external_id is not None:
        return Kind.GONE_THERE
    return Kind.NEVER_ISSUED if here.state == State.DEAD else None


def _both_issued(here: Here, badge: IssuedBadge) -> Kind | None:
    if badge.replacement_badge_id is not None:
        return None  # replaced by hand at Credly: the new one counts
    told = badge.state_updated_at
    is_old = told is not None and here.state_at is not None and told < here.state_at
    if here.external_id is None:
        return Kind.UNRECORDED
    if badge.state == BadgeState.REVOKED:
        return None if is_old else Kind.REVOKED_THERE
    if external(badge).state != here.state:
        return None if is_old else Kind.OTHER_STATE
    there = (badge.recipient_email or "").lower()
    if _is_held(badge) and there and here.email and there != here.email.lower():
        return Kind.OTHER_EMAIL
    return None


def _is_held(badge: IssuedBadge) -> bool:
    return badge.state in HELD and badge.replacement_badge_id is None
