"""The circuit breaker of each account, in the database, so that all workers share it.

Note [Breaker]
    A provider that is down is not helped by ten thousand calls, and none of them does a badge any
    good: each would cost an attempt. So after FAILURES failed calls in a row the account's breaker
    opens, and nothing of that account is taken up. What is due stays due and is charged nothing.
    When its time is over one worker makes one call, the trial. It is taken by compare-and-swap on
    `breaker_until`, which moves ahead as far as a lease: a worker that dies with the trial is
    followed by another. A trial that fails doubles the wait; any call that works closes the
    breaker. Failures of calls that were under way when it opened say nothing new.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import attrs
import structlog
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce

from credentials.models import CredlyOrganization
from credentials.retry import backoff

log = structlog.get_logger(__name__)

FAILURES: Final = 10
TRIAL: Final = timedelta(minutes=3)  # as long as a lease: longer than any call
_FIRST_WAIT: Final = timedelta(seconds=15)
_LONGEST_WAIT: Final = timedelta(minutes=10)


@attrs.frozen
class Outcome:
    """What a call says of its account. `after`: seconds that the provider asked to wait."""

    worked: bool
    error: str = ""
    after: float = 0.0


def lets_through(organization: CredlyOrganization | None, *, trial: datetime | None) -> bool:
    """`trial`: what `take_trial` gave, if anything."""
    until = None if organization is None else organization.breaker_until
    return until is None or until == trial


def take_trial(organization_id: int, *, seen: datetime, now: datetime) -> datetime | None:
    """The right to make one call, known by its moment; None: another worker has it."""
    mine = now + TRIAL
    rows = CredlyOrganization.objects.filter(pk=organization_id, breaker_until=seen)
    return mine if rows.update(breaker_until=mine) else None


def give_back(organization_id: int, *, trial: datetime, now: datetime) -> None:
    """It said nothing of the account: the next call is a trial as well."""
    rows = CredlyOrganization.objects.filter(pk=organization_id, breaker_until=trial)
    rows.update(breaker_until=now)


def note(organization_id: int, outcomes: Sequence[Outcome], *, now: datetime) -> None:
    """Of calls that were no trials, in the order in which they ended. One transaction, of three
    statements at most.
    """
    with transaction.atomic():
        _note(organization_id, outcomes, now=now)


def _note(organization_id: int, outcomes: Sequence[Outcome], *, now: datetime) -> None:
    rows = CredlyOrganization.objects.filter(pk=organization_id)
    worked = [place for place, each in enumerate(outcomes) if each.worked]
    if worked:
        _close(organization_id)
    failed = outcomes[worked[-1] + 1 if worked else 0 :]
    if not failed:
        return
    closed = rows.filter(breaker_until__isnull=True)
    closed.update(
        failures=F("failures") + len(failed),
        failing_since=Coalesce("failing_since", now),
        last_failure=failed[-1].error,
    )
    until = now + _wait(1, after=max(each.after for each in failed))
    if closed.filter(failures__gte=FAILURES).update(breaker_until=until):
        log.warning("breaker opened", organization=organization_id, error=failed[-1].error)


def note_trial(organization_id: int, outcome: Outcome, *, trial: datetime, now: datetime) -> None:
    if outcome.worked:
        _close(organization_id)
        return
    rows = CredlyOrganization.objects.filter(pk=organization_id, breaker_until=trial)
    failures = rows.values_list("failures", flat=True).first()
    if failures is not None:
        wait = _wait(failures - FAILURES + 2, after=outcome.after)
        rows.update(failures=failures + 1, breaker_until=now + wait, last_failure=outcome.error)


def try_now(organization_id: int, *, now: datetime) -> bool:
    """By hand: the trial is due at once. False when the breaker is not open."""
    rows = CredlyOrganization.objects.filter(pk=organization_id, breaker_until__gt=now)
    return bool(rows.update(breaker_until=now))


def _close(organization_id: int) -> None:
    rows = CredlyOrganization.objects.filter(pk=organization_id, failures__gt=0)
    if rows.update(failures=0, failing_since=None, last_failure="", breaker_until=None):
        log.info("breaker closed", organization=organization_id)


def _wait(openings: int, *, after: float) -> timedelta:
    wait = backoff(openings, first=_FIRST_WAIT, longest=_LONGEST_WAIT)
    return max(wait, timedelta(seconds=after))
