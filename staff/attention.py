"""What somebody has to look after: each line with the list that shows it, for those who may see
that list.

One query per line, and each is cheap in a table of any size: it counts what an index holds, no
further than anybody cares. Nobody but the database is asked.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

import attrs
from django.contrib import admin
from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse

from certificates.models import CertificateMail, ScheduleRun
from consumer import fleet
from consumer.admin import NONE_ALIVE, NONE_EVER, duration
from consumer.models import ConsumerStatus
from credentials.models import (
    CredlyOrganization,
    CredlyWebhook,
    Difference,
    Issuance,
    OutboxEvent,
)
from credentials.providers.credly import keys
from credentials.providers.credly.comparison import FIXES
from events.models import InboxEvent
from service_signals.models import HandlerFailure

_MOST: Final = 1_000
_MOST_NAMES: Final = 3
_MOST_RUNS: Final = 50  # each is named in the link
_KEY_ENDS: Final = keys.WARNING.days  # 150 days after it was entered, or as Credly says
_RECENT: Final = timedelta(days=7)


@attrs.frozen
class Line:
    """`level`: error, nothing gets better by itself; warning. `url`: of what it speaks of."""

    level: str
    text: str
    url: str


Rows = QuerySet[Any]
Look = Callable[[Rows, datetime], Iterator[Line]]


def lines(request: HttpRequest, *, now: datetime) -> list[Line]:
    """Errors first. Each list is that of its page: an instructor hears of the own courses only."""
    found: list[Line] = []
    for model, look in _LOOKS:
        page = admin.site.get_model_admin(model)
        if page.has_view_permission(request):
            found += look(page.get_queryset(request), now)
    return sorted(found, key=lambda line: line.level != "error")


def _list_of(model: type[Model], query: str = "") -> str:
    meta = model._meta  # noqa: SLF001 -- Django's documented API
    url = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
    return f"{url}?{query}" if query else url


def _these(model: type[Model], keys_of: Sequence[int]) -> str:
    return _list_of(model, urlencode({"id__in": ",".join(str(each) for each in keys_of)}))


def _number(count: int, *, most: int = _MOST) -> str:
    return f"{count:,}" if count <= most else f"More than {most:,}"


@attrs.frozen
class _Counted:
    """The rows that the page shows under `query`, which says the same as `where`. `many` has a
    place for their number.
    """

    where: Q
    query: str
    one: str
    many: str
    level: str = "error"

    def __call__(self, rows: Rows, _now: datetime) -> Iterator[Line]:
        count = rows.filter(self.where).order_by()[: _MOST + 1].count()
        if count:
            text = self.one if count == 1 else self.many.format(_number(count))
            yield Line(self.level, text, _list_of(rows.model, self.query))


def _consumers(rows: Rows, now: datetime) -> Iterator[Line]:
    """As their rows tell: they write one every few seconds."""
    url, consumers = _list_of(ConsumerStatus), list(rows)
    states = [fleet.state(each, now=now) for each in consumers]
    living = [each for each in consumers if fleet.is_living(each, now=now)]
    if not consumers:
        yield Line("warning", NONE_EVER, url)
    elif not living:
        yield Line("error", NONE_ALIVE, url)
    elif silent := states.count(fleet.State.SILENT):
        gives = "gives" if silent == 1 else "give"
        text = f"{silent} of {len(consumers)} consumers {gives} no sign of life"
        yield Line("warning", text, url)
    late = max((each.lag_seconds or 0.0 for each in living), default=0.0)
    if late > fleet.SILENT_AFTER.total_seconds():
        yield Line("warning", f"The oldest message on the bus waits for {duration(late)}", url)


def _organizations(rows: Rows, now: datetime) -> Iterator[Line]:
    """One query, whatever there is to say: there are few of them."""
    found = list(rows.order_by("name", "pk"))
    left = [(each, keys.days_left(each, now=now)) for each in found]
    over = [each for each, days in left if days is not None and days < 0]
    soon = [(each, days) for each, days in left if days is not None and 0 <= days <= _KEY_ENDS]
    first = min((days for _, days in soon), default=0)
    for level, concerned, text in (
        ("error", [each for each in found if each.paused_reason], "Credly refuses the key of"),
        ("error", over, "The key is over, after 180 days, of"),
        ("warning", [each for each, _ in soon], f"The key ends, first in {first} days, of"),
        ("warning", [each for each in found if each.breaker_until], "Credly fails for"),
        (
            "warning",
            [each for each in found if each.issuing_paused_at],
            "Somebody paused issuing for",
        ),
    ):
        if concerned:
            url = _these(CredlyOrganization, [each.pk for each in concerned])
            yield Line(level, f"{text} {_names(concerned)}", url)


def _names(rows: Sequence[CredlyOrganization]) -> str:
    """`Acme, Globex`, `Acme, Globex, Hooli and 4 others`"""
    names = ", ".join(str(each) for each in rows[:_MOST_NAMES])
    others = len(rows) - _MOST_NAMES
    return f"{names} and {others} other{'s' if others > 1 else ''}" if others > 0 else names


def _failed_runs(rows: Rows, now: datetime) -> Iterator[Line]:
    """Of the last days, unless the schedule has worked since."""
    better = ScheduleRun.objects.filter(
        schedule=OuterRef("schedule"), pk__gt=OuterRef("pk"), state=ScheduleRun.State.DONE
    )
    failed = rows.filter(state=ScheduleRun.State.FAILED, requested_at__gte=now - _RECENT)
    found = list(failed.exclude(Exists(better)).values_list("pk", flat=True)[: _MOST_RUNS + 1])
    if found:
        what = "run of a schedule" if len(found) == 1 else "runs of schedules"
        text = f"{_number(len(found), most=_MOST_RUNS)} {what} failed, and no later one worked"
        yield Line("error", text, _these(ScheduleRun, found[:_MOST_RUNS]))


_DEAD: Final = (Q(state="dead"), "state__exact=dead")
_LOOKS: Final[Sequence[tuple[type[Model], Look]]] = (
    (ConsumerStatus, _consumers),
    (CredlyOrganization, _organizations),
    (
        InboxEvent,
        _Counted(
            *_DEAD,
            "1 message from the bus was given up",
            "{} messages from the bus were given up",
        ),
    ),
    (
        Issuance,
        _Counted(*_DEAD, "Issuing 1 badge was given up", "Issuing {} badges was given up"),
    ),
    (
        OutboxEvent,
        _Counted(
            Q(published_at__isnull=True, set_aside_until__isnull=False),
            "published_at__isempty=1&set_aside_until__isnull=False",
            "1 public event cannot be built",
            "{} public events cannot be built",
        ),
    ),
    (
        CredlyWebhook,
        _Counted(*_DEAD, "1 call by Credly was given up", "{} calls by Credly were given up"),
    ),
    (
        HandlerFailure,
        _Counted(
            Q(state="open"),
            "state__exact=open",
            "1 handler failed, and nobody has replayed or dismissed it",
            "{} handlers failed, and nobody has replayed or dismissed them",
        ),
    ),
    (ScheduleRun, _failed_runs),
    (
        CertificateMail,
        _Counted(*_DEAD, "1 mail to a learner was given up", "{} mails to learners were given up"),
    ),
    (
        Difference,
        _Counted(
            Q(outcome="", kind__in=FIXES),
            urlencode({"outcome__exact": "", "kind__in": ",".join(FIXES)}),
            "1 badge is not at Credly as it is here",
            "{} badges are not at Credly as they are here",
            level="warning",
        ),
    ),
    (
        Issuance,
        _Counted(
            Q(name_drift=True),
            "name_drift__exact=1",
            "1 badge was issued in a name that is no more in force",
            "{} badges were issued in a name that is no more in force",
            level="warning",
        ),
    ),
)
