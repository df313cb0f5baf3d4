"""What happened at Credly, taken over here.

A webhook is only a hint: no signature exists, so its body is not believed. The event it names is
fetched from Credly with the organization's key, and only what was fetched counts.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import attrs
import structlog
from django.db import transaction

from credentials.database import locked, storable
from credentials.issuances import SETTLED_WITHOUT
from credentials.models import BadgeTemplate, CredlyOrganization, CredlyWebhook, Issuance
from credentials.providers.credly import account, takeover, templates
from credentials.providers.credly.provider import external
from credentials.retry import backoff
from credentials.secrets import UndecryptableError
from credly_client.errors import CredlyError, NotFound
from credly_client.types import Event, IssuedBadge

log = structlog.get_logger(__name__)

State = CredlyWebhook.State
_BADGE_EVENTS: Final = frozenset(
    {"badge.created", "badge.state.changed", "badge.privacy.changed", "badge.deleted"}
)
_LEASE: Final = timedelta(minutes=2)
# Credly got its 200 and will not send it again, so a webhook lasts as long as an issuance does:
# 25 attempts take about five days. One that Credly does not know is not worth as many.
_MAX_ATTEMPTS: Final = 25
_MAX_ATTEMPTS_UNKNOWN: Final = 12
_UNKNOWN_BADGE_TRIES: Final = 4
_FIRST_WAIT: Final = timedelta(seconds=2)
_LONGEST_WAIT: Final = timedelta(hours=12)
_PAUSED_WAIT: Final = timedelta(minutes=5)


class NotYetError(Exception):
    """Nothing can be done with it now; try again later."""


class AccountPausedError(Exception):
    """The account is out of order; not this webhook's fault."""


def work_due(*, clock: Callable[[], datetime], limit: int = 500) -> int:
    keys = CredlyWebhook.objects.filter(next_attempt_at__lte=clock()).order_by("next_attempt_at")
    return sum(work(key, clock=clock) for key in list(keys.values_list("pk", flat=True)[:limit]))


def work(webhook_id: int, *, clock: Callable[[], datetime]) -> bool:
    """Fetch the event of one stored webhook and take it over. False when it was not due."""
    now = clock()
    row = CredlyWebhook.objects.filter(pk=webhook_id, next_attempt_at__lte=now).first()
    if row is None:
        return False
    claimed = CredlyWebhook.objects.filter(pk=row.pk, next_attempt_at=row.next_attempt_at).update(
        next_attempt_at=now + _LEASE, attempts=row.attempts + 1
    )
    if not claimed:
        return False
    row.attempts += 1
    try:
        row.state, row.outcome = _take_over(row, now=now)
        row.next_attempt_at = None
    except AccountPausedError as error:
        _wait_for_account(row, error, now=clock())
    except (NotYetError, CredlyError) as error:
        _fail(row, error, now=clock())
    except Exception as error:
        log.exception("webhook failed", webhook=row.pk)
        _fail(row, error, now=clock())
    row.save()
    log.info("webhook", webhook=row.pk, type=row.event_type, state=row.state)
    return True


def _wait_for_account(row: CredlyWebhook, error: Exception, *, now: datetime) -> None:
    row.state, row.outcome = State.FAILED, str(error)
    row.attempts -= 1
    row.next_attempt_at = now + _PAUSED_WAIT


def _fail(row: CredlyWebhook, error: Exception, *, now: datetime) -> None:
    row.outcome = str(error) or repr(error)
    unknown = isinstance(error, NotYetError)
    if row.attempts >= (_MAX_ATTEMPTS_UNKNOWN if unknown else _MAX_ATTEMPTS):
        row.state, row.next_attempt_at = State.DEAD, None
        return
    row.state = State.FAILED
    row.next_attempt_at = now + backoff(row.attempts, first=_FIRST_WAIT, longest=_LONGEST_WAIT)


def _take_over(row: CredlyWebhook, *, now: datetime) -> tuple[str, str]:
    organization = CredlyOrganization.objects.filter(uuid=row.organization_id).first()
    if organization is None:
        return State.IGNORED, "The organization is not configured here any more."
    event = _fetch(row, organization)
    if event.id != row.event_id or event.organization_id not in {None, organization.uuid}:
        return State.IGNORED, "The fetched event is another one, or another organization's."
    row.event_type = storable(event.event_type, length=100)
    if event.event_type.startswith("badge_template."):
        return _template_event(event, organization)
    if event.event_type in _BADGE_EVENTS:
        return _badge_event(event, organization, row, now=now)
    return State.IGNORED, f"Events of type {row.event_type} have no effect here."


