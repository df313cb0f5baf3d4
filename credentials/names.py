"""Which name a credential is issued in. Who decides is named in the setting NAME_RESOLVER."""

from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Final, Protocol, cast

import attrs
from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from credentials.models import Issuance, Learner, UserCredential

_LENGTH: Final = 100  # what Credly takes of each


@attrs.frozen
class ResolvedName:
    """`source`: verified, profile or username; empty, as the name, when nothing is known."""

    name: str
    source: str


class Resolver(Protocol):
    def __call__(
        self, learner: Learner, *, policy: str, now: datetime, or_username: bool = True
    ) -> ResolvedName | None:
        """None: the policy allows no name that is known, so nothing may be issued yet."""


@cache
def resolver() -> Resolver:
    return cast("Resolver", import_string(settings.NAME_RESOLVER))


def ensure_issued_name(issuance: Issuance, *, clock: Callable[[], datetime]) -> bool:
    """Fix the name of the issuance's credential before its first provider is called; False when
    the policy allows no name yet, and then the issuance is held.

    The name of a credential is fixed once, so that every provider and every later try tells the
    same. Opens a transaction and locks the learner: an approval, which releases what is held, is
    either seen here or sees the held row.
    """
    credential = issuance.credential
    if credential.issued_name_source:
        return True
    with transaction.atomic():
        learner = Learner.objects.select_for_update().get(pk=credential.learner_id)
        fixed = UserCredential.objects.filter(pk=credential.pk).values_list(
            "issued_name", "issued_name_source"
        )
        name, source = fixed.get()
        if not source:
            policy = credential.template.name_policy
            found = resolver()(learner, policy=policy, now=clock())
            if found is None:
                _hold(issuance)
                return False
            name, source = found.name, found.source
            fixed.update(issued_name=name, issued_name_source=source)
    credential.issued_name, credential.issued_name_source = name, source
    return True


def _hold(issuance: Issuance) -> None:
    """Unless something else came to be wanted meanwhile."""
    Issuance.objects.filter(
        pk=issuance.pk, wanted=issuance.wanted, next_attempt_at=issuance.next_attempt_at
    ).update(state=Issuance.State.HELD, next_attempt_at=None)


def split_name(name: str, username: str = "") -> tuple[str, str]:
    """First and last name, for providers that demand both: the last word is the last name, all
    before it the first; a mononym, or a name written without spaces, stands in both places;
    without a name the username does. Each is cut at 100 characters.
    """
    words = (name.strip() or username.strip() or "Learner").split()
    first = " ".join(words[:-1]) or words[0]
    return first[:_LENGTH], words[-1][:_LENGTH]
