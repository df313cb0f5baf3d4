"""Calling the provider: no database here, so it may run in a thread.

Note [What a provider says]
    Anybody can plug one in. What cannot be recorded is found here, where it spoils nothing but its
    own badge. Nobody knows what such a call has done, so the provider is asked before it is called
    again, and a person sees why.

Note [A call begins with its lease]
    The lease is as long as a call may take, not longer. So a thread that comes to its job late (the
    machine slept, there were more calls than threads) does not call: another worker may have, or
    may begin to before the call ends.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import attrs
import structlog
from django.utils.timezone import is_aware

from credentials import journal
from credentials.database import storable
from credentials.issuances import SETTLED_WITH, SETTLED_WITHOUT
from credentials.issuing.claims import LEASE, Job
from credentials.issuing.plan import Action
from credentials.models import Issuance
from credentials.providers.base import (
    External,
    IssuesMany,
    OneByOne,
    Permanent,
    Provider,
    ProviderError,
    UnknownOutcome,
)

log = structlog.get_logger(__name__)

State = Issuance.State
Answer = External | ProviderError
_REVOKING: Final = frozenset({Action.REVOKE, Action.LOOK_THEN_REVOKE})
_AT_ONCE: Final = timedelta(seconds=30)
_LONGEST_ID: Final = 255
_LONGEST_URL: Final = 1000


class InternalError(UnknownOutcome):
    """A bug, of a provider or around it. It must not stop the others; it is shown, and the badge
    looked for.
    """


def perform(job: Job, *, now: datetime) -> Sequence[Answer]:
    """For each issuance of the job what the provider holds now, or what went wrong. See Note [A
    call begins with its lease].
    """
    if job.action is Action.CANCEL:
        return [External(id="", state=State.CANCELLED) for _ in job.issuances]
    if job.action is Action.NOTHING:
        return [
            External(id=each.external_id or "", state=each.state, url=each.external_url)
            for each in job.issuances
        ]
    told: ProviderError
    try:
        return _ask(job, now=now)
    except OneByOne as error:
        # Of a call that was for one already it says no more than that it failed.
        told = error if len(job.issuances) > 1 else UnknownOutcome(str(error))
    except ProviderError as error:
        told = error
    except Exception as error:
        keys = [each.pk for each in job.issuances]
        log.exception("provider failed", issuances=keys, provider=job.account.provider)
        told = InternalError(f"Internal error: {error!r}")
    return [told for _ in job.issuances]


def _ask(job: Job, *, now: datetime) -> Sequence[Answer]:
    """Raises ProviderError, and whatever the bugs of a provider raise."""
    if job.provider is None:
        raise Permanent(f"No provider {job.account.provider!r} is configured.")
    if any(_comes_late(each, now=now) for each in job.issuances):
        raise InternalError("The worker came to it too late.")
    answers = _call(job.provider, job)
    if len(answers) != len(job.issuances):
        raise InternalError(
            f"The provider answered for {len(answers)} badges of {len(job.issuances)}."
        )
    return [_as_recorded(each, job.action) for each in answers]


def _comes_late(issuance: Issuance, *, now: datetime) -> bool:
    until = issuance.leased_until
    return until is None or until - now < LEASE - _AT_ONCE


def _call(provider: Provider, job: Job) -> Sequence[Answer]:
    if len(job.issuances) > 1 and isinstance(provider, IssuesMany):
        return provider.issue_many(job.issuances)
    (issuance,) = job.issuances
    cause = journal.cause_of(
        issuance.credential, revoked=issuance.wanted == Issuance.Wanted.REVOKED
    )
    with structlog.contextvars.bound_contextvars(correlation_id=cause):
        return [_single(provider, issuance, job.action)]


def _single(provider: Provider, issuance: Issuance, action: Action) -> External:
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


def _as_recorded(answer: object, action: Action) -> Answer:
    """See Note [What a provider says]. An address or a time that is no good is left out."""
    if isinstance(answer, ProviderError):
        return answer
    if not isinstance(answer, External):
        return InternalError(f"The provider answered with {type(answer).__name__}, not External.")
    if answer.state not in SETTLED_WITH | SETTLED_WITHOUT:
        return InternalError(f"The provider told a state that no badge has there: {answer.state!r}")
    if action in _REVOKING and answer.state in SETTLED_WITH:
        return UnknownOutcome(f"After it was revoked the badge is still {answer.state}.")
    if not _is_text(answer.id, longest=_LONGEST_ID) or (
        not answer.id and answer.state in SETTLED_WITH
    ):
        return InternalError(f"The provider told an id that cannot be kept: {answer.id!r:.100}")
    return attrs.evolve(
        answer,
        url=answer.url if _is_text(answer.url, longest=_LONGEST_URL) else "",
        as_of=answer.as_of if answer.as_of is not None and is_aware(answer.as_of) else None,
    )


def _is_text(value: object, *, longest: int) -> bool:
    return isinstance(value, str) and len(value) <= longest and storable(value) == value
