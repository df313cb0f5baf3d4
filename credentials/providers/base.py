"""What a provider can do, and how it says what went wrong.

A provider is a class named in the setting PROVIDERS. It is made without arguments, holds no
state, and every call may take as long as its time-outs say: none is made inside a transaction.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Protocol

import attrs
from django.conf import settings
from django.utils.module_loading import import_string

from credentials.models import Issuance


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

    def issue(self, issuance: Issuance) -> External:
        """Issue the credential. Called when nothing was sent before, or `find` found nothing."""

    def find(self, issuance: Issuance) -> External | None:
        """The badge that an earlier attempt may have made; None when there is none."""

    def revoke(self, issuance: Issuance) -> External:
        """Revoke the badge `issuance.external_id`; one that is revoked already is returned."""

    def is_paused(self, issuance: Issuance) -> bool:
        """Is the account behind this issuance out of order, so that no call makes sense?"""


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


@cache
def providers() -> Mapping[str, Provider]:
    """The configured providers by name."""
    return {name: import_string(path)() for name, path in settings.PROVIDERS.items()}
