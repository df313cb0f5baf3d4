"""Why a learner has, lost or does not yet have a badge, as data and in words."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import attrs

from badges import rulebook
from badges.accounts import held_of
from badges.archive import archived
from badges.decisions import Seen, seen
from badges.models import BadgeProgress, Decision
from badges.rules.book import Requirement, Template
from badges.rules.evidence import Evidence
from badges.rules.progress import Held, Standing, standing
from credentials.models import BadgeTemplate, Learner, UserCredential
from events.models import InboxEvent

_LOOK_BACK: Final = 200  # archived events of the learner that are looked at for near misses


@attrs.frozen
class NearMiss:
    """The newest event of the right type that did not match, and the rules that did not hold."""

    event_id: str
    at: datetime
    failed: tuple[Seen, ...]


@attrs.frozen
class RequirementAnswer:
    id: str
    words: str
    group: str
    fulfilled: bool
    counted: int
    demanded: int
    by_event: str | None
    at: datetime | None
    version: int | None
    reset_at: datetime | None
    waits_for: tuple[str, ...]
    near_miss: NearMiss | None


@attrs.frozen
class Explanation:
    """`verdict` in one sentence; `missing` in words, one entry per group that is not met."""

    learner: str
    template: str
    verdict: str
    complete: bool
    blocked: bool
    groups_met: int
    groups_required: int
    missing: tuple[str, ...]
    requirements: tuple[RequirementAnswer, ...]
    history: tuple[str, ...]


def explain(learner: Learner, template: BadgeTemplate) -> Explanation:
    """Works for any learner and template, also when nothing ever matched: then the archived
    events of the learner say how near it was. A fixed number of queries.
    """
    compiled = rulebook.compile_one(template)
    held = _held(learner, template)
    stands = standing(compiled, held=held)
    credential = (
        UserCredential.objects.filter(learner=learner, template=template).order_by("-id").first()
    )
    blocked = bool(
        stands.complete
        and credential is not None
        and not credential.live
        and not compiled.reissue_allowed
    )
    misses = _near_misses(learner, compiled, fulfilled=stands.fulfilled)
    texts = dict(template.requirements.values_list("key", "description"))
    answers = tuple(
        _answer(each, held, stands, words=texts.get(each.key) or words_for(each), misses=misses)
        for each in compiled.requirements
    )
    return Explanation(
        learner=str(learner),
        template=template.name,
        verdict=_verdict(template, credential, stands, blocked=blocked),
        complete=stands.complete,
        blocked=blocked,
        groups_met=stands.groups_met,
        groups_required=stands.groups_required,
        missing=tuple(_missing(compiled, answers)),
        requirements=answers,
        history=tuple(history(learner, template)),
    )


def _held(learner: Learner, template: BadgeTemplate) -> Held:
    row = BadgeProgress.objects.filter(learner=learner, template=template).first()
    return held_of(row, row.fulfillments.all()) if row else Held()


def _verdict(
    template: BadgeTemplate, credential: UserCredential | None, stands: Standing, *, blocked: bool
) -> str:
    progress = f"{stands.groups_met} of {stands.groups_required} groups are met"
    if credential is not None and credential.live:
        return f"Has the badge since {credential.awarded_at:%Y-%m-%d %H:%M} UTC; {progress}."
    if blocked:
        return "Met everything again, but a revoked badge of this template is not awarded again."
    if credential is not None:
        why = credential.revocation_reason or credential.get_revocation_origin_display()
        return f"Lost the badge on {credential.revoked_at:%Y-%m-%d %H:%M} UTC ({why}); {progress}."
    if not template.is_active:
        return f"Does not have the badge: the template is not active; {progress}."
    return f"Does not have the badge yet; {progress}."


def words_for(requirement: Requirement) -> str:
    """The requirement in words, for those that nobody described."""
    name = requirement.event_type.removeprefix("org.openedx.learning.").rsplit(".v", 1)[0]
    rules = " and ".join(
        f"{each.rule.path} {each.rule.operator} {each.rule.value}".strip()
        for each in requirement.conditions
    )
    text = f"{name} with {rules}" if rules else f"any {name}"
    demand = requirement.demand
    if demand.count > 1:
        different = " different" if demand.distinct else ""
        text = f"{demand.count}{different} times: {text}"
    if demand.within is not None:
        text += f", within {_length(demand.within)}"
    if requirement.after:
        text += f", after {' and '.join(requirement.after)}"
    return text


def _length(duration: timedelta) -> str:
    """In words: 30 days, 12 hours."""
    seconds = int(duration.total_seconds())
    parts = []
    for name, size in (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)):
        number, seconds = divmod(seconds, size)
        if number:
            parts.append(f"{number} {name}{'s' if number > 1 else ''}")
    return " ".join(parts)


def _answer(
    requirement: Requirement,
    held: Held,
    stands: Standing,
    *,
    words: str,
    misses: Mapping[str, NearMiss],
) -> RequirementAnswer:
    tally = stands.tallies[requirement.key]
    by: Evidence | None = tally.fulfilled
    return RequirementAnswer(
        id=requirement.key,
        words=words,
        group="" if requirement.group.startswith("\x00") else requirement.group,
        fulfilled=by is not None,
        counted=tally.counted,
        demanded=requirement.demand.count,
        by_event=str(by.event_id) if by else None,
        at=by.at if by else None,
        version=by.version if by else None,
        reset_at=held.resets.get(requirement.key),
        waits_for=tuple(key for key in requirement.after if key not in stands.fulfilled),
        near_miss=misses.get(requirement.key),
    )


def _missing(template: Template, answers: Iterable[RequirementAnswer]) -> Iterable[str]:
    """Each group that is not met, as what would meet it."""
    by_key = {each.id: each for each in answers}
    members: dict[str, list[RequirementAnswer]] = defaultdict(list)
    for each in template.requirements:
        members[each.group].append(by_key[each.key])
    for label, required in template.groups.items():
        open_ones = [each for each in members[label] if not each.fulfilled]
        still = required - (len(members[label]) - len(open_ones))
        if still <= 0:
            continue
        choice = " or ".join(map(_open, open_ones))
        yield choice if still == 1 else f"{still} of: {choice}"


def _open(answer: RequirementAnswer) -> str:
    text = answer.words
    if answer.demanded > 1:
        text += f" ({answer.counted} of {answer.demanded} so far)"
    if answer.waits_for:
        text += f" (waits for {' and '.join(answer.waits_for)})"
    return text


def _near_misses(
    learner: Learner, template: Template, *, fulfilled: frozenset[str]
) -> Mapping[str, NearMiss]:
    """For each open requirement the newest archived event of its type that failed a rule. One
    query.
    """
    wanted = [each for each in template.requirements if each.key not in fulfilled]
    types = {each.event_type for each in wanted}
    if not types:
        return {}
    rows = InboxEvent.objects.filter(
        learner=learner, event_type__in=types, state=InboxEvent.State.ACCEPTED
    ).order_by("-event_time")[:_LOOK_BACK]
    found: dict[str, NearMiss] = {}
    for row in rows:
        event = archived(row)
        for requirement in wanted:
            if requirement.event_type == row.event_type and requirement.key not in found:
                failed = tuple(
                    seen(each, event) for each in requirement.conditions if not each.holds(event)
                )
                if failed and row.event_time:
                    found[requirement.key] = NearMiss(str(row.event_id), row.event_time, failed)
    return found


def history(learner: Learner, template: BadgeTemplate) -> Sequence[str]:
    """The newest decisions, oldest first, one line each."""
    rows = Decision.objects.filter(learner=learner, template=template).order_by("-id")[:20]
    return [_line(each) for each in reversed(rows)]


def _line(each: Decision) -> str:
    what = each.requirement or (f"penalty {each.penalty}" if each.penalty else "badge")
    outcome = each.get_outcome_display().lower()
    count = f" {each.counted}/{each.demanded}" if each.outcome == Decision.Outcome.COUNTED else ""
    values = ", ".join(f"{path} = {value}" for path, _, _, value in each.seen)
    by = f", event {each.event_id}" if each.event_id else ""
    reason = f": {each.reason}" if each.reason else ""
    saw = f" ({values})" if values else ""
    return (
        f"{each.event_time:%Y-%m-%d %H:%M:%S} {what}: {outcome}{count}{reason}{saw}"
        f"{by}, rules version {each.version}"
    )
