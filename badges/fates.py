"""What becomes of one learner and template: the transitions, and where it all ends, as one word."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from enum import Enum
from typing import Final

import attrs

from badges.accounts import Account
from badges.rules.book import Template
from badges.rules.progress import Standing
from credentials.lifecycle import Transition, Verdict, judge


class Kind(Enum):
    """What becomes of one learner and template."""

    AWARD = "would be awarded"
    REVOKE = "would be revoked"
    AWARD_AND_REVOKE = "would be awarded and revoked again"
    BLOCKED = "met everything, but stay revoked"
    KEPT = "keep it although the rules are not met"
    NEARLY = "nearly there"


CHANGES: Final = frozenset({Kind.AWARD, Kind.REVOKE, Kind.AWARD_AND_REVOKE})


@attrs.frozen
class Fate:
    """What becomes of one learner and template; `kind` None: nothing worth a number."""

    learner_id: int
    kind: Kind | None
    reasons: tuple[str, ...] = ()


def fate(account: Account, transitions: Iterable[Transition], *, live: bool | None) -> Fate:
    was_live, verdicts, reasons = bool(live), set(), []
    for each in transitions:
        verdict = judge(each, live=live)
        verdicts.add(verdict)
        if verdict is Verdict.REVOKE:
            reasons.append(each.reason)
        if verdict in {Verdict.AWARD, Verdict.REVOKE}:
            live = verdict is Verdict.AWARD
    kind = _kind(account.standing, verdicts, was_live=was_live, is_live=bool(live))
    if kind in {Kind.KEPT, Kind.NEARLY}:
        reasons = list(_missing(account.template, account.standing))
    return Fate(account.row.learner_id, kind, tuple(dict.fromkeys(reasons)))


def _kind(
    reached: Standing, verdicts: Collection[Verdict], *, was_live: bool, is_live: bool
) -> Kind | None:
    if was_live != is_live:
        return Kind.AWARD if is_live else Kind.REVOKE
    if Verdict.AWARD in verdicts:
        return Kind.AWARD_AND_REVOKE
    if is_live:
        return None if reached.complete else Kind.KEPT
    if reached.complete:
        return Kind.BLOCKED
    has_something = any(each.counted for each in reached.tallies.values())
    is_near = has_something and reached.groups_required - reached.groups_met == 1
    return Kind.NEARLY if is_near else None


def _missing(template: Template, reached: Standing) -> Iterator[str]:
    """Each group that is not met: the requirements that would meet it."""
    members: dict[str, list[str]] = defaultdict(list)
    for each in template.requirements:
        members[each.group].append(each.key)
    for label, required in template.groups.items():
        still_open = [key for key in members[label] if key not in reached.fulfilled]
        wanted = required - (len(members[label]) - len(still_open))
        if wanted > 0:
            choice = " or ".join(still_open)
            yield f"misses {choice}" if wanted == 1 else f"misses {wanted} of {choice}"
