from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import attrs
import pytest

from badges import accounts
from badges.fates import Fate, Kind, fate
from badges.rules.book import Requirement, Template
from badges.rules.evidence import Evidence
from badges.rules.progress import Held, standing
from credentials.lifecycle import Transition

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def requirement(key: str, group: str) -> Requirement:
    return Requirement(id=ord(key), key=key, event_type="t", group=group, conditions=())


ALL = tuple(requirement(key, group) for key, group in (("a", "G"), ("b", "G"), ("c", "H")))
TEMPLATE = Template(id=1, groups={"G": 1, "H": 1}, requirements=ALL, penalties=())
COMPLETE, INCOMPLETE = True, False


def ends(
    *moves: bool,
    live: bool | None = None,
    fulfilled: str = "",
    reissue: bool = False,
    template: Template = TEMPLATE,
) -> Fate:
    """`moves`: transitions; `fulfilled`: keys of requirements in the end."""
    account = accounts.blank(7, template)
    evidence = {key: (Evidence(NOW, UUID(int=1)),) for key in fulfilled}
    account.standing = standing(template, held=Held(evidence=evidence))
    return fate(account, _transitions(moves, reissue=reissue), live=live)


def _transitions(moves: Sequence[bool], *, reissue: bool) -> list[Transition]:
    return [
        Transition(7, 1, complete, reissue, at=NOW, event_id=None, reason="" if complete else "p")
        for complete in moves
    ]


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        (ends(), None),
        (ends(COMPLETE, fulfilled="ac"), Kind.AWARD),
        (ends(COMPLETE, live=True, fulfilled="ac"), None),  # staff awarded it before
        (ends(INCOMPLETE, live=True), Kind.REVOKE),
        (ends(COMPLETE, INCOMPLETE), Kind.AWARD_AND_REVOKE),
        (ends(COMPLETE, INCOMPLETE, COMPLETE, fulfilled="ac"), Kind.AWARD_AND_REVOKE),
        (ends(COMPLETE, INCOMPLETE, COMPLETE, fulfilled="ac", reissue=True), Kind.AWARD),
        (ends(COMPLETE, live=False, fulfilled="ac"), Kind.BLOCKED),
        (ends(COMPLETE, live=False, fulfilled="ac", reissue=True), Kind.AWARD),
        (ends(live=True), Kind.KEPT),
        (ends(live=True, fulfilled="bc"), None),
        (ends(fulfilled="a"), Kind.NEARLY),
    ],
)
def test_what_becomes_of_a_learner(found: Fate, kind: Kind | None) -> None:
    assert found.kind is kind
    assert found.learner_id == 7


def test_the_reasons() -> None:
    assert ends(INCOMPLETE, live=True).reasons == ("p",)
    assert ends(fulfilled="c").reasons == ("misses a or b",)
    assert ends(live=True).reasons == ("misses a or b", "misses c")
    two = attrs.evolve(TEMPLATE, groups={"G": 2, "H": 1})
    assert ends(live=True, template=two).reasons == ("misses 2 of a or b", "misses c")


def test_who_has_nothing_is_not_near() -> None:
    one = Template(id=1, groups={"G": 1}, requirements=ALL[:2], penalties=())
    assert ends(template=one).kind is None
