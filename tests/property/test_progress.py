"""The engine against the slow reference: random rules, random streams, any order."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from badges.rules.book import Met, Penalty, Requirement, Template
from badges.rules.evidence import Demand
from badges.rules.progress import Held, Matched, advance, carry_over, standing
from tests import reference
from tests.property.badges import KEYS, badges, chosen, delays
from tests.property.effort import PURE
from tests.reference import Badge, Happening

START = datetime(2026, 3, 1, tzinfo=UTC)
VALUES = "xyz"
_streams = st.lists(
    st.tuples(
        delays,
        st.integers(0, 2 ** len(KEYS) - 1),  # requirements
        st.integers(0, len(VALUES) ** len(KEYS) - 1),  # their values
        st.sampled_from(["", "", "p", "q"]),
    ),
    min_size=2,
    max_size=14,
)
_repeats = st.lists(st.integers(0, 13), max_size=3)


@st.composite
def histories(draw: st.DrawFn) -> tuple[Badge, list[Happening]]:
    badge = draw(badges())
    keys = "".join(each.key for each in badge.rules)
    happenings = [
        Happening(
            id=UUID(int=number * 7 % 15),  # not in the order of delivery
            at=START + timedelta(minutes=number - delay),
            requirements={
                key: VALUES[values // len(VALUES) ** KEYS.index(key) % len(VALUES)]
                for key in chosen(bits, keys)
            },
            penalties=(penalty,) if penalty in badge.penalties else (),
        )
        for number, (delay, bits, values, penalty) in enumerate(draw(_streams))
    ]
    repeated = [happenings[number % len(happenings)] for number in draw(_repeats) if happenings]
    return badge, happenings + repeated


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


@PURE
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
    for each in badge.rules:
        if each.within is None and each.key not in template.prerequisites:
            assert len(held.evidence.get(each.key, ())) <= each.count  # no more than is needed


@PURE
@given(histories(), st.randoms(use_true_random=False))
def test_the_order_of_arrival_and_repetition_leave_no_trace(
    history: tuple[Badge, list[Happening]], random: Any
) -> None:
    badge, happenings = history
    template = compiled(badge)
    shuffled = happenings + [each for each in happenings if random.random() < 1 / 4]
    random.shuffle(shuffled)
    one, other = play(template, happenings)[0], play(template, shuffled)[0]
    assert one == other


@PURE
@given(histories(), badges())
def test_an_edit_takes_no_fulfilled_requirement_away(
    history: tuple[Badge, list[Happening]], edited: Badge
) -> None:
    badge, happenings = history
    old, new = compiled(badge), compiled(edited)
    held, _ = play(old, happenings)
    assert carry_over(old, old, held=held) == held
    carried = carry_over(old, new, held=held)
    after = standing(new, held=carried)
    still_there = {each.key for each in new.requirements}
    assert standing(old, held=held).fulfilled & still_there <= after.fulfilled
    assert carried.complete == (held.complete or after.complete)
    assert carry_over(new, new, held=carried) == carried
