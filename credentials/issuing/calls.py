"""Calling the provider: no database here, so it may run in a thread."""

from collections.abc import Sequence

import structlog

from credentials import journal
from credentials.issuing.claims import Job
from credentials.issuing.plan import Action
from credentials.models import Issuance
from credentials.providers.base import (
    External,
    IssuesMany,
    Permanent,
    Provider,
    ProviderError,
    UnknownOutcome,
)

log = structlog.get_logger(__name__)

State = Issuance.State
Answer = External | ProviderError


class InternalError(UnknownOutcome):
    """A bug of a provider. It must not stop the others; it is shown and tried again."""


def perform(job: Job) -> Sequence[Answer]:
    """For each issuance of the job what the provider holds now, or what went wrong."""
    if job.action is Action.CANCEL:
        return [External(id="", state=State.CANCELLED) for _ in job.issuances]
    if job.action is Action.NOTHING:
        return [
            External(id=each.external_id or "", state=each.state, url=each.external_url)
            for each in job.issuances
        ]
    if job.provider is None:
        error = f"No provider {job.account.provider!r} is configured."
        return [Permanent(error) for _ in job.issuances]
    try:
        return _call(job.provider, job)
    except ProviderError as error:
        return [error for _ in job.issuances]
    except Exception as error:
        keys = [each.pk for each in job.issuances]
        log.exception("provider failed", issuances=keys, provider=job.account.provider)
        return [InternalError(f"Internal error: {error!r}") for _ in job.issuances]


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
