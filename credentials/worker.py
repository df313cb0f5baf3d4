"""Carrying out issuances: the worker moves the state at the provider towards what is wanted.

Note [Claim, call, record]
    Rows are claimed under a lock: they are leased, and their next attempt moves as far ahead. Then
    the provider is called, outside any transaction. Then the result is recorded. A worker that
    dies in the middle leaves rows that are due again when the lease ends, and `started` tells the
    next one that something may have been sent: it looks first. Looking while the call of another
    worker is still under way would find nothing yet, so the lease stands also when a row is made
    due meanwhile (wanted changed, somebody pressed "try again"). A worker that comes back after
    its lease ended records only what nobody knows better: a badge.

Note [Fair]
    The calls are made in threads, which know no database; claiming and recording is done by the
    one thread that called. Each account has a line of its own and a limit of calls at once, and
    whoever has a free thread serves the lines in turn. So an account that answers slowly, or has
    ten thousand badges due, leaves threads for the others; and the lines are read again while
    its calls are under way.
"""

import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Final

import attrs
import structlog
from django.conf import settings
from django.db.models import QuerySet

from credentials.database import DatabaseGoneError, with_retries
from credentials.issuing import breaker, calls, records
from credentials.issuing.claims import LEASE, Job, claim
from credentials.issuing.crew import Crew
from credentials.issuing.plan import WITHOUT_A_CALL
from credentials.issuing.queue import Account, Line, due, read
from credentials.issuing.records import Done
from credentials.models import Issuance
from credentials.providers.base import calls_at_once, largest_batch, providers

__all__ = ["LEASE", "carry_out_due", "due", "try_again"]

log = structlog.get_logger(__name__)

State = Issuance.State
Clock = Callable[[], datetime]

_LINE: Final = 1000  # issuances of one account that are looked at in one go
_CLAIM: Final = 2  # batches that are claimed in one go: other workers want some, too
_LOOK_AGAIN: Final = 1.0  # seconds after which what became due meanwhile is looked for
_SHARE_OF_LOOKING: Final = 0.1  # of the time at most, when very much is due
_TOGETHER: Final = 0.02  # seconds: calls that end so close to one another are recorded together


def carry_out_due(*, clock: Clock, seconds: float | None = None) -> int:
    """Take up what is due until nothing is, or for about as long as `seconds`; returns how many
    were taken up. See Note [Fair]. Must not be called in a transaction.
    """
    with Crew[Account, Done](settings.ISSUING_CALLS) as crew:
        return _Shift(crew, clock=clock, seconds=seconds).work()


def try_again(rows: QuerySet[Issuance], *, now: datetime) -> int:
    """By hand, from admin: what is in error or dead is due now, with all attempts ahead."""
    return rows.filter(state__in=[State.ERROR, State.DEAD]).update(
        state=State.ERROR, attempts=0, next_attempt_at=now
    )


