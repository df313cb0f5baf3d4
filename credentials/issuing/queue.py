"""What is due, in a line for each account: nobody waits behind somebody else's ten thousand."""

from collections import deque
from collections.abc import Mapping
from datetime import datetime
from typing import Final

import attrs
from django.db.models import Case, F, Q, QuerySet, When, Window
from django.db.models.functions import RowNumber

from credentials.models import Issuance
from credentials.models.issuance import CREDLY

Wanted = Issuance.Wanted
MANY: Final = 5  # as many new badges go out as a batch; fewer go alone, and fail alone
_ORGANIZATION: Final = "credential__template__organization"


@attrs.frozen
class Account:
    """Whose time and patience a call costs. `organization_id`: None at providers without."""

    provider: str
    organization_id: int | None


@attrs.define
class Line:
    """Keys of issuances, oldest first, in two rows: `fresh` were never sent and may go out as a
    batch. `half_open`: since when the account's breaker waits for a trial.
    """

    fresh: deque[tuple[int, int]] = attrs.field(factory=deque)  # place in the line, key
    others: deque[tuple[int, int]] = attrs.field(factory=deque)
    half_open: datetime | None = None

    def __bool__(self) -> bool:
        return bool(self.fresh or self.others)

    def __len__(self) -> int:
        return len(self.fresh) + len(self.others)

    def begin_anywhere(self, share: float) -> None:
        """Behind that share of the line; who is passed over comes at its end."""
        for row in (self.fresh, self.others):
            row.rotate(-int(len(row) * share))

    def clear(self) -> None:
        self.fresh.clear()
        self.others.clear()

    def take(self, *, calls: int, batch: int) -> list[int]:
        """As many as fit into `calls` calls, each a single one or a batch."""
        taken: list[int] = []
        for _ in range(calls):
            if not self:
                break
            if self.fresh and (not self.others or self.fresh[0] < self.others[0]):
                fits = min(len(self.fresh), batch)
                number = fits if fits >= MANY else 1
                taken += [self.fresh.popleft()[1] for _ in range(number)]
            else:
                taken.append(self.others.popleft()[1])
        return taken


def is_free(now: datetime) -> Q:
    return Q(leased_until__isnull=True) | Q(leased_until__lte=now)


def due(now: datetime) -> QuerySet[Issuance]:
    """What is due, without the accounts that are refused or whose breaker is open, and without
    all of an organization that a person paused.
    """
    in_order = Q(
        Q(**{f"{_ORGANIZATION}__breaker_until__isnull": True})
        | Q(**{f"{_ORGANIZATION}__breaker_until__lte": now}),
        **{f"{_ORGANIZATION}__paused_reason": ""},
    )
    return Issuance.objects.filter(is_free(now), next_attempt_at__lte=now).filter(
        Q(**{f"{_ORGANIZATION}__isnull": True}) | ~Q(provider=CREDLY) | in_order,
        **{f"{_ORGANIZATION}__issuing_paused_at__isnull": True},
    )


def read(now: datetime, *, each: int) -> Mapping[Account, Line]:
    """The oldest of each account, at most `each` of them. One statement."""
    organization = Case(When(provider=CREDLY, then=F(f"{_ORGANIZATION}_id")))
    place = Window(
        RowNumber(),
        partition_by=[F("provider"), organization],
        order_by=[F("next_attempt_at"), F("id")],
    )
    rows = due(now).annotate(place=place).filter(place__lte=each).order_by("place", "id")
    lines: dict[Account, Line] = {}
    for place_, key, provider, organization_id, until, wanted, started in rows.values_list(
        "place",
        "pk",
        "provider",
        organization,
        f"{_ORGANIZATION}__breaker_until",
        "wanted",
        "started",
    ):
        half_open = None if organization_id is None else until
        line = lines.setdefault(Account(provider, organization_id), Line(half_open=half_open))
        is_fresh = wanted == Wanted.ISSUED and not started
        (line.fresh if is_fresh else line.others).append((place_, key))
    return lines
