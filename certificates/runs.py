"""One run of a schedule: asked for by a person, a command or the clock; carried out by one worker
at a time; what came of it stays visible.

Note [A run that lost its worker]
    What was found lies in a file that is gone with the worker, so the next one asks anew, under
    the same run: its events have the same ids, and what was processed before counts once. A run
    that keeps losing its worker ends as failed.
"""

import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final

import structlog
from django.db import transaction
from django.db.models import F

from certificates import feeding, gates, options, schedules
from certificates.feeding import Source
from certificates.models import EligibilitySchedule, ScheduleFinding, ScheduleRun
from certificates.retrievers import asking
from certificates.retrievers.base import Evaluated, RetrievalError
from certificates.spool import Finding, Spool, finding
from credentials import dispatch
from credentials.models import Lease
from credentials.models.run import UNFINISHED

log = structlog.get_logger(__name__)

State = ScheduleRun.State
Kind = ScheduleRun.Kind
Clock = Callable[[], datetime]
NOTHING_WAITS: Final = (
    "No requirement or penalty of an active badge template looks for what this run found."
)
_LEASE: Final = timedelta(minutes=10)  # longer than one page takes, with all its repetitions
_REPORT: Final = 1.0  # seconds between two reports of how far it is
_ATTEMPTS: Final = 3
_KEPT: Final = 50  # runs of one schedule
_FEW: Final = 200  # learners that a run names of each kind
_IN_MEMORY: Final = 1_000_000  # bytes of findings, before they go to disk
_ENDED: Final = f"Its worker ended {_ATTEMPTS} times in the middle. What was awarded stays."
_COUNTS: Final = ("evaluated", "eligible", "awarded", "skipped", "failed")


class LostLeaseError(Exception):
    """The process was so slow that another one took over."""


def request(
    schedule: EligibilitySchedule,
    *,
    now: datetime,
    kind: Kind = Kind.RUN,
    ticket: str | None = None,
    queued: bool = True,
) -> ScheduleRun:
    """A run that waits for a worker; one of that kind that waits already is as good, and the same
    ticket gives the same run, finished or not. Without `queued` the caller works it himself.
    """
    with transaction.atomic():
        # Locked: two who ask at once ask for the same run.
        EligibilitySchedule.objects.select_for_update().get(pk=schedule.pk)
        if ticket is not None:
            same = ScheduleRun.objects.filter(ticket=ticket).first()
            if same is not None:
                return same
        rows = ScheduleRun.objects.filter(schedule=schedule, kind=kind, state=State.WAITING)
        waiting = rows.first()
        if waiting is None:
            waiting = ScheduleRun.objects.create(
                schedule=schedule, kind=kind, ticket=ticket, requested_at=now
            )
        if queued:
            key = waiting.pk
            transaction.on_commit(lambda: tell(key))
    return waiting


def tell(run_id: int) -> None:
    """Let a worker know."""
    dispatch.send("certificates.tasks.work_run", [run_id])


def due(now: datetime) -> list[int]:
    """Runs that nobody is at: they wait, or their worker died. Two queries."""
    taken = set(Lease.objects.filter(until__gt=now).values_list("name", flat=True))
    rows = ScheduleRun.objects.filter(state__in=UNFINISHED).order_by("pk")
    found = rows.values_list("pk", "schedule_id")[:100]
    return [pk for pk, schedule_id in found if _lease_of(schedule_id) not in taken]


def work(run_id: int, *, clock: Clock) -> bool:
    """Carry out one run. False when it is finished, or its schedule is being worked on. Must not
    be called in a transaction.
    """
    rows = ScheduleRun.objects.select_related("schedule__type", "schedule__periodic_task")
    run = rows.filter(pk=run_id, state__in=UNFINISHED).first()
    if run is None:
        return False
    lease = Lease.take(_lease_of(run.schedule_id), now=clock(), length=_LEASE)
    if lease is None:
        return False
    try:
        return _work(run, lease=lease, clock=clock)
    finally:
        lease.release(now=clock())


def _lease_of(schedule_id: int) -> str:
    return f"schedule-{schedule_id}"


def _work(run: ScheduleRun, *, lease: Lease, clock: Clock) -> bool:
    """The lease is held, so a run that is said to be running has lost its worker."""
    started = clock()
    own = ScheduleRun.objects.filter(pk=run.pk, state__in=UNFINISHED)
    if not own.update(state=State.RUNNING, started_at=started, attempts=F("attempts") + 1):
        return False  # finished since it was read
    run.findings.all().delete()
    progress = _Progress(run, lease=lease, clock=clock)
    lost = run.attempts >= _ATTEMPTS
    state, error = (State.FAILED, _ENDED) if lost else _outcome(run, progress, at=started)
    progress.write_findings()
    # A schedule deleted meanwhile took the run with it.
    ScheduleRun.objects.filter(pk=run.pk).update(
        state=state, error=error, finished_at=clock(), **progress.counts()
    )
    _forget_former(run)
    log.info("schedule ran", run=run.pk, schedule=run.schedule_id, state=str(state), error=error)
    return True


