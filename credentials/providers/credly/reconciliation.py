"""Comparing what Credly holds with what is recorded here, page by page.

Note [Both ways in one walk]
    Credly's list is walked once, fifty badges at a time; each page is compared with the issuances
    that belong to it and marks them as seen. What is not marked at the end is missing there. A
    list that changes while it is read can leave one out, so each of these is asked for by its id
    before it counts. Neither side is ever held in memory.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import attrs
from django.conf import settings
from django.db.models import Q, QuerySet

from credentials.issuances import SETTLED_WITH
from credentials.models import BadgeTemplate, CredlyRun, Difference, Issuance
from credentials.providers.base import Counts, Report
from credentials.providers.credly import account
from credentials.providers.credly.comparison import FIXES, Here, Kind, judge
from credentials.providers.credly.templates import pages
from credly_client.client import CredlyClient
from credly_client.errors import NotFound
from credly_client.types import IssuedBadge

State = Issuance.State
PAGE: Final = 50
_NOT_OURS: Final = "of templates that are not active here"
_MOST_UNKNOWN: Final = 1000  # unknown badges kept for a person to look at; all are counted


class TooMuchError(Exception):
    """The brake: more would change than is allowed. The message says how much."""


def compare(run: CredlyRun, *, now: datetime, report: Report) -> Counts:
    """Write a Difference for each disagreement. Seven statements for a page of Credly's list.

    Raises credly_client.errors.CredlyError and the errors of account.api_key. Must not be called
    in a transaction.
    """
    walk = _Walk(run, now=now)
    with account.patient_client(run.organization) as client:
        for page in pages(client.list_badges(), size=PAGE):
            walk.take(page)
            report(walk.counts)
        for gone in walk.missing(client):
            walk.keep(gone)
            report(walk.counts)
    for dead in walk.never_issued():
        walk.keep(dead)
    report(walk.counts)
    return walk.counts


def issuances_of(run: CredlyRun) -> QuerySet[Issuance]:
    return Issuance.objects.filter(
        provider="credly", credential__template__organization_id=run.organization_id
    )


def check_brake(run: CredlyRun) -> None:
    """Raises TooMuchError when fixing would change more than the run allows."""
    changes = run.differences.filter(kind__in=FIXES).count()
    total = issuances_of(run).exclude(state__in=[State.CREATED, State.CANCELLED]).count()
    share = settings.CREDLY_FIX_SHARE if run.limit_share is None else run.limit_share
    if changes > max(settings.CREDLY_FIX_AT_LEAST, share * total):
        raise TooMuchError(
            f"{changes} of {total} badges would change, and {share:.0%} may. Nothing was changed. "
            "Look at the differences first: a wrong key, a wrong address of Credly or a restored "
            "backup looks like this. If they are right, run reconcile_credly --fix with a higher "
            "--limit-share."
        )


@attrs.define
class _Walk:
    """One comparison under way."""

    run: CredlyRun
    now: datetime
    counts: Counter[str] = attrs.field(factory=lambda: Counter(compared=0, differences=0))
    _active: frozenset[UUID] = attrs.field(init=False)
    _allowed: int = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        active = BadgeTemplate.objects.filter(
            organization_id=self.run.organization_id, is_active=True
        )
        self._active = frozenset(active.values_list("uuid", flat=True))
        # So many that seem gone are asked for one by one; more would stop at the brake anyway.
        total = issuances_of(self.run).count()
        self._allowed = max(
            settings.CREDLY_FIX_AT_LEAST, int(settings.CREDLY_FIX_SHARE * total), PAGE
        )

    def take(self, page: Sequence[IssuedBadge]) -> None:
        """One page of Credly's list."""
        found = _issuances(self.run, page)
        listed = [row.pk for row in found.values()]
        Issuance.objects.filter(pk__in=listed).update(seen_at=self.now)
        self.counts["compared"] += len(listed)
        self.keep(self._differences(page, found))

    def _differences(
        self, page: Iterable[IssuedBadge], found: Mapping[UUID, Issuance]
    ) -> Iterator[Difference]:
        for badge in page:
            issuance = found.get(badge.id)
            if issuance is None and badge.template_id not in self._active:
                self.counts[_NOT_OURS] += 1
                continue
            here = None if issuance is None else Here.of(issuance, now=self.now)
            kind = judge(here, badge)
            if kind is not None:
                yield self._difference(kind, issuance, badge)

    def _difference(
        self, kind: Kind, issuance: Issuance | None, badge: IssuedBadge | None
    ) -> Difference:
        known = issuance.external_id if issuance is not None else None
        return Difference(
            organization_id=self.run.organization_id,
            run=self.run,
            kind=kind,
            issuance=issuance,
            external_id=str(badge.id) if badge else known or "",
            here=issuance.state if issuance else "",
            there=badge.state[:20] if badge else "",
            since=badge.state_updated_at if badge else None,
        )

    def keep(self, differences: Iterable[Difference]) -> None:
        rows = []
        for each in differences:
            self.counts[each.kind] += 1
            self.counts["differences"] += 1
            if each.kind != Kind.UNKNOWN_HERE or self.counts[each.kind] <= _MOST_UNKNOWN:
                rows.append(each)
        Difference.objects.bulk_create(rows)

    def missing(self, client: CredlyClient) -> Iterator[list[Difference]]:
        """Those that the list left out, page by page. See Note [Both ways in one walk]."""
        unseen = issuances_of(self.run).filter(
            Q(seen_at__isnull=True) | Q(seen_at__lt=self.now),
            external_id__isnull=False,
            wanted=Issuance.Wanted.ISSUED,
            state__in=SETTLED_WITH,
            next_attempt_at__isnull=True,
            modified__lt=self.now,
        )
        for rows in _by_key(unseen):
            kept = []
            for row in rows:
                badge = self._ask(row, client) if self._allowed > 0 else None
                self._allowed -= 1
                kind = judge(Here.of(row, now=self.now), badge)
                if kind is not None:
                    kept.append(self._difference(kind, row, badge))
            self.counts["compared"] += len(rows)
            yield kept

    def _ask(self, row: Issuance, client: CredlyClient) -> IssuedBadge | None:
        try:
            return client.get_badge(str(row.external_id))
        except NotFound:
            return None

    def never_issued(self) -> Iterator[list[Difference]]:
        """Given up here, and nothing of them was in the list."""
        rows = issuances_of(self.run).filter(
            state=State.DEAD, wanted=Issuance.Wanted.ISSUED, external_id__isnull=True
        )
        for page in _by_key(rows.exclude(differences__run=self.run)):
            yield [self._difference(Kind.NEVER_ISSUED, row, None) for row in page]


