"""How long an organization's key lives, and rotating it at Credly.

Note [Rotation]
    Credly makes a new key and lets the old one die in the same moment. So the call is made only
    once the database has shown that it can be written: it marks the row first. An answer with
    the new key is stored in one statement, which replaces the old key and the mark together. An
    answer that is lost, or that holds no key, is looked into with the old key: if that still
    opens the account, nothing happened; if it is refused, the new key exists but only Credly
    knows it, the account is paused, and a person copies the key from there. The mark stays as
    long as the outcome is not known.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

import attrs
import structlog
from django.db.models import QuerySet

from credentials.models import CredlyOrganization
from credentials.providers.credly import account
from credentials.secrets import UndecryptableError
from credly_client.client import CredlyClient
from credly_client.errors import CredlyError

log = structlog.get_logger(__name__)

LIFE: Final = timedelta(days=180)
WARNING: Final = timedelta(days=30)
_LOST: Final = (
    "The key was rotated at Credly, but the answer with the new one was lost. "
    "Copy the new key from the organization's settings at Credly and enter it here."
)


class Rotation(Enum):
    """What came of it."""

    DONE = "done"
    REFUSED = "refused"  # nothing changed
    LOST = "lost"  # there is a new key, and only Credly knows it
    UNKNOWN = "unknown"


@attrs.frozen
class RotationResult:
    rotation: Rotation
    text: str


def expires_at(organization: CredlyOrganization) -> datetime | None:
    """As Credly said; else at the latest, counted from when it was entered; None: not known."""
    if organization.api_key_expires_at is not None:
        return organization.api_key_expires_at
    set_at = organization.api_key_set_at
    return None if organization.api_key_env or set_at is None else set_at + LIFE


def days_left(organization: CredlyOrganization, *, now: datetime) -> int | None:
    """Whole days, negative once it is over; None: not known."""
    end = expires_at(organization)
    return None if end is None else (end - now).days


def expiring(
    rows: QuerySet[CredlyOrganization], *, now: datetime
) -> Iterator[tuple[CredlyOrganization, int]]:
    """Those whose key has 30 days or less, with the days that are left."""
    for each in rows.order_by("pk"):
        left = days_left(each, now=now)
        if left is not None and left <= WARNING.days:
            yield each, left


def ask_expiry(organization: CredlyOrganization) -> None:
    """Ask Credly when the key in use ends, and keep the answer; a Credly that does not say leaves
    what is known. Must not be called in a transaction.
    """
    try:
        key = account.api_key(organization)
        with account.client(organization, key=key) as client:
            found = [each for each in client.list_authorization_tokens() if each.token == key]
    except (CredlyError, account.KeyMissingError, UndecryptableError) as error:
        # Reading the list of keys is a right of its own; a key without it is a good key.
        log.info("key's end not known", organization=str(organization.uuid), error=str(error))
        return
    if found and found[0].expires_at is not None:
        CredlyOrganization.objects.filter(
            pk=organization.pk,
            api_key_encrypted=organization.api_key_encrypted,
            api_key_env=organization.api_key_env,
        ).update(api_key_expires_at=found[0].expires_at)


def rotate(organization: CredlyOrganization, *, clock: Callable[[], datetime]) -> RotationResult:
    """See Note [Rotation]. Must not be called in a transaction."""
    if organization.api_key_env:
        text = f"The key is in the variable {organization.api_key_env}: rotate it at Credly."
        return RotationResult(Rotation.REFUSED, text)
    own = CredlyOrganization.objects.filter(pk=organization.pk)
    try:
        with account.client(organization) as client:
            stored = own.filter(api_key_encrypted=organization.api_key_encrypted)
            if not stored.update(rotation_started_at=clock()):
                return RotationResult(Rotation.REFUSED, "The key was changed meanwhile.")
            try:
                token = client.rotate_authorization_token()
            except CredlyError as error:
                return _look_into(organization, error, client=client)
    except (account.KeyMissingError, UndecryptableError) as error:
        return RotationResult(Rotation.REFUSED, str(error))
    account.replace_key(
        organization, key=str(token.token), expires_at=token.expires_at, now=clock()
    )
    log.info("key rotated", organization=str(organization.uuid))
    return RotationResult(Rotation.DONE, "The key was rotated and the new one stored.")


def _look_into(
    organization: CredlyOrganization, error: CredlyError, *, client: CredlyClient
) -> RotationResult:
    """After a rotation that did not answer with a key: does the old one still open the account?"""
    own = CredlyOrganization.objects.filter(pk=organization.pk)
    try:
        client.get_organization()
    except CredlyError as second:
        if not second.account_wide:
            text = f"It is not known whether the key was rotated: {error} Then: {second}"
            return RotationResult(Rotation.UNKNOWN, text)
        lost = error.outcome_unknown
        account.pause(organization, reason=_LOST if lost else str(second))
        if lost:
            return RotationResult(Rotation.LOST, _LOST)
    own.update(rotation_started_at=None)
    return RotationResult(Rotation.REFUSED, f"Nothing was changed: {error}")