def _fetch(row: CredlyWebhook, organization: CredlyOrganization) -> Event:
    """Raises AccountPausedError, NotYetError, CredlyError. A refused account is paused."""
    if organization.paused_reason:
        raise AccountPausedError(f"The account is paused: {organization.paused_reason}")
    try:
        with account.client(organization) as client:
            return client.get_event(row.event_id)
    except NotFound as error:
        raise NotYetError("Credly does not know this event (yet).") from error
    except (CredlyError, account.KeyMissingError, UndecryptableError) as error:
        if isinstance(error, CredlyError) and not error.account_wide:
            raise
        account.pause(organization, reason=str(error))
        raise AccountPausedError(f"The account is paused: {error}") from error


def _template_event(event: Event, organization: CredlyOrganization) -> tuple[str, str]:
    template = event.badge_template
    if template is None or template.owner_id not in {None, organization.uuid}:
        return State.IGNORED, "The event carries no template of this organization."
    if event.event_type == "badge_template.deleted":
        known = BadgeTemplate.objects.filter(uuid=template.id, organization=organization).first()
        if known is None:
            return State.IGNORED, "The deleted template is not known here."
        archived = templates.archive(known, why="It was deleted at Credly.", at=event.occurred_at)
        return State.DONE, f"Template {known.name}{' archived' if archived else ': unchanged'}."
    if template.updated_at is None:  # events come in any order: the newest decides
        template = attrs.evolve(template, updated_at=event.occurred_at)
    (outcome,) = templates.take_over(organization, [template])
    own = BadgeTemplate.objects.filter(uuid=template.id, organization=organization)
    for row in templates.without_picture(own):
        templates.fetch_picture(row)
    return State.DONE, f"Template {storable(template.name)}: {outcome}."


def _badge_event(
    event: Event, organization: CredlyOrganization, row: CredlyWebhook, *, now: datetime
) -> tuple[str, str]:
    badge = event.badge
    if badge is None or badge.template_owner_id not in {None, organization.uuid}:
        return State.IGNORED, "The event carries no badge of this organization."
    with transaction.atomic():
        issuance = _issuance_of(badge, organization)
        if issuance is None:
            if row.attempts < _UNKNOWN_BADGE_TRIES:
                # Perhaps the webhook was faster than the worker that issued it.
                raise NotYetError("No credential here has this badge (yet).")
            return State.IGNORED, f"No credential here has the badge {badge.id}."
        told = takeover.Told(
            there=external(badge),
            at=event.occurred_at or now,
            gone=event.event_type == "badge.deleted",
            public=badge.public,
            reason=badge.revocation_reason or "",
            event_id=event.id,
        )
        if not takeover.is_news(issuance, told):
            return State.IGNORED, "Nothing new: something later is known of this badge."
        return State.DONE, takeover.apply(issuance, told, now=now)


def _issuance_of(badge: IssuedBadge, organization: CredlyOrganization) -> Issuance | None:
    """The issuance that made the badge, locked: by the badge's id, else the one whose attempt to
    issue has no answer (yet) and that says who and what. Without the latter a badge that was
    revoked or rejected before its lost answer was looked up would be issued once more.
    """
    rows = locked(
        Issuance.objects.filter(provider="credly", credential__template__organization=organization)
    )
    known = rows.filter(external_id=str(badge.id)).first()
    if known is not None or not badge.issuer_earner_id:
        return known
    unanswered = rows.filter(
        external_id__isnull=True,
        started=True,
        credential__template__uuid=badge.template_id,
        credential__learner__uuid__in=_uuids(badge.issuer_earner_id),
    ).exclude(state__in=SETTLED_WITHOUT)
    found = list(unanswered[:2])
    if len(found) != 1:
        return None
    found[0].external_id = str(badge.id)
    return found[0]


def _uuids(text: str) -> list[UUID]:
    """Badges that somebody else issued carry names of any form."""
    try:
        return [UUID(text)]
    except ValueError:
        return []
