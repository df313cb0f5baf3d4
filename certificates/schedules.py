"""Making, changing and deleting schedules: the one place that keeps the periodic task in step."""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final
from uuid import uuid4

from django.db import transaction
from django.db.models import QuerySet
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from badges.models import BadgeRequirement
from badges.rules.conditions import DataRule
from certificates import contexts, options
from certificates.models import CredentialType, EligibilitySchedule
from certificates.plugins import UnknownPluginError
from certificates.retrievers.registry import retriever
from events.eligibility import EVENT_TYPE

TASK: Final = "certificates.tasks.run_schedule"
_LONGEST_NAME: Final = 200  # of a periodic task
EVERY: Final[Mapping[str, tuple[int, str]]] = MappingProxyType(
    {
        "hour": (1, IntervalSchedule.HOURS),
        "day": (1, IntervalSchedule.DAYS),
        "week": (7, IntervalSchedule.DAYS),
    }
)


def create(schedule: EligibilitySchedule, *, often: str = "day") -> EligibilitySchedule:
    """Write a new schedule and its periodic task, which is off until somebody switches it on.

    `often`: one of EVERY. Opens a transaction. Raises contexts.ContextRefusedError.
    """
    context = contexts.parse(schedule.context_key)
    schedule.context_key, schedule.course_key = context.key, context.home
    with transaction.atomic():
        # The name holds the key of the schedule, which needs the task.
        task = PeriodicTask(name=f"schedule {uuid4()}", task=TASK, enabled=False)
        task.interval = _interval(often)
        task.save()
        schedule.periodic_task = task
        schedule.save()
        task.name, task.args = _task_name(schedule), json.dumps([schedule.pk])
        task.save()
    return schedule


def _task_name(schedule: EligibilitySchedule) -> str:
    tail = f" (schedule {schedule.pk})"
    return f"{schedule}"[: _LONGEST_NAME - len(tail)] + tail


def _interval(often: str) -> IntervalSchedule:
    number, period = EVERY[often]
    known = IntervalSchedule.objects.filter(every=number, period=period).first()
    return known or IntervalSchedule.objects.create(every=number, period=period)


def often(schedule: EligibilitySchedule) -> str:
    """One of EVERY; empty when the periodic task was given another time by hand."""
    interval = schedule.periodic_task.interval
    if interval is None:
        return ""
    found = (interval.every, interval.period)
    return next((name for name, each in EVERY.items() if each == found), "")


def switch(schedule: EligibilitySchedule, *, on: bool, often: str = "") -> None:
    """`often` empty: as often as before."""
    task = schedule.periodic_task
    task.enabled = on
    if often:
        task.interval, task.crontab, task.solar, task.clocked = _interval(often), None, None, None
    task.save()


def delete(rows: QuerySet[EligibilitySchedule]) -> int:
    """Delete schedules with their periodic tasks, runs and findings; returns how many. What
    learners hold stays, and so do the requirements. Opens a transaction.
    """
    with transaction.atomic():
        tasks = PeriodicTask.objects.filter(
            pk__in=list(rows.values_list("periodic_task", flat=True))
        )
        count = tasks.count()
        tasks.delete()
    return int(count)


def delete_orphans() -> int:
    """Periodic tasks whose schedule went with its badge template."""
    orphans = PeriodicTask.objects.filter(task=TASK, eligibility__isnull=True)
    count = orphans.count()
    if count:
        orphans.delete()
    return int(count)


def rules(schedule: EligibilitySchedule) -> tuple[DataRule, ...]:
    """What only the events of this schedule about the eligible fulfil."""
    return (
        DataRule("context_key", "eq", schedule.context_key),
        DataRule("is_eligible", "eq", "true"),
        DataRule("metadata.source", "eq", schedule.source),
    )


def require(schedule: EligibilitySchedule) -> BadgeRequirement:
    """Add the requirement that this schedule fulfils to its template. Requires a transaction, and
    that the caller says that the definitions changed.
    """
    requirement = BadgeRequirement.objects.create(
        template=schedule.template,
        key=f"schedule-{schedule.pk}",
        event_type=EVENT_TYPE,
        description=f"{schedule}"[:255],
    )
    for rule in rules(schedule):
        requirement.rules.create(path=rule.path, operator=rule.operator, value=rule.value)
    return requirement


def is_required(schedule: EligibilitySchedule) -> bool:
    """Does a requirement of its template wait for events of this schedule, or of any?"""
    rows = BadgeRequirement.objects.filter(template=schedule.template_id, event_type=EVENT_TYPE)
    for each in rows.prefetch_related("rules"):
        named = [rule for rule in each.rules.all() if rule.path == "metadata.source"]
        if not named or any(schedule.source in rule.value for rule in named):
            return True
    return False


def effective_options(schedule: EligibilitySchedule) -> dict[str, Any]:
    """Those of the type, those of the schedule over them, defaults for the rest. Raises
    UnknownPluginError.
    """
    schema = retriever(schedule.type.retriever).options_schema
    return options.with_defaults(schema, options.merged(schedule.type.options, schedule.options))


def options_faults(kind: CredentialType, own: Mapping[str, Any]) -> Mapping[str, str]:
    """What is wrong with the options of a schedule of this type, by dotted path; at "" what is
    wrong with the whole.
    """
    try:
        schema = retriever(kind.retriever).options_schema
    except UnknownPluginError as error:
        return {"": str(error)}
    given = options.merged(kind.options, own)
    return options.faults(schema, options.with_defaults(schema, given))


def type_faults(slug: str, own: Mapping[str, Any]) -> Mapping[str, str]:
    """The same for the options of a type: what is missing there, a schedule may add."""
    try:
        schema = retriever(slug).options_schema
    except UnknownPluginError as error:
        return {"": str(error)}
    found = options.faults(schema, options.with_defaults(schema, own))
    return {path: message for path, message in found.items() if message != options.MISSING}


def context_fault(kind: CredentialType, context_key: str) -> str:
    """Why a schedule of this type cannot be about this context; empty when it can."""
    try:
        context = contexts.parse(context_key)
        understood = retriever(kind.retriever).contexts
    except (contexts.ContextRefusedError, UnknownPluginError) as error:
        return str(error)
    if context.kind not in understood:
        choices = " or ".join(sorted(understood))
        return f"this is a {context.kind}, but {kind.retriever} asks about a {choices}"
    return ""
