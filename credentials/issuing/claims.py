"""Claiming issuances, and the calls they come to. See Note [Claim, call, record] in the worker."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

import attrs
from django.db import connection, transaction
from django.db.models import F, QuerySet

from credentials import names
from credentials.database import with_retries
from credentials.issuances import SETTLED_WITHOUT
from credentials.issuing import breaker
from credentials.issuing.plan import LOOKING, SENDING, Action, plan
from credentials.issuing.queue import MANY, Account, is_free
from credentials.models import Issuance
from credentials.providers.base import Provider, largest_batch, providers

State = Issuance.State
Wanted = Issuance.Wanted
Clock = Callable[[], datetime]

LEASE: Final = timedelta(minutes=3)  # longer than the provider's time-outs together
_PREDECESSOR_WAIT: Final = timedelta(seconds=30)


@attrs.frozen
class Job:
    """One call, or a look and a call. Several issuances only when a batch is issued. `trial`: of
    the account's breaker.
    """

    account: Account
    provider: Provider | None
    action: Action
    issuances: tuple[Issuance, ...]
    trial: datetime | None = None


def claim(
    account: Account, keys: Collection[int], *, clock: Clock, trial: datetime | None = None
) -> list[Job]:
    """What became due of these, and nobody else has: leased, with an attempt charged. A number of
    statements that does not grow with the keys. Deadlocks are tried again. Must not be called in a
    transaction.
    """
    provider = providers().get(account.provider)
    ready = with_retries(lambda: _ready(keys, provider=provider, clock=clock, trial=trial))
    claimed = with_retries(lambda: _lease(ready, now=clock()))
    with_retries(lambda: _learn_taken(each for each in claimed if _action(each) in LOOKING))
    return [
        Job(account, provider, action, tuple(together), trial)
        for action, together in _together(claimed, provider)
    ]


def _ready(
    keys: Collection[int], *, provider: Provider | None, clock: Clock, trial: datetime | None
) -> list[Issuance]:
    """What may be taken up now. Can be asked again."""
    now = clock()
    rows = Issuance.objects.select_related(
        "credential__learner", "credential__template__organization", "credential__replaces"
    )
    found = [
        each
        for each in rows.filter(is_free(now), pk__in=keys, next_attempt_at__lte=now).order_by("pk")
        if breaker.lets_through(each.account, trial=trial)
        and not (provider is not None and provider.is_paused(each))
    ]
    return _named(_without_waiting(found, now=now), clock=clock)


def _action(issuance: Issuance) -> Action:
    return plan(
        wanted=issuance.wanted,
        state=issuance.state,
        started=issuance.started,
        external_id=issuance.external_id,
    )


def _without_waiting(issuances: Sequence[Issuance], *, now: datetime) -> list[Issuance]:
    """A badge earned anew is not issued before all former ones are gone at the provider: looking
    for it would find a former one, and the provider would refuse it as a duplicate. Not only the
    last former one: that may have been cancelled while the one before it is still there.
    """
    again = [
        each
        for each in issuances
        if each.credential.replaces_id is not None and each.wanted != Wanted.REVOKED
    ]
    if not again:
        return list(issuances)
    unsettled = _siblings(again).exclude(state__in=SETTLED_WITHOUT).exclude(state=State.DEAD)
    first: dict[object, int] = {}
    for provider, learner, template, credential in unsettled.values_list(*_WHOSE, "credential_id"):
        pair = provider, learner, template
        first[pair] = min(credential, first.get(pair, credential))
    waiting = {
        each.pk
        for each in again
        if first.get(_whose(each), each.credential_id) < each.credential_id
    }
    # Whoever made one due meanwhile only hears of it later.
    Issuance.objects.filter(is_free(now), pk__in=waiting, next_attempt_at__lte=now).update(
        next_attempt_at=now + _PREDECESSOR_WAIT
    )
    return [each for each in issuances if each.pk not in waiting]


_WHOSE: Final = ("provider", "credential__learner_id", "credential__template_id")


def _whose(issuance: Issuance) -> tuple[str, int, int]:
    credential = issuance.credential
    return issuance.provider, credential.learner_id, credential.template_id


def _siblings(issuances: Collection[Issuance]) -> QuerySet[Issuance]:
    """All issuances of the same learners and templates, and some more: pairs crossed."""
    return Issuance.objects.filter(
        provider__in={each.provider for each in issuances},
        credential__learner_id__in={each.credential.learner_id for each in issuances},
        credential__template_id__in={each.credential.template_id for each in issuances},
    )


def _named(issuances: Sequence[Issuance], *, clock: Clock) -> list[Issuance]:
    sending = [each for each in issuances if _action(each) in SENDING]
    held = names.hold_back_without_name(sending, clock=clock)
    return [each for each in issuances if each.pk not in held]


def _lease(issuances: Sequence[Issuance], *, now: datetime) -> list[Issuance]:
    """Those that are as they were read, locked and leased. One transaction, three statements."""
    until = now + LEASE
    with transaction.atomic():
        rows = Issuance.objects.filter(
            is_free(now), pk__in=[each.pk for each in issuances]
        ).select_for_update(skip_locked=connection.features.has_select_for_update_skip_locked)
        as_read = ("next_attempt_at", "wanted", "state", "started", "external_id")
        stored = {key: values for key, *values in rows.order_by("pk").values_list("pk", *as_read)}
        claimed = [
            each
            for each in issuances
            if stored.get(each.pk) == [getattr(each, name) for name in as_read]
        ]
        lease = {"next_attempt_at": until, "leased_until": until, "attempts": F("attempts") + 1}
        sending = {each.pk for each in claimed if _action(each) in SENDING}
        others = {each.pk for each in claimed} - sending
        Issuance.objects.filter(pk__in=sending).update(started=True, **lease)
        Issuance.objects.filter(pk__in=others).update(**lease)
    for each in claimed:
        each.leased_until = until
    return claimed


def _learn_taken(issuances: Iterable[Issuance]) -> None:
    looking = list(issuances)
    if not looking:
        return
    found: dict[object, set[tuple[int, str]]] = {}
    others = _siblings(looking).filter(external_id__isnull=False)
    for *pair, key, external_id in others.values_list(*_WHOSE, "pk", "external_id"):
        found.setdefault(tuple(pair), set()).add((key, external_id))
    for each in looking:
        mine = found.get(_whose(each), set())
        each.taken = frozenset(external_id for key, external_id in mine if key != each.pk)


def _together(
    claimed: Sequence[Issuance], provider: Provider | None
) -> Iterator[tuple[Action, Sequence[Issuance]]]:
    fresh = [each for each in claimed if _action(each) is Action.ISSUE]
    size = largest_batch(provider)
    if size == 1 or len(fresh) < MANY:
        size = 1
    for start in range(0, len(fresh), size):
        yield Action.ISSUE, fresh[start : start + size]
    for each in claimed:
        if _action(each) is not Action.ISSUE:
            yield _action(each), (each,)
