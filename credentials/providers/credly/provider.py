"""Issuing and revoking at Credly."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings

from credentials.models import CredlyOrganization, Issuance, Learner
from credentials.names import split_name
from credentials.providers.base import (
    AccountRefused,
    Counts,
    External,
    Notice,
    OneByOne,
    Permanent,
    ProviderError,
    Report,
    Retryable,
    UnknownOutcome,
)
from credentials.providers.credly import account, notices, templates
from credentials.secrets import UndecryptableError
from credly_client import errors
from credly_client.client import CredlyClient
from credly_client.requests import LARGEST_BATCH
from credly_client.types import BadgeRequest, BadgeState, IssuedBadge

State = Issuance.State
_STATES: Final[dict[str, str]] = {
    BadgeState.PENDING: State.PENDING,
    BadgeState.ACCEPTED: State.ACCEPTED,
    BadgeState.REJECTED: State.REJECTED,
    BadgeState.REVOKED: State.REVOKED,
}


class CredlyProvider:
    def check(self) -> Sequence[str]:
        url = settings.CREDLY_API_BASE_URL
        parts = urlsplit(url)
        if parts.scheme in {"http", "https"} and parts.netloc:
            return ()
        fault = (
            f"CREDLY_API_BASE_URL = {url!r} is no web address: use https://api.credly.com/v1/ or"
        )
        return (f"{fault} https://sandbox-api.credly.com/v1/.",)

    largest_batch = LARGEST_BATCH

    def calls_at_once(self) -> int:
        return int(settings.CREDLY_CALLS_AT_ONCE)

    def issue(self, issuance: Issuance) -> External:
        request = _request(issuance)
        with _calls(issuance) as client:
            try:
                return external(client.issue_badge(request))
            except errors.DuplicateBadge as error:
                found = _find(client, issuance)
                if found is None:
                    raise Permanent(
                        "Credly says the learner has this badge, but not from this service: "
                        f"{error}"
                    ) from error
                return found

    def issue_many(self, issuances: Sequence[Issuance]) -> Sequence[External | ProviderError]:
        answers: dict[int, External | ProviderError] = {}
        requests: dict[int, BadgeRequest] = {}
        for each in issuances:
            try:
                requests[each.pk] = _request(each)
            except Permanent as error:
                answers[each.pk] = error
        if requests:
            try:
                answers |= _issue_batch(issuances[0], requests)
            except ProviderError as error:
                answers |= dict.fromkeys(requests, error)
        return [answers[each.pk] for each in issuances]

    def find(self, issuance: Issuance) -> External | None:
        with _calls(issuance) as client:
            return _find(client, issuance)

    def revoke(self, issuance: Issuance) -> External:
        reason = issuance.credential.revocation_reason or "The requirements are no longer met."
        with _calls(issuance) as client:
            try:
                return external(client.revoke_badge(str(issuance.external_id), reason=reason))
            except errors.NotFound:
                # A wrong base URL answers 404 as well: believe it only of an API that knows us.
                client.get_organization()
                return External(id=str(issuance.external_id), state=State.GONE)
            except errors.ValidationFailed:
                badge = client.get_badge(str(issuance.external_id))
                if badge.state != BadgeState.REVOKED:
                    raise
                return external(badge)

    def is_paused(self, issuance: Issuance) -> bool:
        organization = issuance.credential.template.organization
        return organization is not None and organization.is_paused

    def sync_templates(
        self, organization: CredlyOrganization, *, clock: Callable[[], datetime], report: Report
    ) -> Counts:
        return templates.sync(organization, clock=clock, report=report)

    def parse_webhook(self, body: bytes) -> Notice:
        return notices.parse(body)


def _request(issuance: Issuance) -> BadgeRequest:
    """Raises Permanent."""
    learner = issuance.credential.learner
    if not learner.email:
        raise Permanent("The learner has no e-mail address, and Credly cannot issue without.")
    first, last = split_name(issuance.credential.issued_name, learner.username)
    return BadgeRequest(
        template_id=issuance.credential.template.uuid,
        recipient_email=learner.email,
        first_name=first,
        last_name=last,
        issued_at=issuance.credential.awarded_at,
        issuer_earner_id=str(learner.uuid),
    )


def _issue_batch(
    issuance: Issuance, requests: Mapping[int, BadgeRequest]
) -> Mapping[int, External | ProviderError]:
    """In the name of the organization of `issuance`; by key of the issuances. Raises ProviderError
    for all of them.
    """
    with _calls(issuance) as client:
        try:
            badges = client.issue_badges(list(requests.values()))
        except errors.Refused as error:
            raise OneByOne(str(error)) from error
    return {key: external(badge) for key, badge in zip(requests, badges, strict=True)}


def external(badge: IssuedBadge) -> External:
    """A state that Credly invented since counts as pending: there is a badge, nothing to do."""
    return External(
        id=str(badge.id),
        state=_STATES.get(badge.state, State.PENDING),
        url=badge.badge_url or badge.accept_badge_url or "",
        as_of=badge.state_updated_at,
    )


def _find(client: CredlyClient, issuance: Issuance) -> External | None:
    learner: Learner = issuance.credential.learner
    badges = client.find_badges(
        issuer_earner_id=str(learner.uuid),
        template_id=issuance.credential.template.uuid,
    )
    found = (external(badge) for badge in badges if str(badge.id) not in issuance.taken)
    return next(found, None)


@contextmanager
def _calls(issuance: Issuance) -> Iterator[CredlyClient]:
    """A client for the issuance's organization; Credly's errors become the provider's."""
    organization = issuance.credential.template.organization
    if organization is None:
        raise Permanent("The template names no Credly organization.")
    try:
        yield account.client(organization, session=account.session())
    except (account.KeyMissingError, UndecryptableError) as error:
        raise AccountRefused(str(error)) from error
    except errors.CredlyError as error:
        raise _translate(error) from error


def _translate(error: errors.CredlyError) -> ProviderError:
    if error.account_wide:
        return AccountRefused(str(error))
    if error.outcome_unknown:
        return UnknownOutcome(str(error), after=error.retry_after)
    if error.permanent:
        return Permanent(str(error))
    return Retryable(str(error), after=error.retry_after)
