"""What an edit of the rules does to learners under way.

Whoever changes a template, requirement, rule or penalty does it in a transaction that begins with
`DefinitionsVersion.lock_for_writing`, as that of `edit`, and calls `definitions_changed` at its
end. Active templates whose rules really differ get a new version; the progress of their learners is
carried over to it; whoever is complete now is awarded. A credential once awarded is not taken away
by an edit.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Final

import attrs
from django.db import transaction
from django.db.models import Max

from badges import accounts, decisions, news, rulebook
from badges.accounts import Account
from badges.models import BadgeProgress, RulesVersion
from badges.rules.book import Template
from badges.rules.progress import Standing, carry_over, standing
from credentials import holds, issuances, lifecycle, outbox
from credentials.database import in_chunks
from credentials.lifecycle import Transition
from credentials.models import BadgeTemplate, DefinitionsVersion

_PAGE: Final = 500  # learners that are carried over with one set of statements
_BY_EDIT: Final = "The rules were edited or activated."


@attrs.frozen
class EditEffect:
    """What an edit of one template does, in numbers of learners."""

    under_way: int = 0  # had progress and no credential
    lost: int = 0  # of those, have less counted than before
    gained: int = 0  # have more groups met
    completed: int = 0  # are complete now, and are awarded
    kept: int = 0  # keep their badge although the new rules are not met

    @property
    def is_felt(self) -> bool:
        return bool(self.lost or self.completed or self.kept)

    def __str__(self) -> str:
        if not self.is_felt:
            return f"no learner loses anything ({self.under_way} under way)"
        awards = ("meets everything now and gets", "meet everything now and get")
        parts = [
            f"{_learners(self.lost, 'loses', 'lose')} a part of the progress" if self.lost else "",
            "nobody loses a badge",
            f"{_learners(self.completed, *awards)} the badge at once" if self.completed else "",
            f"{_learners(self.kept, 'keeps', 'keep')} the badge without meeting the new rules"
            if self.kept
            else "",
        ]
        return ", ".join(part for part in parts if part)


def _learners(count: int, one: str, many: str) -> str:
    return f"1 learner {one}" if count == 1 else f"{count} learners {many}"


@contextmanager
def edit() -> Iterator[None]:
    """The transaction of a change."""
    with transaction.atomic():
        DefinitionsVersion.lock_for_writing()
        yield


def definitions_changed(template_ids: Collection[int], *, now: datetime) -> dict[int, EditEffect]:
    """Requires the transaction of `edit`. Returns the effect on the templates that got a new
    version or were activated.
    """
    DefinitionsVersion.bump()
    holds.release_for_templates(template_ids, now=now)
    effects: dict[int, EditEffect] = {}
    for chunk in in_chunks(sorted(template_ids)):
        active = list(
            BadgeTemplate.objects.filter(pk__in=chunk, is_active=True).values_list("pk", flat=True)
        )
        former = _newest_versions(active)
        fresh = _new_versions(active, former, now=now)
        with_progress = set(
            BadgeProgress.objects.filter(template_id__in=active)
            .values_list("template_id", flat=True)
            .distinct()
        )
        for template in rulebook.compile_some(sorted(with_progress)):
            before = former.get(template.id) if template.id in fresh else None
            effects[template.id] = _carry_over(template, before, now=now)
    return effects


def _newest_versions(template_ids: Sequence[int]) -> dict[int, RulesVersion]:
    newest = (
        RulesVersion.objects.filter(template_id__in=template_ids)
        .order_by()
        .values_list("template_id")
        .annotate(Max("number"))
    )
    numbers = dict(newest)
    rows = RulesVersion.objects.filter(
        template_id__in=list(numbers), number__in=set(numbers.values())
    )
    return {row.template_id: row for row in rows if row.number == numbers[row.template_id]}


def _new_versions(
    template_ids: Sequence[int], former: Mapping[int, RulesVersion], *, now: datetime
) -> frozenset[int]:
    """Write versions for those whose rules differ from the newest; returns which."""
    rows = [
        RulesVersion(
            template_id=template_id,
            number=former[template_id].number + 1 if template_id in former else 1,
            snapshot=snapshot,
            created=now,
        )
        for template_id, snapshot in rulebook.snapshots(template_ids).items()
        if template_id not in former or former[template_id].snapshot != snapshot
    ]
    RulesVersion.objects.bulk_create(rows)
    return frozenset(row.template_id for row in rows)


def _pages(template_id: int) -> Iterator[list[BadgeProgress]]:
    """The progress of every learner of a template, locked, in the order of the flow."""
    last = 0
    while True:
        rows = BadgeProgress.objects.select_for_update().filter(
            template_id=template_id, learner_id__gt=last
        )
        page = list(rows.order_by("learner_id")[:_PAGE])
        if not page:
            return
        last = page[-1].learner_id
        yield page


def _carry_over(template: Template, former: RulesVersion | None, *, now: datetime) -> EditEffect:
    effect = EditEffect()
    old = _compiled(former)
    for page in _pages(template.id):
        transitions = []
        read = accounts.read(page, {template.id: template})
        for account in read:
            before, after = _carried(account, old, template)
            effect = _add(effect, account, before, after)
            if account.held.complete and not account.before.complete:
                account.row.completed_at = now
                transitions.append(_completed(account, at=now))
        accounts.write(read)
        applied = lifecycle.apply(transitions)
        issuances.want(applied.changes, now=now)
        outbox.announce(applied.changes)
        news.tell_transitions(transitions)
        decisions.write(decisions.of_transitions(transitions, applied, now=now, reason=_BY_EDIT))
    return effect


def _compiled(version: RulesVersion | None) -> Template | None:
    if version is None:
        return None
    return rulebook.compile_snapshot(
        version.snapshot, template_id=version.template_id, version=version.number
    )


def _carried(account: Account, old: Template | None, new: Template) -> tuple[Standing, Standing]:
    """Moves the account to the new rules; returns where it stood and stands. Without `old` the
    rules are the same: the template was activated again.
    """
    if old is None:
        complete = account.held.complete or account.standing.complete
        account.held = attrs.evolve(account.held, complete=complete)
        return account.standing, account.standing
    stood = standing(old, held=account.before)
    account.held = carry_over(old, new, held=account.before)
    account.standing = standing(new, held=account.held)
    return stood, account.standing


def _add(effect: EditEffect, account: Account, before: Standing, after: Standing) -> EditEffect:
    had, has = account.before.complete, after.complete
    return EditEffect(
        under_way=effect.under_way + (not had),
        lost=effect.lost + (not had and not has and _loses(account.template, before, after)),
        gained=effect.gained + (after.groups_met > before.groups_met),
        completed=effect.completed + (has and not had),
        kept=effect.kept + (had and not has),
    )


def _loses(template: Template, before: Standing, after: Standing) -> bool:
    """Does something count no more, other than because less is demanded?"""
    demands = {each.key: each.demand.count for each in template.requirements}
    return any(
        after.tallies[key].counted < min(was.counted, demands[key])
        if key in demands
        else was.counted
        for key, was in before.tallies.items()
    )


def _completed(account: Account, *, at: datetime) -> Transition:
    return Transition(
        learner_id=account.row.learner_id,
        template_id=account.row.template_id,
        complete=True,
        reissue_allowed=account.template.reissue_allowed,
        at=at,
        event_id=None,
        rules_version=account.template.version,
    )
