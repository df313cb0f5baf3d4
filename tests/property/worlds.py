"""Random templates and learners' events, as the service stores and receives them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final
from uuid import UUID

import attrs
from hypothesis import strategies as st
from opaque_keys.edx.keys import CourseKey
from openedx_events.learning.data import (
    CourseData,
    CourseEnrollmentData,
    UserData,
    UserPersonalData,
)

from badges import rulebook
from badges.models import (
    BadgePenalty,
    BadgeRequirement,
    DataRule,
    PenaltyDataRule,
    RequirementGroup,
)
from credentials.models import BadgeTemplate, DefinitionsVersion
from events.event import Event
from events.registry import subscriptions
from events.wire import make_event
from tests import reference
from tests.property.badges import badges, delays
from tests.reference import Badge, Happening

START: Final = datetime(2026, 3, 1, tzinfo=UTC)
TYPES: Final = tuple(
    f"org.openedx.learning.course.enrollment.{verb}.v1" for verb in ("created", "changed")
)
COURSES: Final = tuple(f"course-v1:Acme+D{number}+2026" for number in (1, 2))
MODES: Final = ("audit", "0.90", "7")
LEARNERS: Final = (11, 12)
STARTS: Final = (None, START, START.astimezone(timezone(timedelta(hours=9))), START + timedelta(1))
_KINDS: Final[Mapping[str, str]] = {
    "course.course_key": "key",
    "mode": "text",
    "is_active": "boolean",
    "course.start": "datetime",
    "user.id": "number",
    "created_by": "object",
}
_EXPECTED: Final[Mapping[str, tuple[str, ...]]] = {
    "key": COURSES,
    "text": ("audit", "0.9", "7"),
    "boolean": ("true", "No"),
    "datetime": ("2026-03-01T01:00:00+01:00", "2026-03-01T12:00:00Z"),
    "number": ("11", "12.0"),
    "object": ("",),
}
_PIECES: Final = ("a", "D1", "7", "9")


def _one(path: str, operator: str) -> list["Written"]:
    """Every rule of `operator` at `path`."""
    values = _EXPECTED[_KINDS[path]]
    if operator in {"exists", "is_missing"}:
        values = ("",)
    elif operator in {"in", "not_in"}:
        values = (values[0], ", ".join(values))
    elif operator in {"contains", "not_contains", "starts_with", "ends_with", "matches"}:
        values = _PIECES
    return [Written(path, operator, value) for value in values]


@attrs.frozen
class Written:
    """A data rule, as it is stored."""

    path: str
    operator: str
    value: str


@attrs.frozen
class Trigger:
    """What a requirement or penalty waits for."""

    event_type: str
    rules: tuple[Written, ...]


@attrs.frozen
class Story:
    """One template: its rules, and what each requirement and penalty waits for."""

    badge: Badge
    triggers: Mapping[str, Trigger]
    distinct_by: str
    reissue: bool
    active: bool


_rules = st.sampled_from(
    [
        each
        for path, kind in _KINDS.items()
        for operator in reference.FITS[kind]
        for each in _one(path, operator)
    ]
)
# Most wait for a course or for anything, as they would; or hardly any badge would ever be earned.
_conditions = st.lists(
    st.sampled_from(_one("course.course_key", "eq") + _one("is_active", "eq")) | _rules,
    max_size=2,
).map(lambda rules: tuple(rules[1:]))
_requirements = st.builds(Trigger, st.sampled_from([*TYPES, TYPES[0], TYPES[0]]), _conditions)
_penalties = st.builds(Trigger, st.sampled_from([*TYPES, TYPES[1], TYPES[1]]), _conditions)
_distinct_by = st.sampled_from(["course.course_key", "course.start"])
_mostly = st.integers(0, 7).map(bool)
Move = tuple[str, int, int, str, str, bool, datetime | None]
_moves: st.SearchStrategy[list[Move]] = st.lists(
    st.tuples(
        st.sampled_from([TYPES[0], *TYPES]),
        st.sampled_from([LEARNERS[0], *LEARNERS]),
        delays,
        st.sampled_from(COURSES),
        st.sampled_from(MODES),
        st.booleans(),
        st.sampled_from(STARTS),
    ),
    min_size=4,
    max_size=14,
)
_again = st.lists(st.integers(0, 13), max_size=4)


@st.composite
def stories(draw: st.DrawFn) -> Story:
    badge = draw(badges())
    return Story(
        badge=badge,
        triggers={
            **{each.key: draw(_requirements) for each in badge.rules},
            **{name: draw(_penalties) for name in badge.penalties},
        },
        distinct_by=draw(_distinct_by),
        reissue=draw(st.booleans()),
        active=draw(_mostly),
    )


@st.composite
def streams(draw: st.DrawFn) -> list[Event]:
    """In the order of delivery, some events more than once."""
    events = [_event(number, move) for number, move in enumerate(draw(_moves))]
    for number in draw(_again):
        events.insert(number, events[number % len(events)])
    return events


def _event(number: int, move: Move) -> Event:
    event_type, learner, delay, course, mode, is_active, start = move
    pii = UserPersonalData(username=f"u{learner}", email="", name="")
    payload = CourseEnrollmentData(
        user=UserData(id=learner, is_active=True, pii=pii),
        course=CourseData(course_key=CourseKey.from_string(course), display_name="", start=start),
        mode=mode,
        is_active=is_active,
        creation_date=START,
    )
    return make_event(
        subscriptions()[event_type],
        payload=payload,
        event_id=UUID(int=1 + number * 7 % 15),  # not in the order of delivery
        time=START + timedelta(minutes=number - delay),
        source="",
        sourcehost="",
        origin="",
    )


# --- Stored --------------------------------------------------------------------------------------
def store(told: Sequence[Story]) -> list[int]:
    """The keys of the templates, in the order of `told`."""
    templates = BadgeTemplate.objects.bulk_create(
        BadgeTemplate(
            uuid=UUID(int=number + 1),
            name=f"T{number}",
            is_active=each.active,
            reissue="allowed" if each.reissue else "never",
        )
        for number, each in enumerate(told)
    )
    pairs = list(zip(templates, told, strict=True))
    RequirementGroup.objects.bulk_create(
        RequirementGroup(template=template, label=label, required=required)
        for template, each in pairs
        for label, required in each.badge.groups.items()
    )
    requirements = BadgeRequirement.objects.bulk_create(
        BadgeRequirement(
            template=template,
            key=rule.key,
            event_type=each.triggers[rule.key].event_type,
            group=rule.group if each.badge.sizes[rule.group] > 1 else "",
            count=rule.count,
            distinct_by=each.distinct_by if rule.distinct else "",
            within="" if rule.within is None else f"PT{rule.within // timedelta(minutes=1)}M",
        )
        for template, each in pairs
        for rule in each.badge.rules
    )
    penalties = BadgePenalty.objects.bulk_create(
        BadgePenalty(template=template, key=name, event_type=each.triggers[name].event_type)
        for template, each in pairs
        for name in each.badge.penalties
    )
    _connect(told, [each.pk for each in templates], requirements, penalties)
    DefinitionsVersion.bump()
    rulebook.forget()
    return [each.pk for each in templates]


def _connect(
    told: Sequence[Story],
    templates: Sequence[int],
    requirements: Sequence[BadgeRequirement],
    penalties: Sequence[BadgePenalty],
) -> None:
    """The rows that belong to requirements and penalties."""
    story_of = dict(zip(templates, told, strict=True))
    pk_of = {(each.template_id, each.key): each.pk for each in requirements}
    DataRule.objects.bulk_create(
        DataRule(requirement=row, **attrs.asdict(rule))
        for row in requirements
        for rule in story_of[row.template_id].triggers[row.key].rules
    )
    PenaltyDataRule.objects.bulk_create(
        PenaltyDataRule(penalty=row, **attrs.asdict(rule))
        for row in penalties
        for rule in story_of[row.template_id].triggers[row.key].rules
    )
    after = BadgeRequirement.after.through
    after.objects.bulk_create(
        after(from_badgerequirement_id=pk_of[template, rule.key],
              to_badgerequirement_id=pk_of[template, key])
        for template, each in story_of.items()
        for rule in each.badge.rules
        for key in rule.after
    )  # fmt: skip
    resets = BadgePenalty.requirements.through
    resets.objects.bulk_create(
        resets(badgepenalty_id=row.pk, badgerequirement_id=pk_of[row.template_id, key])
        for row in penalties
        for key in story_of[row.template_id].badge.penalties[row.key]
    )


# --- What the reference makes of it ---------------------------------------------------------------
def happening(story: Story, event: Event) -> Happening:
    """`event`, matched the slow way."""
    met = {name for name, trigger in story.triggers.items() if _triggers_it(trigger, event)}
    told_apart = _at(event, story.distinct_by)
    value = str(told_apart.astimezone(UTC) if isinstance(told_apart, datetime) else told_apart)
    return Happening(
        id=event.id,
        at=event.time,
        requirements={
            rule.key: value
            for rule in story.badge.rules
            if rule.key in met and not (rule.distinct and told_apart is None)
        },
        penalties=tuple(name for name in story.badge.penalties if name in met),
    )


def _triggers_it(trigger: Trigger, event: Event) -> bool:
    return trigger.event_type == event.type and all(
        reference.holds(_KINDS[each.path], each.operator, each.value, _at(event, each.path))
        for each in trigger.rules
    )


def _at(event: Event, path: str) -> Any:
    found = event.payload
    for step in path.split("."):
        found = getattr(found, step)
    return found
