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
        """The badge that an earlier attempt may have made; None when there is none."""

    def revoke(self, issuance: Issuance) -> External:
        """Revoke the badge `issuance.external_id`; one that is revoked already is returned."""

    def is_paused(self, issuance: Issuance) -> bool:
        """Is the account behind this issuance out of order, so that no call makes sense?"""


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


class Permanent(ProviderError):  # noqa: N818 -- see Retryable
    """No later try of the same can succeed; a person has to look."""


class AccountRefused(ProviderError):  # noqa: N818 -- see Retryable
    """The account is refused, not this badge. The provider has paused the account; the issuance
    waits, uncharged, until it is resumed.
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


@cache
def _made(paths: tuple[tuple[str, str], ...]) -> Mapping[str, Provider]:
    return {name: import_string(path)() for name, path in paths}
