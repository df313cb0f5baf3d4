"""Writing down what came of the calls: many at once, under the lease of each."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import attrs
import structlog
from django.db import DataError, IntegrityError, transaction

from credentials import bulk, journal, news
from credentials.database import storable, with_retries
from credentials.issuances import SETTLED_WITHOUT
from credentials.issuing import breaker
from credentials.issuing.breaker import Outcome
from credentials.issuing.calls import Answer, InternalError
from credentials.issuing.claims import Job
from credentials.issuing.plan import WITHOUT_A_CALL, Action
from credentials.issuing.queue import is_free
from credentials.models import Issuance
from credentials.providers.base import (
    AccountRefused,
    External,
    OneByOne,
    Permanent,
    Retryable,
    UnknownOutcome,
)
from credentials.providers.credly import account
from credentials.retry import backoff

log = structlog.get_logger(__name__)

State = Issuance.State
Clock = Callable[[], datetime]
Done = tuple[Job, Sequence[Answer]]

MAX_ATTEMPTS: Final = 25
_FIRST_WAIT: Final = timedelta(seconds=5)
_LONGEST_WAIT: Final = timedelta(hours=12)  # 25 attempts take about a week
_LONGEST_ASKED: Final = 24 * 3600.0  # seconds that a provider may have us wait
_REFUSED_WAIT: Final = timedelta(seconds=30)  # where no account can be paused
_WRITTEN: Final = (
    "external_id",
    "external_url",
    "state",
    "started",
    "attempts",
    "next_attempt_at",
    "leased_until",
    "last_error",
    "provider_state_at",
    "modified",
)


@attrs.frozen
class Result:
    issuance: Issuance  # as it was claimed
    action: Action
    answer: Answer


def record(done: Sequence[Done], *, clock: Clock) -> None:
    """Of issuances and of their accounts. Opens transactions; deadlocks are tried again. The number
    of statements grows with that of the organizations only.
    """
    results = [
        Result(issuance, job.action, answer)
        for job, answers in done
        for issuance, answer in zip(job.issuances, answers, strict=True)
    ]
    _pause_refused(results)
    _note_outcomes(done, now=clock())
    try:
        with_retries(lambda: _write(results, now=clock()))
    except (IntegrityError, DataError):
        # One of them cannot be recorded, as a badge that another row has: it must not cost the
        # others their result.
        for each in results:
            _write_alone(each, now=clock())


def put_off(key: int, error: Exception, *, now: datetime) -> None:
    """What could not be claimed waits as if its call had failed, and shows why. Opens a
    transaction.
    """
    with_retries(lambda: _put_off(key, InternalError(f"Internal error: {error!r}"), now=now))


def _put_off(key: int, error: Exception, *, now: datetime) -> None:
    with transaction.atomic():
        rows = Issuance.objects.select_for_update().filter(is_free(now), pk=key)
        for row in rows.filter(next_attempt_at__lte=now):
            row.attempts += 1
            _fail(row, error, now=now)
            row.save(update_fields=["attempts", "last_error", "state", "next_attempt_at"])


def _pause_refused(results: Sequence[Result]) -> None:
    refused = {
        each.issuance.account: str(each.answer)
        for each in results
        if isinstance(each.answer, AccountRefused)
    }
    for organization, reason in refused.items():
        if organization is not None:
            with_retries(partial(account.pause, organization, reason=storable(reason)))


def _note_outcomes(done: Sequence[Done], *, now: datetime) -> None:
    outcomes: dict[int, list[Outcome]] = {}
    for job, answers in done:
        key = job.account.organization_id
        outcome = None if job.action in WITHOUT_A_CALL else _outcome(answers)
        if key is None:
            continue
        if job.trial is None:
            if outcome is not None:
                outcomes.setdefault(key, []).append(outcome)
        elif outcome is None:
            with_retries(partial(breaker.give_back, key, trial=job.trial, now=now))
        else:
            with_retries(partial(breaker.note_trial, key, outcome, trial=job.trial, now=now))
    for key, found in outcomes.items():
        with_retries(partial(breaker.note, key, found, now=now))


def _outcome(answers: Sequence[Answer]) -> Outcome | None:
    """None: nothing that was answered says how the provider fares."""
    if any(isinstance(each, External | OneByOne) for each in answers):
        return Outcome(worked=True)
    failed = [
        each
        for each in answers
        if isinstance(each, Retryable) and not isinstance(each, InternalError)
    ]
    if not failed:
        return None
    return Outcome(worked=False, error=storable(str(failed[0])), after=_asked_to_wait(failed[0]))


def _asked_to_wait(error: Exception) -> float:
    """In seconds; 0 when it was not asked for, or for what is no time to wait."""
    after = error.after if isinstance(error, Retryable) else None
    return min(after, _LONGEST_ASKED) if after is not None and after > 0 else 0.0


def _write_alone(result: Result, *, now: datetime) -> None:
    try:
        with_retries(lambda: _write([result], now=now))
    except (IntegrityError, DataError) as error:
        log.exception("not recorded", issuance=result.issuance.pk)
        again = InternalError(f"Internal error: {error!r}")
        unrecorded = attrs.evolve(result, answer=again)
        with_retries(lambda: _write([unrecorded], now=now, forget_found=True))


def _write(results: Sequence[Result], *, now: datetime, forget_found: bool = False) -> None:
    """Wanted may have changed while the provider was called: then the row stays due, with what
    was learned. One transaction, two statements.
    """
    with transaction.atomic():
        keys = [each.issuance.pk for each in results]
        rows = {
            row.pk: row
            for row in Issuance.objects.select_for_update().filter(pk__in=keys).order_by("pk")
        }
        written = []
        for each in results:
            row = rows.get(each.issuance.pk)  # a retired person's are gone
            if row is not None and _take_over(row, each, now=now, forget_found=forget_found):
                written.append((each, row))
        bulk.update_objects([row for _, row in written], _WRITTEN)
        news.tell_issuances((each.issuance, row) for each, row in written)
    for each, row in written:
        _log(each, row)


def _take_over(row: Issuance, result: Result, *, now: datetime, forget_found: bool) -> bool:
    """Changes `row`; False when somebody else knows better. Writes nothing."""
    before, answer = result.issuance, result.answer
    if row.leased_until != before.leased_until:
        if row.external_id or not isinstance(answer, External) or not answer.id:
            found = getattr(answer, "id", None)
            log.warning("came back after its lease", issuance=row.pk, external_id=found)
            return False
    else:
        row.leased_until = None
    if before.external_id and not row.external_id and not forget_found:
        row.external_id = before.external_id
    if isinstance(answer, External):
        _succeed(row, answer)
    else:
        can_pause = before.account is not None
        _fail(row, answer, now=now, can_pause=can_pause)
        if _nothing_was_sent(result):
            row.started = False
    if row.wanted != before.wanted:
        row.next_attempt_at = now
    return True


def _nothing_was_sent(result: Result) -> bool:
    """Then it may go out as if for the first time, without a look before it. Only who began it
    knows: `issuance.started` is of the time before the claim.
    """
    first = result.action is Action.ISSUE and not result.issuance.started
    certain = isinstance(result.answer, Retryable) and not isinstance(result.answer, UnknownOutcome)
    return first and certain


def _succeed(row: Issuance, result: External) -> None:
    row.external_id = result.id or row.external_id
    known = row.provider_state_at
    newer = known is None or result.as_of is None or result.as_of >= known
    if newer or result.state in SETTLED_WITHOUT:  # what is gone does not come back
        row.state = result.state  # else a webhook told something newer meanwhile
        row.external_url = result.url
        row.provider_state_at = result.as_of or known
    row.last_error = ""
    row.next_attempt_at = None


def _fail(row: Issuance, error: Exception, *, now: datetime, can_pause: bool = True) -> None:
    row.last_error = storable(str(error))
    if isinstance(error, AccountRefused | OneByOne):
        # Not this badge's fault: it is due again at once, or as soon as the account is resumed.
        row.attempts = max(row.attempts - 1, 0)  # 0 when it was counted anew meanwhile
        hammers = isinstance(error, AccountRefused) and not can_pause
        row.next_attempt_at = now + _REFUSED_WAIT if hammers else now
        return
    if isinstance(error, Permanent) or row.attempts >= MAX_ATTEMPTS:
        row.state = State.DEAD
        row.next_attempt_at = None
        return
    row.state = State.ERROR
    wait = backoff(row.attempts, first=_FIRST_WAIT, longest=_LONGEST_WAIT)
    row.next_attempt_at = now + max(wait, timedelta(seconds=_asked_to_wait(error)))


def _log(result: Result, row: Issuance) -> None:
    credential = result.issuance.credential
    revoked = result.issuance.wanted == Issuance.Wanted.REVOKED
    log.info(
        "issuance",
        issuance=row.pk,
        credential=str(credential.uuid),
        correlation_id=journal.cause_of(credential, revoked=revoked),
        action=result.action.value,
        state=row.state,
        error=row.last_error or None,
    )