def _issuances(run: CredlyRun, page: Sequence[IssuedBadge]) -> dict[UUID, Issuance]:
    """The issuance of each badge: by its id, else the one of that learner and template whose
    attempt to issue has no answer. Two queries.
    """
    rows = issuances_of(run).select_related("credential__learner", "credential__template")
    known = {
        row.external_id: row for row in rows.filter(external_id__in=[str(each.id) for each in page])
    }
    left = {(each.issuer_earner_id, each.template_id) for each in page if str(each.id) not in known}
    unanswered = rows.filter(
        external_id__isnull=True,
        started=True,
        credential__learner__uuid__in=_uuids(earner for earner, _ in left),
        credential__template__uuid__in=[template for _, template in left],
    )
    waiting: dict[tuple[str, UUID], list[Issuance]] = {}
    for row in unanswered:
        key = (str(row.credential.learner.uuid), row.credential.template.uuid)
        waiting.setdefault(key, []).append(row)
    found: dict[UUID, Issuance] = {}
    for each in page:
        candidates = waiting.get((each.issuer_earner_id or "", each.template_id), [])
        if str(each.id) in known:
            found[each.id] = known[str(each.id)]
        elif len(candidates) == 1:
            found[each.id] = candidates.pop()  # the badge of nobody else
    return found


def _uuids(texts: Iterable[str | None]) -> list[UUID]:
    """Badges that somebody else issued carry names of any form."""
    found = []
    for text in texts:
        try:
            found.append(UUID(text or ""))
        except ValueError:
            continue
    return found


def _by_key(rows: QuerySet[Issuance]) -> Iterator[list[Issuance]]:
    """Page by page in the order of the keys; what changes meanwhile shifts nothing."""
    related = rows.select_related("credential__learner").order_by("pk")
    last = 0
    while page := list(related.filter(pk__gt=last)[:PAGE]):
        last = page[-1].pk
        yield page
