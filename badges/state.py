"""The state of learners as plain data: progress, credentials and issuances, and the inbox."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import attrs
from django.db.models import Exists, OuterRef, Q, QuerySet

from badges import rulebook
from badges.accounts import held_of
from badges.models import BadgeProgress, Fulfillment
from badges.rules.book import Template
from badges.rules.progress import Held, Standing, standing
from credentials.models import BadgeTemplate, Issuance, Learner, UserCredential
from events import inbox

Pair = tuple[int, int]  # learner id, template id


class UnknownLearnerError(LookupError):
    """Nobody has that username here."""


@attrs.frozen
class _Rows:
    """All rows that the state of some learners is made of."""

    held: Mapping[Pair, Held]
    credentials: Mapping[Pair, list[UserCredential]]  # newest last
    issuances: Mapping[int, list[Issuance]]
    templates: Mapping[int, BadgeTemplate]
    compiled: Mapping[int, Template]


def state(*, username: str | None = None) -> dict[str, Any]:
    """JSON data of every learner of whom anything is known, or of those with `username`.

    Learners by LMS user id (those without one last), templates by uuid. The number of queries
    does not depend on the number of learners. Raises UnknownLearnerError.
    """
    learners = _learners(username)
    rows = _load(None if username is None else [each.pk for each in learners])
    templates_of: dict[int, list[int]] = defaultdict(list)
    for learner_id, template_id in rows.held.keys() | rows.credentials.keys():
        templates_of[learner_id].append(template_id)
    return {
        "learners": [
            {
                "lms_user_id": learner.lms_user_id,
                "username": learner.username,
                "templates": [
                    _template(rows, (learner.pk, template_id))
                    for template_id in sorted(
                        templates_of[learner.pk], key=lambda pk: str(rows.templates[pk].uuid)
                    )
                ],
            }
            for learner in learners
            if learner.pk in templates_of
        ],
        "inbox": inbox.summary(),
    }


def _learners(username: str | None) -> list[Learner]:
    found = Learner.objects.order_by("lms_user_id", "pk")
    if username is None:
        own = {"learner": OuterRef("pk")}
        has_any = Exists(BadgeProgress.objects.filter(**own)) | Exists(
            UserCredential.objects.filter(**own)
        )
        learners = list(found.filter(has_any))
    else:
        learners = list(found.filter(username=username))
        if not learners:
            raise UnknownLearnerError(username)
    # Databases differ in where NULL stands.
    return sorted(learners, key=lambda each: each.lms_user_id is None)


def _load(learner_ids: list[int] | None) -> _Rows:
    of_learners = Q() if learner_ids is None else Q(learner_id__in=learner_ids)
    progress = list(BadgeProgress.objects.filter(of_learners))
    fulfillments = Fulfillment.objects.filter(requirement__isnull=False)
    if learner_ids is not None:
        fulfillments = fulfillments.filter(progress__learner_id__in=learner_ids)
    evidence: dict[int, list[Fulfillment]] = defaultdict(list)
    for each in fulfillments:
        evidence[each.progress_id].append(each)
    held = {
        (row.learner_id, row.template_id): held_of(row, evidence[row.pk])
        for row in progress
        # A row outlives its evidence when the requirement itself was removed.
        if evidence[row.pk] or row.resets or row.pins
    }
    credentials = _credentials(of_learners)
    issuances: dict[int, list[Issuance]] = defaultdict(list)
    of_credentials = Issuance.objects.order_by("provider")
    if learner_ids is not None:
        of_credentials = of_credentials.filter(credential__learner_id__in=learner_ids)
    for issuance in of_credentials:
        issuances[issuance.credential_id].append(issuance)
    wanted = {template_id for _, template_id in held.keys() | credentials.keys()}
    templates = {each.pk: each for each in BadgeTemplate.objects.all() if each.pk in wanted}
    return _Rows(held, credentials, issuances, templates, _compile(templates.values()))


def _credentials(of_learners: Q) -> dict[Pair, list[UserCredential]]:
    found: dict[Pair, list[UserCredential]] = defaultdict(list)
    rows: QuerySet[UserCredential] = UserCredential.objects.filter(of_learners).order_by("id")
    for each in rows:
        found[each.learner_id, each.template_id].append(each)
    return dict(found)


def _compile(templates: Iterable[BadgeTemplate]) -> dict[int, Template]:
    """Inactive templates are not in the rulebook."""
    found = dict(rulebook.current().templates)
    inactive = [each.pk for each in templates if each.pk not in found]
    return found | {each.id: each for each in rulebook.compile_some(inactive)}


def _template(rows: _Rows, pair: Pair) -> dict[str, Any]:
    compiled = rows.compiled[pair[1]]
    reached = standing(compiled, held=rows.held.get(pair, Held()))
    return {
        "template": str(rows.templates[pair[1]].uuid),
        "complete": reached.complete,
        "groups_met": reached.groups_met,
        "groups_required": reached.groups_required,
        "requirements": [
            {
                "id": each.key,
                "fulfilled": each.key in reached.fulfilled,
                "count": reached.tallies[each.key].counted,
            }
            for each in compiled.requirements
        ],
        "credential": _credential(rows, pair, compiled, reached),
    }


def _credential(
    rows: _Rows, pair: Pair, compiled: Template, reached: Standing
) -> dict[str, Any] | None:
    """The live one, else the newest."""
    known = rows.credentials.get(pair)
    if not known:
        return None
    shown = next((each for each in known if each.live), known[-1])
    return {
        "uuid": str(shown.uuid),
        "status": shown.status,
        "blocked_by_revocation": (
            reached.complete and not shown.live and not compiled.reissue_allowed
        ),
        "issuances": [
            {
                "provider": each.provider,
                "wanted": each.wanted,
                "state": each.state,
                "external_id": each.external_id,
            }
            for each in rows.issuances.get(shown.pk, [])
        ],
    }