@attrs.define
class _Shift:
    """One worker at work."""

    crew: Crew[Account, Done]
    clock: Clock = attrs.field(kw_only=True)
    seconds: float | None = attrs.field(kw_only=True)
    lines: Mapping[Account, Line] = attrs.field(factory=dict)
    look_at: float = 0.0  # by time.monotonic
    fruitful: bool = True  # did the lines, since they were read, lead to anything?
    served: Counter[Account] = attrs.field(factory=Counter)  # issuances taken up
    late: set[Account] | None = None  # once the time is over: whose calls are awaited still

    def work(self) -> int:
        try:
            return self._work()
        except Exception:
            # What the calls that are under way come to is known soon. Unrecorded, it would have to
            # be looked for when their leases end.
            while self.crew.busy:
                self._record(self.crew.collect(patience=None))
            raise

    def _work(self) -> int:
        begun = time.monotonic()
        while True:
            if self.seconds is not None and time.monotonic() - begun >= self.seconds:
                self._end()
            if self._serve_all():
                self._record(self.crew.collect(patience=0))
            elif self.crew.busy:
                self._record(self._collect())
            else:
                return self.served.total()

    def _end(self) -> None:
        """From now on nothing is begun, but beside calls of old that somebody slow still owes:
        the others must not wait for those.
        """
        owing = {account for account, number in self.crew.calls.items() if number}
        self.late = owing if self.late is None else self.late & owing

    def _serve_all(self) -> bool:
        """Every account in turn, as far as threads are free. False when there was nothing to do."""
        if self.late is not None and not self.late:
            return False
        lines = [] if time.monotonic() >= self.look_at else self._open_lines()
        if not lines and (time.monotonic() >= self.look_at or self._looks_once_more()):
            self._look()
            lines = self._open_lines()
        for account, line in lines:
            self._serve(account, line, share=max(self.crew.room // len(lines), 1))
        return bool(lines)

    def _looks_once_more(self) -> bool:
        """Before it ends: what was done may have left something that is due at once."""
        return self.fruitful and not self.crew.busy

    def _look(self) -> None:
        began = time.monotonic()
        self.lines = with_retries(lambda: read(self.clock(), each=_LINE))
        self.fruitful = False
        for line in self.lines.values():
            if len(line) >= _LINE:
                line.begin_anywhere(random.random())  # not where the other workers do
        took = time.monotonic() - began
        self.look_at = began + max(_LOOK_AGAIN, took / _SHARE_OF_LOOKING)

    def _open_lines(self) -> list[tuple[Account, Line]]:
        found = [
            (account, line)
            for account, line in self.lines.items()
            if line and self._room(account) > 0 and account not in (self.late or ())
        ]
        return sorted(found, key=lambda pair: self.served[pair[0]])  # who had least comes first

    def _room(self, account: Account) -> int:
        at_once = calls_at_once(providers().get(account.provider)) or 1
        return min(self.crew.room, at_once - self.crew.calls[account])

    def _serve(self, account: Account, line: Line, *, share: int) -> None:
        if line.half_open is not None and account.organization_id is not None:
            self._try_one(account, line, organization_id=account.organization_id)
            return
        batch = largest_batch(providers().get(account.provider))
        calls_ = min(self._room(account), share, _CLAIM if batch > 1 and line.fresh else share)
        keys = line.take(calls=calls_, batch=batch)
        if not keys:
            return
        jobs = self._claim(account, keys)
        self._begin(jobs)
        if not jobs and not due(self.clock()).filter(pk__in=keys).exists():
            self.fruitful = True  # for another worker; there may be more behind them

    def _try_one(self, account: Account, line: Line, *, organization_id: int) -> None:
        """See Note [Breaker]."""
        keys, seen = line.take(calls=1, batch=1), line.half_open
        line.clear()
        if seen is None or self.crew.calls[account]:
            return
        trial = with_retries(
            lambda: breaker.take_trial(organization_id, seen=seen, now=self.clock())
        )
        if trial is None:
            return
        jobs = self._claim(account, keys, trial=trial)
        self._begin(jobs)
        if not jobs:
            with_retries(lambda: breaker.give_back(organization_id, trial=trial, now=self.clock()))

    def _claim(
        self, account: Account, keys: Sequence[int], *, trial: datetime | None = None
    ) -> list[Job]:
        """What cannot even be claimed (no name can be found, a provider does not know whether it is
        paused) is put off alone, and halves its batch until it is: the others go on.
        """
        try:
            return claim(account, keys, trial=trial, clock=self.clock)
        except DatabaseGoneError:
            raise
        except Exception as error:
            if len(keys) > 1:
                middle = len(keys) // 2
                return [
                    *self._claim(account, keys[:middle], trial=trial),
                    *self._claim(account, keys[middle:], trial=trial),
                ]
            log.exception("not claimed", issuances=keys, provider=account.provider)
            records.put_off(keys[0], error, now=self.clock())
            self.fruitful = True
            return []

    def _begin(self, jobs: Sequence[Job]) -> None:
        """What needs no call, or may not leave this thread, is done and recorded at once."""
        here = []
        for job in jobs:
            self.fruitful = True
            self.served[job.account] += len(job.issuances)
            if job.action in WITHOUT_A_CALL or calls_at_once(job.provider) is None:
                here.append(job)
            else:
                self.crew.start(job.account, partial(_perform, job, clock=self.clock))
        self._record([_perform(job, clock=self.clock) for job in here])

    def _collect(self) -> list[Done]:
        """The next calls that end; none when it is time to look again before."""
        done = self.crew.collect(patience=max(self.look_at - time.monotonic(), _TOGETHER))
        if done and self.crew.busy:
            time.sleep(_TOGETHER)
            done += self.crew.collect(patience=0)
        return done

    def _record(self, done: Sequence[Done]) -> None:
        if done:
            records.record(done, clock=self.clock)


def _perform(job: Job, *, clock: Clock) -> Done:
    return job, calls.perform(job, now=clock())
