"""Carrying out issuances: the worker moves the state at the provider towards what is wanted.

Note [Claim, call, record]
    A row is claimed by compare-and-swap: it is leased, and its next attempt moves as far ahead.
    Then the provider is called, outside any transaction. Then the result is recorded. A worker
    that dies in the middle leaves a row that is due again when the lease ends, and `started` tells
    the next one that something may have been sent: it looks first. Looking while the call of
    another worker is still under way would find nothing yet, so the lease stands also when the
    row is made due meanwhile (wanted changed, somebody pressed "try again"). A worker that comes
    back after its lease ended records only what nobody knows better: a badge.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

import structlog
from django.db import transaction
from django.db.models import F, Q, QuerySet

from credentials import journal, names, news
from credentials.issuances import SETTLED_WITH, SETTLED_WITHOUT
from credentials.models import Issuance
from credentials.providers.base import (
    AccountRefused,
    External,
    Permanent,
    Provider,
    Retryable,
    providers,
)
from credentials.retry import backoff

log = structlog.get_logger(__name__)

State = Issuance.State
Wanted = Issuance.Wanted
Clock = Callable[[], datetime]

LEASE: Final = timedelta(minutes=3)  # longer than the provider's time-outs together
MAX_ATTEMPTS: Final = 25
_FIRST_WAIT: Final = timedelta(seconds=5)
_LONGEST_WAIT: Final = timedelta(hours=12)  # 25 attempts take about a week
_PREDECESSOR_WAIT: Final = timedelta(seconds=30)


class Action(Enum):
    """What the worker has to do next for one issuance."""

    NOTHING = "nothing"
    ISSUE = "issue"
    LOOK_THEN_ISSUE = "look, then issue"
    REVOKE = "revoke"
    LOOK_THEN_REVOKE = "look, then revoke"
    CANCEL = "cancel"


_SENDING: Final = frozenset({Action.ISSUE, Action.LOOK_THEN_ISSUE})


def plan(*, wanted: str, state: str, started: bool, external_id: str | None) -> Action:
    """Pure: the next action. `started`: did an attempt to issue begin before?"""
    if wanted == Wanted.ISSUED:
        if state in SETTLED_WITH or state in SETTLED_WITHOUT:
            return Action.NOTHING
        return Action.LOOK_THEN_ISSUE if started else Action.ISSUE
    if state in SETTLED_WITHOUT:
        return Action.NOTHING
    if external_id:
        return Action.REVOKE
    return Action.LOOK_THEN_REVOKE if started else Action.CANCEL


def due(now: datetime) -> QuerySet[Issuance]:
    """What is due, without the accounts that are paused."""
    return Issuance.objects.filter(_is_free(now), next_attempt_at__lte=now).filter(
        Q(credential__template__organization__isnull=True)
        | Q(credential__template__organization__paused_reason="")
    )


def _is_free(now: datetime) -> Q:
    return Q(leased_until__isnull=True) | Q(leased_until__lte=now)


def carry_out_due(*, clock: Clock, limit: int = 1000) -> int:
    """Take up what is due, oldest first; returns how many were taken up."""
    keys = due(clock()).order_by("next_attempt_at", "id").values_list("pk", flat=True)
    return sum(carry_out(key, clock=clock) for key in list(keys[:limit]))


def carry_out(issuance_id: int, *, clock: Clock) -> bool:
    """Claim one issuance, call its provider, record what came of it. False when it was not due or
    somebody else has it. See Note [Claim, call, record]. Must not be called in a transaction.
    """
    now = clock()
    rows = Issuance.objects.select_related(
        "credential__learner", "credential__template__organization", "credential__replaces"
    )
    issuance = rows.filter(_is_free(now), pk=issuance_id, next_attempt_at__lte=now).first()
    if issuance is None:
        return False
    revoked = issuance.wanted == Wanted.REVOKED
    cause = journal.cause_of(issuance.credential, revoked=revoked)
    with structlog.contextvars.bound_contextvars(correlation_id=cause):
        return _carry_out(issuance, clock=clock)


def _carry_out(issuance: Issuance, *, clock: Clock) -> bool:
    now = clock()
    provider = providers().get(issuance.provider)
    if provider is not None and provider.is_paused(issuance):
        return False
    if _waits_for_predecessor(issuance):
        return _postpone(issuance, until=now + _PREDECESSOR_WAIT)
    action = plan(
        wanted=issuance.wanted,
        state=issuance.state,
        started=issuance.started,
        external_id=issuance.external_id,
    )
    if action in _SENDING and not names.ensure_issued_name(issuance, clock=clock):
        return False
    if not _claim(issuance, action, now=now):
        return False
    _record(issuance, action, _act(provider, issuance, action), clock=clock)
    return True


def _waits_for_predecessor(issuance: Issuance) -> bool:
    """A badge earned anew is not issued before all former ones are gone at the provider: looking
    for it would find a former one, and the provider would refuse it as a duplicate. Not only the
    last former one: that may have been cancelled while the one before it is still there.
    """
    credential = issuance.credential
    if credential.replaces_id is None or issuance.wanted == Wanted.REVOKED:
        return False
    rows = Issuance.objects.filter(
        provider=issuance.provider,
        credential__learner_id=credential.learner_id,
        credential__template_id=credential.template_id,
        credential_id__lt=credential.pk,
    )
    return rows.exclude(state__in=SETTLED_WITHOUT).exclude(state=State.DEAD).exists()


def _postpone(issuance: Issuance, *, until: datetime) -> bool:
    Issuance.objects.filter(pk=issuance.pk, next_attempt_at=issuance.next_attempt_at).update(
        next_attempt_at=until
    )
    return False


def _claim(issuance: Issuance, action: Action, *, now: datetime) -> bool:
    issuance.leased_until = now + LEASE
    return bool(
        Issuance.objects.filter(
            _is_free(now),
            pk=issuance.pk,
            next_attempt_at=issuance.next_attempt_at,
            wanted=issuance.wanted,
            state=issuance.state,
        ).update(
            next_attempt_at=issuance.leased_until,
            leased_until=issuance.leased_until,
            attempts=F("attempts") + 1,
            started=issuance.started or action in _SENDING,
        )
    )


def _act(provider: Provider | None, issuance: Issuance, action: Action) -> External | Exception:
    """What the provider holds now, or what went wrong."""
    if action is Action.NOTHING:
        return External(
            id=issuance.external_id or "", state=issuance.state, url=issuance.external_url
        )
    if action is Action.CANCEL:
        return External(id="", state=State.CANCELLED)
    if provider is None:
        return Permanent(f"No provider {issuance.provider!r} is configured.")
    try:
        return _call(provider, issuance, action)
    except (Retryable, Permanent, AccountRefused) as error:
        return error
    except Exception as error:
        # A bug of a provider must not stop the others; it is shown and tried again.
        log.exception("provider failed", issuance=issuance.pk, provider=issuance.provider)
        return Retryable(f"Internal error: {error!r}")


def _call(provider: Provider, issuance: Issuance, action: Action) -> External:
    """Raises the errors of credentials.providers.base."""
    if action is Action.REVOKE:
        return provider.revoke(issuance)
    found = None if action is Action.ISSUE else provider.find(issuance)
    if action is not Action.LOOK_THEN_REVOKE:
        return found or provider.issue(issuance)
    if found is None:
        return External(id="", state=State.CANCELLED)
    issuance.external_id = found.id
    return provider.revoke(issuance)


def _record(
    issuance: Issuance, action: Action, result: External | Exception, *, clock: Clock
) -> None:
    """Opens a transaction. Wanted may have changed while the provider was called: then the row
    stays due, with what was learned.
    """
    now = clock()
    with transaction.atomic():
        row = Issuance.objects.select_for_update().get(pk=issuance.pk)
        if row.leased_until != issuance.leased_until:
            if row.external_id or not isinstance(result, External) or not result.id:
                found = getattr(result, "id", None)
                log.warning("came back after its lease", issuance=row.pk, external_id=found)
                return
        else:
            row.leased_until = None
        if issuance.external_id and not row.external_id:
            row.external_id = issuance.external_id
        if isinstance(result, External):
            _succeed(row, result)
        else:
            _fail(row, result, now=now)
        if row.wanted != issuance.wanted:
            row.next_attempt_at = now
        row.save()
        news.tell_issuance(issuance, after=row)
    log.info(
        "issuance",
        issuance=row.pk,
        credential=str(issuance.credential.uuid),
        action=action.value,
        state=row.state,
        error=row.last_error or None,
    )


def _succeed(row: Issuance, result: External) -> None:
    row.external_id = result.id or row.external_id
    known = row.provider_state_at
    newer = known is None or result.as_of is None or result.as_of >= known
    if newer or result.state in SETTLED_WITHOUT:  # what is gone does not come back
        row.state = result.state  # else a webhook told something newer meanwhile
        row.external_url = result.url
        row.provider_state_at = result.as_of or known
    row.last_error = ""
    row.next_attempt_at = None


def _fail(row: Issuance, error: Exception, *, now: datetime) -> None:
    row.last_error = str(error)
    if isinstance(error, AccountRefused):
        # Not this badge's fault: it is due again as soon as the account is resumed.
        row.attempts = max(row.attempts - 1, 0)  # 0 when it was counted anew meanwhile
        row.next_attempt_at = now
        return
    if isinstance(error, Permanent) or row.attempts >= MAX_ATTEMPTS:
        row.state = State.DEAD
        row.next_attempt_at = None
        return
    row.state = State.ERROR
    wait = backoff(row.attempts, first=_FIRST_WAIT, longest=_LONGEST_WAIT)
    after = error.after if isinstance(error, Retryable) else None
    row.next_attempt_at = now + max(wait, timedelta(seconds=after or 0))


def try_again(rows: QuerySet[Issuance], *, now: datetime) -> int:
    """By hand, from admin: what is in error or dead is due now, with all attempts ahead."""
    return rows.filter(state__in=[State.ERROR, State.DEAD]).update(
        state=State.ERROR, attempts=0, next_attempt_at=now
    )
