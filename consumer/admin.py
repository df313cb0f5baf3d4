"""Consumers and their streams at a glance, and what went wrong on the bus. Nothing to edit."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, cast

import redis
from django.conf import settings
from django.contrib import admin
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString

from consumer import fleet
from consumer.fleet import State
from consumer.gauges import Gauge
from consumer.models import ConsumerStatus, Incident
from credentials.admin.base import Note, ReadOnlyAdmin, display

_TIMEOUT: Final = 2  # seconds
_SHORT: Final = 80  # characters of an error in the list
_NAMES: Final = {
    State.RUNNING: "Running",
    State.WAITING: "Waiting",
    State.SILENT: "Silent",
    State.LEFT: "Left",
}
NONE_EVER: Final = "No consumer has ever run here: events are not read"
NONE_ALIVE: Final = "No consumer is alive: events wait on the bus, and may be trimmed there"
_LOST: Final = [kind.value for kind in Incident.LOST]


def duration(seconds: float | None) -> str:
    """`4200` -> `1 h 10 min`; the two largest units are enough."""
    if seconds is None:
        return "not known"
    rest = int(seconds)
    parts = []
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"


@admin.register(ConsumerStatus)
class ConsumerStatusAdmin(ReadOnlyAdmin):
    list_before_template = "consumer/admin/before_consumers.html"
    list_display = (
        "name",
        "state_label",
        "seen",
        "stream_names",
        "lag",
        "at_hand",
        "speed",
        "trouble",
    )
    ordering = ("group", "name")
    search_fields = ("name", "group")
    search_help_text = "Name of the consumer or of its group"
    fields = (
        "name",
        "group",
        "state_text",
        "started_at",
        "seen_at",
        "last_batch_at",
        "lag",
        "at_hand",
        "speed",
        "events",
        "tasks_unsent",
        "streams_table",
        "counts_table",
        "steps_table",
        "last_error_text",
    )

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        now = timezone.now()
        context = {**_overview(now=now), **(extra_context or {})}
        return cast("HttpResponse", super().changelist_view(request, context))

    @display(
        description="state",
        label={
            State.RUNNING: "success",
            State.WAITING: "warning",
            State.SILENT: "danger",
            State.LEFT: "default",
        },
    )
    def state_label(self, obj: ConsumerStatus) -> tuple[State, str]:
        state = fleet.state(obj, now=timezone.now())
        return state, _NAMES[state]

    @display(description="state")
    def state_text(self, obj: ConsumerStatus) -> str:
        state = fleet.state(obj, now=timezone.now())
        return f"{_NAMES[state]}. {obj.note}" if state is State.WAITING else _NAMES[state]

    @display(description="last sign of life", ordering="seen_at")
    def seen(self, obj: ConsumerStatus) -> str:
        return f"{duration((timezone.now() - obj.seen_at).total_seconds())} ago"

    @display(description="reads")
    def stream_names(self, obj: ConsumerStatus) -> str:
        return ", ".join(obj.topics)

    @display(description="lag", ordering="lag_seconds")
    def lag(self, obj: ConsumerStatus) -> str:
        """As the consumer saw it; who does not live says nothing of now."""
        if not fleet.is_living(obj, now=timezone.now()):
            return "-"
        if obj.lag_messages is None:
            return "not known" if obj.lag_seconds is None else f"oldest {duration(obj.lag_seconds)}"
        return f"{obj.lag_messages:,} unread, oldest {duration(obj.lag_seconds)}"

    @display(description="at hand", ordering="pending")
    def at_hand(self, obj: ConsumerStatus) -> str:
        return f"{obj.pending:,}"

    @display(description="speed", ordering="rate")
    def speed(self, obj: ConsumerStatus) -> str:
        return f"{obj.rate:,.0f}/s" if fleet.is_living(obj, now=timezone.now()) else "-"

    @display(description="trouble")
    def trouble(self, obj: ConsumerStatus) -> str:
        """What it waits for, else its last error."""
        if obj.note and fleet.is_living(obj, now=timezone.now()):
            return obj.note
        if not obj.last_error or obj.last_error_at is None:
            return "none"
        text = obj.last_error
        short = text if len(text) <= _SHORT else f"{text[:_SHORT]}…"
        ago = duration((timezone.now() - obj.last_error_at).total_seconds())
        return f"{short} ({ago} ago)"

    @display(description="last error")
    def last_error_text(self, obj: ConsumerStatus) -> str:
        return f"{obj.last_error} ({obj.last_error_at})" if obj.last_error else "none"

    @display(description="streams")
    def streams_table(self, obj: ConsumerStatus) -> SafeString:
        rows = [
            (
                each["stream"],
                "not known" if each["lag_messages"] is None else f"{each['lag_messages']:,}",
                duration(each["lag_seconds"]),
                each["problem"] or "none",
            )
            for each in obj.streams
        ]
        return _table(("Stream", "Unread", "Oldest unfinished", "Problem"), rows)

    @display(description="messages since its start")
    def counts_table(self, obj: ConsumerStatus) -> SafeString:
        return _table(("Event type", "Outcome", "Messages"), obj.counts)

    @display(description="time spent since its start")
    def steps_table(self, obj: ConsumerStatus) -> SafeString:
        rows = [
            (step, f"{batches:,}", f"{1000 * seconds / max(batches, 1):.1f} ms")
            for step, batches, seconds in obj.steps
        ]
        return _table(("Step", "Batches", "Each, on average"), rows)

    def get_notes(self, request: HttpRequest, obj: ConsumerStatus) -> Sequence[Note]:
        state = fleet.state(obj, now=timezone.now())
        if state is State.SILENT:
            text = "No sign of life for a minute: it was killed, or hangs in one batch. Look at its"
            return (Note("error", f"{text} log, and at your supervisor"),)
        if state is State.WAITING:
            return (Note("warning", obj.note),)
        return ()


@admin.register(Incident)
class IncidentAdmin(ReadOnlyAdmin):
    when_empty = "Good: no message was lost, skipped or read twice on the bus."
    list_display = ("kind_label", "messages", "stream", "after_id", "before_id", "noticed_at")
    list_filter = ("kind",)
    search_fields = ("stream", "group")
    search_help_text = "Name of the stream or of the group"
    fields = (
        "kind",
        "stream",
        "group",
        "count",
        "after_id",
        "before_id",
        "ids_text",
        "detail",
        "noticed_by",
        "noticed_at",
    )

    @display(
        description="what",
        ordering="kind",
        label={
            **dict.fromkeys(_LOST, "danger"),
            Incident.Kind.RESET.value: "warning",
            Incident.Kind.RECREATED.value: "warning",
            Incident.Kind.REPEATED.value: "info",
        },
    )
    def kind_label(self, obj: Incident) -> tuple[str, str]:
        return obj.kind, str(obj.get_kind_display())

    @display(description="messages", ordering="count")
    def messages(self, obj: Incident) -> str:
        return f"{obj.count:,}" if obj.count else "not known"

    @display(description="ids")
    def ids_text(self, obj: Incident) -> str:
        return ", ".join(obj.ids) or "not known"


def _overview(*, now: datetime) -> dict[str, Any]:
    """Every stream as it stands now, a sentence that says how it goes, and recent losses."""
    rows = list(ConsumerStatus.objects.all())
    try:
        with redis.Redis.from_url(
            settings.REDIS_URL, socket_timeout=_TIMEOUT, socket_connect_timeout=_TIMEOUT
        ) as client:
            measured = fleet.measure(client, rows)
    except redis.RedisError as error:
        note = Note("error", f"Redis does not answer ({type(error).__name__}): nothing is read")
        return {"notes": [note], "streams": []}
    streams = [(group, each) for group, found in measured.items() for each in found]
    living = sum(fleet.is_living(row, now=now) for row in rows)
    notes = [_verdict([each for _, each in streams], rows=len(rows), living=living)]
    recent = Incident.objects.filter(kind__in=_LOST, noticed_at__gte=now - timedelta(days=30))
    lost = recent.aggregate(total=Sum("count"))["total"] or 0
    if lost:
        text = f"{lost:,} messages were lost on the bus in the last 30 days; see “Bus incidents”"
        notes.append(Note("error", text))
    return {"notes": notes, "streams": [_shown(group, each) for group, each in streams]}


def _verdict(gauges: Sequence[Gauge], *, rows: int, living: int) -> Note:
    if not rows:
        return Note("warning", NONE_EVER)
    seconds = max((each.lag_seconds or 0.0 for each in gauges), default=0.0)
    if not living:
        return Note("error", NONE_ALIVE)
    if broken := [each.stream for each in gauges if each.problem]:
        return Note("error", f"These streams cannot be read: {', '.join(broken)}")
    if seconds > fleet.SILENT_AFTER.total_seconds():
        return Note("warning", f"The oldest message waits for {duration(seconds)}")
    return Note("info", "All is well: what comes is read within a minute")


def _shown(group: str, gauge: Gauge) -> dict[str, Any]:
    unread = gauge.lag_messages
    return {
        "group": group,
        "stream": gauge.stream,
        "unread": "not known" if unread is None else f"{unread:,}",
        "oldest": duration(gauge.lag_seconds),
        "pending": f"{gauge.pending:,}",
        "problem": gauge.problem,
    }


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> SafeString:
    if not rows:
        return SafeString("none")
    text = render_to_string("consumer/admin/table.html", {"head": head, "rows": rows})
    return SafeString(text)