def _outcome(run: ScheduleRun, progress: "_Progress", *, at: datetime) -> tuple[State, str]:
    try:
        reason = _closed(run, now=at)
        if reason:
            return State.SKIPPED, reason
        return State.DONE, _carry_out(run, progress, at=at)
    except (
        RetrievalError,
        feeding.NotConfiguredError,
        LostLeaseError,
    ) as error:
        return State.FAILED, str(error)
    except Exception as error:
        # A retriever is other people's code; the words of its errors may name people.
        log.exception("schedule run failed", run=run.pk)
        return State.FAILED, f"Internal error: {type(error).__qualname__}; the log says more."


def _closed(run: ScheduleRun, *, now: datetime) -> str:
    """Why this run is not wanted; a schedule that is over is switched off. Who only asks who would
    get it may always ask.
    """
    if run.kind == Kind.REHEARSAL:
        return ""
    schedule = run.schedule
    verdict = gates.judge(schedule, now=now)
    if verdict.is_over:
        schedules.switch(schedule, on=False)
    return verdict.reason


def _carry_out(run: ScheduleRun, progress: "_Progress", *, at: datetime) -> str:
    """First everything is fetched, then it is fed: a page that fails changes nobody."""
    schedule = run.schedule
    told = asking.evaluate(
        schedule.type.retriever,
        context_key=schedule.context_key,
        options=options.merged(schedule.type.options, schedule.options),
    )
    act = feeding.feed if run.kind == Kind.RUN else feeding.rehearse
    source = Source.of(schedule, run=run.uuid, at=at)
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as file:
        spool = Spool(file)
        _gather(told, into=spool, matter=feeding.verdicts_that_matter(source), progress=progress)
        batches = spool.batches(feeding.BATCH)
        for outcome in act(batches, source=source, clock=progress.clock):
            progress.fed(outcome)
    return "" if progress.matched or not progress.counts()["eligible"] else NOTHING_WAITS


def _gather(
    told: Iterable[Evaluated], *, into: Spool, matter: frozenset[bool], progress: "_Progress"
) -> None:
    """Everybody is counted; whoever could not matter whatever the details is not kept."""
    for each in told:
        if not each.fault and each.is_eligible not in matter:
            progress.evaluated(is_eligible=each.is_eligible)
            continue
        found = finding(each)
        progress.evaluated(is_eligible=found.is_eligible)
        if found.fault:
            progress.failed(found)
        else:
            into.add(found)


class _Progress:
    """The counts of a run as they grow, written down every second; with them the lease."""

    def __init__(self, run: ScheduleRun, *, lease: Lease, clock: Clock) -> None:
        self.clock = clock
        self.matched = 0
        self._run = run
        self._lease = lease
        self._counts: Counter[str] = Counter()
        self._findings: list[ScheduleFinding] = []
        self._named: Counter[str] = Counter()
        self._told = time.monotonic()

    def counts(self) -> dict[str, int]:
        return {name: self._counts[name] for name in _COUNTS}

    def evaluated(self, *, is_eligible: bool) -> None:
        self._counts["evaluated"] += 1
        self._counts["eligible"] += is_eligible
        self._report()

    def failed(self, found: Finding) -> None:
        self._counts["failed"] += 1
        self._name(ScheduleFinding.Kind.FAILED, found)

    def fed(self, outcome: feeding.Outcome) -> None:
        self.matched += outcome.matched
        self._counts["awarded"] += outcome.awarded
        self._counts["skipped"] += outcome.known
        for found in outcome.named:
            self._name(ScheduleFinding.Kind.AWARD, found)
        self._report()

    def write_findings(self) -> None:
        if ScheduleRun.objects.filter(pk=self._run.pk).exists():
            ScheduleFinding.objects.bulk_create(self._findings)

    def _name(self, kind: str, found: Finding) -> None:
        self._named[kind] += 1
        if self._named[kind] <= _FEW:
            who = {"lms_user_id": found.lms_user_id, "username": found.username}
            row = ScheduleFinding(run=self._run, kind=kind, reason=found.fault, **who)
            self._findings.append(row)

    def _report(self) -> None:
        """Raises LostLeaseError."""
        if time.monotonic() - self._told < _REPORT:
            return
        self._told = time.monotonic()
        ScheduleRun.objects.filter(pk=self._run.pk).update(**self.counts())
        if not self._lease.extend(until=self.clock() + _LEASE):
            raise LostLeaseError("Another worker took over this run.")


def _forget_former(run: ScheduleRun) -> None:
    rows = ScheduleRun.objects.filter(schedule=run.schedule_id)
    kept = list(rows.order_by("-pk").values_list("pk", flat=True)[:_KEPT])
    rows.exclude(pk__in=kept).exclude(state__in=UNFINISHED).delete()
