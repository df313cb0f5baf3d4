"""Long work with one organization: asked for by a person, a command or the night; carried out by
one worker at a time; its result stays visible.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

import structlog
from django.db import transaction

from credentials import dispatch
from credentials.models import CredlyOrganization, CredlyRun, Lease
from credentials.models.run import UNFINISHED
from credentials.providers.base import Counts, Report, syncing
from credentials.providers.credly import account, mending, reconciliation
from credentials.secrets import UndecryptableError
from credly_client.errors import CredlyError

log = structlog.get_logger(__name__)

State = CredlyRun.State
Kind = CredlyRun.Kind
Clock = Callable[[], datetime]
_LEASE: Final = timedelta(minutes=10)  # longer than one page takes, with all its repetitions
_KEPT: Final = 30  # runs of one organization
_INTERRUPTED: Final = "The worker ended in the middle. What was done before stays; start it again."


class LostLeaseError(Exception):
    """The process was so slow that another one took over."""


def request(
    organization: CredlyOrganization,
    *,
    kind: str,
    now: datetime,
    limit_share: float | None = None,
    tell: bool = True,
) -> CredlyRun:
    """A run that waits for a worker; one of that kind that waits already is as good. Without
    `tell` the caller works it himself.
    """
    with transaction.atomic():
        same = CredlyRun.objects.filter(organization=organization, kind=kind, state=State.WAITING)
        waiting = same.filter(limit_share=limit_share).first()
        if waiting is not None:
            return waiting
        row = CredlyRun.objects.create(
            organization=organization, kind=kind, limit_share=limit_share, requested_at=now
        )
        if tell:
            transaction.on_commit(lambda: dispatch.work_run(row.pk))
    return row


def due(now: datetime) -> list[int]:
    """Runs that nobody is at: they wait, or their worker died. Two queries."""
    taken = set(Lease.objects.filter(until__gt=now).values_list("name", flat=True))
    rows = CredlyRun.objects.filter(state__in=UNFINISHED).order_by("pk")
    found = rows.values_list("pk", "organization_id")[:100]
    return [pk for pk, organization_id in found if _lease_of(organization_id) not in taken]


def work(run_id: int, *, clock: Clock, watch: Report = lambda _: None) -> bool:
    """Carry out one run. False when it is finished, or its organization is being worked on.
    `watch` is told the counts after each page. Must not be called in a transaction.
    """
    run = CredlyRun.objects.select_related("organization").filter(pk=run_id).first()
    if run is None or run.state not in UNFINISHED:
        return False
    lease = Lease.take(_lease_of(run.organization_id), now=clock(), length=_LEASE)
    if lease is None:
        return False
    try:
        _work(run, lease=lease, clock=clock, watch=watch)
    finally:
        lease.release(now=clock())
    return True


def _lease_of(organization_id: int) -> str:
    return f"credly-run-{organization_id}"


def _work(run: CredlyRun, *, lease: Lease, clock: Clock, watch: Report) -> None:
    """The lease is held, so a run that is said to be running has lost its worker."""
    others = CredlyRun.objects.filter(organization=run.organization, state=State.RUNNING)
    others.update(state=State.FAILED, message=_INTERRUPTED, finished_at=clock())
    own = CredlyRun.objects.filter(pk=run.pk, state=State.WAITING)
    if not own.update(state=State.RUNNING, started_at=clock()):
        return
    run.started_at = clock()
    state, message = _outcome(run, lease=lease, clock=clock, watch=watch)
    CredlyRun.objects.filter(pk=run.pk).update(state=state, message=message, finished_at=clock())
    _forget_former(run)
    log.info("credly run", run=run.pk, kind=run.kind, state=state, **_flat(run.counts))


def _outcome(run: CredlyRun, *, lease: Lease, clock: Clock, watch: Report) -> tuple[str, str]:
    def report(counts: Counts) -> None:
        run.counts = dict(counts)
        CredlyRun.objects.filter(pk=run.pk).update(counts=run.counts)
        if not lease.extend(until=clock() + _LEASE):
            raise LostLeaseError(_INTERRUPTED)
        watch(counts)

    if run.organization.paused_reason:
        return State.FAILED, f"The account is paused: {run.organization.paused_reason}"
    try:
        _carry_out(run, clock=clock, report=report)
    except reconciliation.TooMuchError as error:
        return State.STOPPED, str(error)
    except (account.KeyMissingError, UndecryptableError) as error:
        account.pause(run.organization, reason=str(error))
        return State.FAILED, f"{error} The account is paused."
    except CredlyError as error:
        if error.account_wide:
            account.pause(run.organization, reason=str(error))
            return State.FAILED, f"{error}. The account is paused."
        return State.FAILED, f"{error}. What was done before stays; start it again."
    except Exception as error:
        log.exception("credly run failed", run=run.pk)
        return State.FAILED, f"Internal error: {error!r}"
    return State.DONE, ""


def _carry_out(run: CredlyRun, *, clock: Clock, report: Report) -> None:
    if run.kind == Kind.SYNC:
        credly = syncing()["credly"]
        report(credly.sync_templates(run.organization, clock=clock, report=report))
        return
    try:
        counts = reconciliation.compare(run, now=clock(), report=report)
    except BaseException:
        run.differences.all().delete()  # half a comparison says nothing; the former one stays
        raise
    run.organization.differences.exclude(run=run).delete()
    if run.kind == Kind.FIX:
        reconciliation.check_brake(run)
        mending.mend(run, clock=clock, counts=counts, report=report)


def _forget_former(run: CredlyRun) -> None:
    rows = CredlyRun.objects.filter(organization=run.organization)
    kept = list(rows.order_by("-pk").values_list("pk", flat=True)[:_KEPT])
    # The newest comparison stays with its differences, however long ago it was.
    old = rows.exclude(pk__in=kept).exclude(state__in=UNFINISHED)
    old.filter(differences__isnull=True).delete()


def _flat(counts: Mapping[str, int]) -> dict[str, int]:
    return {name.replace(" ", "_"): number for name, number in counts.items()}
