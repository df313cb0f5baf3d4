"""Metrics in the form of Prometheus.

Note [What the web process tells]
    Several web processes answer, and the consumers are others: nothing is counted in a process
    that answers. All is read from the database (rows of the consumers, and counts by partial
    indexes, never of a whole large table) and from Redis, when it is asked for.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import redis
from django.db import Error as AnyDatabaseError
from django.db import connection
from django.db.models import Count, Sum
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from prometheus_client.registry import Collector

from consumer import fleet
from consumer.gauges import Gauge
from consumer.models import ConsumerStatus, Incident
from credentials.models import CredlyOrganization, DefinitionsVersion, Issuance, OutboxEvent
from events.models import InboxEvent

_WHO = ("group", "consumer")
_WHERE = ("group", "stream")
_WHOSE = ("provider", "organization")


class _Fixed(Collector):
    def __init__(self, metrics: Sequence[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def render(metrics: Iterable[Metric]) -> bytes:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Fixed(list(metrics)))
    return generate_latest(registry)


def of_service(client: Any, *, now: datetime) -> Iterator[Metric]:
    """Everything the web process tells; what cannot be reached is 0 in `laurel_..._up`."""
    rows: list[ConsumerStatus] = []
    reached = True
    try:
        rows = list(ConsumerStatus.objects.all())
        yield from _of_database(now=now)
    except AnyDatabaseError:
        reached = False
    yield _gauge("laurel_database_up", "1 when the database answers.", reached)
    yield from of_consumers(rows, now=now)
    try:
        measured = fleet.measure(client, rows) if rows else {}
        client.ping()
    except redis.RedisError:
        yield _gauge("laurel_redis_up", "1 when Redis answers.", 0)
    else:
        yield _gauge("laurel_redis_up", "1 when Redis answers.", 1)
        yield from of_streams(measured)


def of_consumers(rows: Sequence[ConsumerStatus], *, now: datetime) -> Iterator[Metric]:
    """From the rows that consumers write; the counts start again with each start."""
    up = GaugeMetricFamily(
        "laurel_consumer_up",
        "1: alive. 0: silent, dead or stuck. Absent: it left in order.",
        labels=_WHO,
    )
    events = CounterMetricFamily(
        "laurel_events",
        "Messages since the start of the consumer, by event type and outcome.",
        labels=(*_WHO, "type", "outcome"),
    )
    steps = SummaryMetricFamily(
        "laurel_batch_step_seconds",
        "Batches, and seconds they spent in each step, since the start of the consumer.",
        labels=(*_WHO, "step"),
    )
    unsent = CounterMetricFamily(
        "laurel_tasks_unsent",
        "Tasks that the queue did not take, since the start of the consumer.",
        labels=_WHO,
    )
    for row in rows:
        who = (row.group, row.name)
        unsent.add_metric(who, row.tasks_unsent)
        if row.left_at is None:
            up.add_metric(who, float(fleet.is_living(row, now=now)))
        for event_type, outcome, count in row.counts:
            events.add_metric((*who, event_type, outcome), count)
        for step, batches, seconds in row.steps:
            steps.add_metric((*who, step), count_value=batches, sum_value=seconds)
    yield from (up, events, steps, unsent)


def of_streams(measured: Mapping[str, Sequence[Gauge]]) -> Iterator[Metric]:
    """`measured`: by group."""
    readable = GaugeMetricFamily(
        "laurel_stream_readable", "0: the stream or its group cannot be read.", labels=_WHERE
    )
    messages = GaugeMetricFamily(
        "laurel_stream_lag_messages", "Messages that nobody has read yet.", labels=_WHERE
    )
    seconds = GaugeMetricFamily(
        "laurel_stream_lag_seconds",
        "Age of the oldest message that is not finished.",
        labels=_WHERE,
    )
    pending = GaugeMetricFamily(
        "laurel_stream_pending", "Messages that consumers have at hand.", labels=_WHERE
    )
    for group, gauges in measured.items():
        for each in gauges:
            where = (group, each.stream)
            readable.add_metric(where, float(each.books is not None))
            if each.books is None:
                continue
            pending.add_metric(where, each.pending)
            if each.lag_seconds is not None:
                seconds.add_metric(where, each.lag_seconds)
            if each.lag_messages is not None:
                messages.add_metric(where, each.lag_messages)
    yield from (readable, messages, seconds, pending)


def _of_database(*, now: datetime) -> Iterator[Metric]:
    """Eight statements, each answered by a small index or a small table."""
    happened = GaugeMetricFamily(
        "laurel_bus_incidents", "Incidents on the bus, ever.", labels=("kind", "stream")
    )
    lost = GaugeMetricFamily(
        "laurel_bus_messages", "Messages concerned by incidents, ever.", labels=("kind", "stream")
    )
    kinds = Incident.objects.order_by().values("kind", "stream")
    for each in kinds.annotate(rows=Count("id"), messages=Sum("count")):
        where = (each["kind"], each["stream"])
        happened.add_metric(where, each["rows"])
        lost.add_metric(where, each["messages"])
    yield from (happened, lost)

    inbox = GaugeMetricFamily(
        "laurel_inbox_messages", "Messages that could not be processed.", labels=("state",)
    )
    bad = [InboxEvent.State.FAILED.value, InboxEvent.State.DEAD.value]
    states = InboxEvent.objects.filter(state__in=bad).order_by().values_list("state")
    numbers = dict(states.annotate(rows=Count("id")))
    for name in bad:
        inbox.add_metric((name,), numbers.get(name, 0))
    yield inbox

    version = DefinitionsVersion.objects.order_by("pk").values_list("number", flat=True).first()
    yield _gauge("laurel_rulebook_version", "Grows with every edit of the rules.", version or 0)

    waiting = GaugeMetricFamily(
        "laurel_issuances_waiting",
        "Issuances that a worker has to carry out, now or later.",
        labels=("wanted", "state"),
    )
    todo = Issuance.objects.filter(next_attempt_at__isnull=False).order_by()
    for row in todo.values("wanted", "state").annotate(rows=Count("id")):
        waiting.add_metric((row["wanted"], row["state"]), row["rows"])
    yield waiting
    due = todo.filter(next_attempt_at__lte=now)
    oldest = due.order_by("next_attempt_at").values_list("next_attempt_at", flat=True).first()
    age = 0.0 if oldest is None else (now - oldest).total_seconds()
    help_text = "How long the issuance that waits longest has been due."
    yield _gauge("laurel_issuances_due_seconds", help_text, age)

    if connection.features.supports_partial_indexes:  # else it would be a walk through the table
        dead = Issuance.objects.filter(state=Issuance.State.DEAD).count()
        yield _gauge("laurel_issuances_dead", "Issuances that were given up.", dead)

    unsent = OutboxEvent.objects.filter(published_at__isnull=True).count()
    yield _gauge("laurel_outbox_waiting", "Public events that wait to be published.", unsent)
    yield from _of_accounts()


def _of_accounts() -> Iterator[Metric]:
    """Of every organization, also when all is well: an alarm sees that it is over."""
    paused = GaugeMetricFamily(
        "laurel_account_paused",
        "1: nothing is sent to the provider for this organization.",
        labels=(*_WHOSE, "why"),
    )
    failing = GaugeMetricFamily(
        "laurel_account_failing",
        "1: its calls failed; a single one is made now and then.",
        labels=_WHOSE,
    )
    for uuid, refused, by_hand_since, failing_until in CredlyOrganization.objects.values_list(
        "uuid", "paused_reason", "issuing_paused_at", "breaker_until"
    ):
        whose = ("credly", str(uuid))
        paused.add_metric((*whose, "key_refused"), float(bool(refused)))
        paused.add_metric((*whose, "by_hand"), float(by_hand_since is not None))
        failing.add_metric(whose, float(failing_until is not None))
    yield from (paused, failing)


def _gauge(name: str, help_text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, help_text, value=float(value))
