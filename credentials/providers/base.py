"""What a provider can do, and how it says what went wrong.

A provider is a class named in the setting PROVIDERS. It is made without arguments, holds no
state, and every call may take as long as its time-outs say: none is made inside a transaction.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Protocol, runtime_checkable
from uuid import UUID

import attrs
from django.conf import settings
from django.utils.module_loading import import_string

from credentials.models import CredlyOrganization, Issuance


@attrs.frozen
class External:
    """A badge as the provider holds it. `state` is one of Issuance.State, `as_of` the time since
    when, if the provider tells.
    """

    id: str
    state: str
    url: str = ""
    as_of: datetime | None = None


class Provider(Protocol):
    """Every call raises only the errors below."""

    def check(self) -> Sequence[str]:
        """What is wrong with the settings, one sentence each. Calls nobody; `manage.py check`."""

    def issue(self, issuance: Issuance) -> External:
        """Issue the credential. Called when nothing was sent before, or `find` found nothing."""

    def find(self, issuance: Issuance) -> External | None:
        """The badge that an earlier attempt may have made, none of `issuance.taken`; None when
        there is none.
        """

    def revoke(self, issuance: Issuance) -> External:
        """Revoke the badge `issuance.external_id`; one that is revoked already is returned."""

    def is_paused(self, issuance: Issuance) -> bool:
        """Is the account behind this issuance out of order, so that no call makes sense?"""


@runtime_checkable
class TakesManyCalls(Protocol):
    """A provider beyond the network, that many calls may be made to at the same time. They are
    made in threads, so `issue`, `find` and `revoke` do not touch the database. Without this the
    worker makes one call after the other, in its own thread.
    """

    def calls_at_once(self) -> int:
        """Of one account and one worker process."""


@runtime_checkable
class IssuesMany(Protocol):
    """A provider that issues many credentials in one call."""

    largest_batch: int

    def issue_many(self, issuances: Sequence[Issuance]) -> "Sequence[External | ProviderError]":
        """For each, in their order, what `issue` would return or raise; one error of the call as a
        whole may be raised instead. Called with at most `largest_batch` issuances of one account
        for which nothing was sent before.
        """


Counts = Mapping[str, int]
Report = Callable[[Counts], None]
"""Takes the counts so far; long work calls it after each page."""


@runtime_checkable
class SyncsTemplates(Protocol):
    """A provider at which templates are made, and from which they are taken over."""

    def sync_templates(
        self, organization: CredlyOrganization, *, clock: Callable[[], datetime], report: Report
    ) -> Counts:
        """Take over every template; returns what became of them, in numbers."""


@attrs.frozen
class Notice:
    """What a webhook claims: a hint to ask the provider, believed in nothing. None: it names
    none, or in a form that no id has.
    """

    event_id: UUID | None
    organization_id: UUID | None
    event_type: str


class BadNoticeError(ValueError):
    """The body of a webhook cannot be a notice; the message says why."""


@runtime_checkable
class ParsesWebhooks(Protocol):
    """A provider that calls back."""

    def parse_webhook(self, body: bytes) -> Notice:
        """Raises BadNoticeError."""


class ProviderError(Exception):
    """Root of the tree; the message is shown in admin, without personal data."""


class Retryable(ProviderError):  # noqa: N818 -- named for what the caller does about it
    """Nothing was done, a later try may succeed. `after`: seconds the provider asked to wait."""

    def __init__(self, message: str, *, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


class UnknownOutcome(Retryable):
    """The call may have been carried out: look it up before it is sent again."""


class OneByOne(UnknownOutcome):
    """The batch was refused, perhaps because of a single one in it. Each is looked up and sent
    alone, at once and uncharged.
    """


class Permanent(ProviderError):  # noqa: N818 -- see Retryable
    """No later try of the same can succeed; a person has to look."""


class AccountRefused(ProviderError):  # noqa: N818 -- see Retryable
    """The account is refused, not this badge. The worker pauses the organization, if the template
    has one; the issuance waits, uncharged, until it is resumed (without one: half a minute).
    """


def providers() -> Mapping[str, Provider]:
    """The configured providers by name."""
    return _made(tuple(settings.PROVIDERS.items()))


def syncing() -> Mapping[str, SyncsTemplates]:
    """The configured providers that templates are taken over from, by name."""
    return {name: each for name, each in providers().items() if isinstance(each, SyncsTemplates)}


def calling_back() -> Mapping[str, ParsesWebhooks]:
    """The configured providers that send webhooks, by name."""
    return {name: each for name, each in providers().items() if isinstance(each, ParsesWebhooks)}


def calls_at_once(provider: object) -> int | None:
    """None: the provider does not take many, and only in the thread that asks."""
    return provider.calls_at_once() if isinstance(provider, TakesManyCalls) else None


def largest_batch(provider: object) -> int:
    return provider.largest_batch if isinstance(provider, IssuesMany) else 1


@cache
def _made(paths: tuple[tuple[str, str], ...]) -> Mapping[str, Provider]:
    return {name: import_string(path)() for name, path in paths}
