"""Badge templates for the benchmarks, and a database that knows them and nothing else."""

from collections.abc import Sequence
from typing import Any

from django.core.management.color import no_style
from django.db import connection, transaction
from openedx_events.learning.signals import COURSE_PASSING_STATUS_UPDATED

from badges import rulebook
from badges.models import BadgeRequirement, DataRule
from credentials.models import BadgeTemplate, DefinitionsVersion, Learner
from events.models import InboxEvent
from tests.benchmarks import stream

_PAGE = 5_000


@transaction.atomic
def create(templates: int) -> None:
    """Template n is met by whoever passes course n: one requirement with four rules."""
    badges = BadgeTemplate.objects.bulk_create(
        [BadgeTemplate(name=f"Badge {n}", providers=["credly"]) for n in range(templates)]
    )
    requirements = BadgeRequirement.objects.bulk_create(
        [
            BadgeRequirement(
                template=badge, key="passed", event_type=COURSE_PASSING_STATUS_UPDATED.event_type
            )
            for badge in badges
        ]
    )
    rules: Sequence[tuple[str, str, str | None]] = (
        ("course.course_key", "eq", None),
        ("is_passing", "eq", "true"),
        ("user.is_active", "eq", "true"),
        ("user.pii.username", "ne", "nobody"),
    )
    DataRule.objects.bulk_create(
        [
            DataRule(
                requirement=requirement,
                path=path,
                operator=operator,
                value=stream.course(number) if value is None else value,
            )
            for number, requirement in enumerate(requirements)
            for path, operator, value in rules
        ],
        batch_size=_PAGE,
    )


def activate(templates: int) -> None:
    """The first so many are active, no others; nothing is compiled when it returns."""
    with transaction.atomic():
        keys = list(
            BadgeTemplate.objects.order_by("pk").values_list("pk", flat=True)[: templates + 1]
        )
        active = BadgeTemplate.objects.all()
        if templates < len(keys):
            active = active.filter(pk__lt=keys[templates])
        BadgeTemplate.objects.filter(is_active=True).update(is_active=False)
        active.update(is_active=True)
        DefinitionsVersion.bump()
    rulebook.forget()


def forget_people(*, known: int = 0) -> None:
    """Empty everything that events leave behind; then store so many learners."""
    # And all that refers to learners, directly or not; the inbox does without a constraint.
    tables = [Learner._meta.db_table, InboxEvent._meta.db_table]
    statements = connection.ops.sql_flush(no_style(), tables, allow_cascade=True)
    connection.ops.execute_sql_flush(statements)
    Learner.objects.bulk_create([_row(number) for number in range(known)])
    settle()


def _row(number: int) -> Learner:
    facts = stream.learner(number)
    return Learner(
        lms_user_id=facts.lms_user_id,
        username=facts.username,
        email=facts.email,
        name=facts.name,
        is_active=facts.is_active,
        profile_time=facts.as_of,
    )


def settle() -> None:
    """What was written in preparation is not written to its place in the measured time."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        else:
            cursor.execute("ANALYZE")
            cursor.execute("CHECKPOINT")


def read_rows() -> list[list[tuple[Any, ...]]]:
    """All rows that the rulebook is made of, as tuples."""
    return [
        list(model.objects.order_by("pk").values_list())
        for model in (BadgeTemplate, BadgeRequirement, DataRule)
    ]
