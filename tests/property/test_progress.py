"""The engine against the slow reference: random rules, random streams, any order."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from badges.rules.book import Met, Penalty, Requirement, Template
from badges.rules.evidence import Demand
from badges.rules.progress import Held, Matched, advance, standing
from tests import reference
from tests.reference import Badge, Happening, Rule

START = datetime(2026, 3, 1, tzinfo=UTC)
KEYS = "abcd"


@st.composite
def badges(draw: st.DrawFn) -> Badge:
    keys = KEYS[: draw(st.integers(1, 4))]
    rules = tuple(
        Rule(
            key=key,
            group=draw(st.sampled_from("GH")),
            count=draw(st.integers(1, 3)),
            distinct=draw(st.booleans()),
            within=draw(st.none() | st.builds(timedelta, minutes=st.integers(1, 6))),
            # Only earlier ones: no circle.
            after=tuple(draw(st.sets(st.sampled_from(keys[:number]), max_size=2)))
            if number
            else (),
        )
        for number, key in enumerate(keys)
    )
    sizes = {label: sum(each.group == label for each in rules) for label in "GH"}
    groups = {label: draw(st.integers(1, size)) for label, size in sizes.items() if size}
    penalties = draw(
        st.dictionaries(
            st.sampled_from("pq"), st.sets(st.sampled_from(keys), min_size=1).map(tuple)
        )
    )
    return Badge(rules=rules, groups=groups, penalties=penalties)


@st.composite
def histories(draw: st.DrawFn) -> tuple[Badge, list[Happening]]:
    badge = draw(badges())
    keys = [each.key for each in badge.rules]
    names = sorted(badge.penalties)
    happenings = [
        Happening(
            id=UUID(int=number),
            at=START + timedelta(minutes=draw(st.integers(0, 12))),
            requirements=draw(st.dictionaries(st.sampled_from(keys), st.sampled_from("xyz"))),
            penalties=tuple(draw(st.sets(st.sampled_from(names), max_size=1))) if names else (),
        )
        for number in range(draw(st.integers(0, 14)))
    ]
    repeated = draw(st.lists(st.sampled_from(happenings), max_size=3)) if happenings else []
    return badge, draw(st.permutations(happenings + repeated))


def compiled(badge: Badge) -> Template:
    requirements = tuple(
        Requirement(
            id=number,
            key=each.key,
            event_type="t",
            group=each.group,
            conditions=(),
            demand=Demand(each.count, each.distinct, each.within),
            after=each.after,
        )
        for number, each in enumerate(badge.rules)
    )
    penalties = tuple(
        Penalty(id=number, key=name, event_type="t", resets=keys, conditions=())
        for number, (name, keys) in enumerate(badge.penalties.items())
    )
    return Template(1, badge.groups, requirements, penalties)


def play(template: Template, happenings: Sequence[Happening]) -> tuple[Held, list[Any]]:
    held = Held()
    transitions = []
    rules = {each.key: each for each in template.requirements}
    penalties = {each.key: each for each in template.penalties}
    for each in happenings:
        matched = Matched(
            event_id=each.id,
            at=each.at,
            met=tuple(Met(rules[key], value) for key, value in each.requirements.items()),
            penalties=tuple(penalties[name] for name in each.penalties),
        )
        step = advance(template, held=held, matched=matched)
        if step.held.complete != held.complete:
            transitions.append((step.held.complete, each.id))
        held = step.held
        assert step.standing == standing(template, held=held)
    return held, transitions


@given(histories())
def test_as_the_reference(history: tuple[Badge, list[Happening]]) -> None:
    badge, happenings = history
    template = compiled(badge)
    held, transitions = play(template, happenings)
    expected = reference.judge(badge, happenings)
    found = standing(template, held=held)
    assert {key: bool(each.fulfilled) for key, each in found.tallies.items()} == expected.fulfilled
    assert {key: each.counted for key, each in found.tallies.items()} == expected.counts
    assert (found.complete, found.groups_met) == (expected.complete, expected.groups_met)
    assert transitions == reference.transitions(badge, happenings)


@given(histories(), st.randoms())
def test_the_order_of_arrival_leaves_no_trace(
    history: tuple[Badge, list[Happening]], random: Any
) -> None:
    badge, happenings = history
    template = compiled(badge)
    shuffled = list(happenings)
    random.shuffle(shuffled)
    one, other = play(template, happenings)[0], play(template, shuffled)[0]
    assert one == other
