"""Which name a credential is issued in. Who decides is named in the setting NAME_RESOLVER."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from functools import cache
from typing import Final, Protocol, cast

import attrs
from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from credentials import bulk
from credentials.models import DefinitionsVersion, Issuance, Learner, UserCredential

_LENGTH: Final = 100  # what Credly takes of each


@attrs.frozen
class ResolvedName:
    """`source`: verified, profile or username; empty, as the name, when nothing is known."""

    name: str
    source: str


class Resolver(Protocol):
    def __call__(
        self, asked: Sequence[tuple[Learner, str]], *, now: datetime
    ) -> Sequence[ResolvedName | None]:
        """The name of each learner under a policy. None: it allows no name that is known, so
        nothing may be issued yet. A number of queries that does not grow with the learners.
        """


@cache
def resolver() -> Resolver:
    return cast("Resolver", import_string(settings.NAME_RESOLVER))


def hold_back_without_name(
    issuances: Sequence[Issuance], *, clock: Callable[[], datetime]
) -> Collection[int]:
    """Fix the names of the issuances' credentials before their first provider is called; where the
    policy allows no name yet the issuance is held. Returns the keys of those.

    The name of a credential is fixed once, so that every provider and every later try tells the
    same. Opens a transaction and locks the definitions and the learners: an edit of the policy and
    an approval, which release what is held, are either seen here or see the held row.
    """
    unnamed = [each for each in issuances if not each.credential.issued_name_source]
    if not unnamed:
        return ()
    credentials = {each.credential_id: each.credential for each in unnamed}
    with transaction.atomic():
        DefinitionsVersion.lock_for_reading()  # before all other locks: see its note
        keys = {each.learner_id for each in credentials.values()}
        locked = Learner.objects.select_for_update().filter(pk__in=keys).order_by("pk")
        learners = {each.pk: each for each in locked}
        stored = UserCredential.objects.filter(pk__in=credentials).values_list(
            "pk", "issued_name", "issued_name_source", "template__name_policy"
        )
        fixed = {key: ResolvedName(name, source) for key, name, source, _ in stored if source}
        policies = {key: policy for key, _, _, policy in stored}
        open_ = [each for key, each in credentials.items() if key not in fixed]
        asked = [(learners[each.learner_id], policies[each.pk]) for each in open_]
        found = zip(open_, resolver()(asked, now=clock()), strict=True)
        new = {each.pk: name for each, name in found if name is not None}
        rows = [(key, name.name, name.source) for key, name in new.items()]
        bulk.update(UserCredential, ("issued_name", "issued_name_source"), rows)
        held = [each.pk for each in unnamed if each.credential_id not in fixed | new]
        _hold(held)
    for key, name in (fixed | new).items():
        credentials[key].issued_name = name.name
        credentials[key].issued_name_source = name.source
    return held


def _hold(keys: Collection[int]) -> None:
    """Unless something else came to be wanted meanwhile."""
    if keys:
        rows = Issuance.objects.filter(
            pk__in=keys, wanted=Issuance.Wanted.ISSUED, next_attempt_at__isnull=False
        )
        rows.update(state=Issuance.State.HELD, next_attempt_at=None)


def split_name(name: str, username: str = "") -> tuple[str, str]:
    """First and last name, for providers that demand both: the last word is the last name, all
    before it the first; a mononym, or a name written without spaces, stands in both places;
    without a name the username does. Each is cut at 100 characters.
    """
    words = (name.strip() or username.strip() or "Learner").split()
    first = " ".join(words[:-1]) or words[0]
    return first[:_LENGTH], words[-1][:_LENGTH]
