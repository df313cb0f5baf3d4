from uuid import UUID

import pytest

from badges.definitions import badge_cycles, badges_named, circle_words
from badges.rules.conditions import DataRule

AWARDED = "org.openedx.learning.badge.awarded.v1"
A, B, C, D = (UUID(int=number) for number in range(1, 5))


@pytest.mark.parametrize(
    ("rule", "named"),
    [
        (DataRule("template.uuid", "eq", str(A)), {A}),
        (DataRule("template.uuid", "in", f"{A}, {B}"), {A, B}),
        (DataRule("template.uuid", "in", f'["{A}", "{B}"]'), {A, B}),
        (DataRule("template.uuid", "ne", str(A)), set()),
        (DataRule("template.uuid", "eq", A.hex), set()),  # matches no event of ours
        (DataRule("template.uuid", "eq", "anything"), set()),
        (DataRule("uuid", "eq", str(A)), set()),
    ],
)
def test_which_badges_a_rule_names(rule: DataRule, named: set[UUID]) -> None:
    assert badges_named(AWARDED, [rule]) == named


def test_another_event_names_no_badge() -> None:
    rule = DataRule("template.uuid", "eq", str(A))
    assert not badges_named("org.openedx.learning.certificate.created.v1", [rule])


@pytest.mark.parametrize(
    ("needs", "through", "circles"),
    [
        ({}, [A], []),
        ({A: {B}, B: {C}}, [A, B, C], []),
        ({A: {B, C}, B: {D}, C: {D}}, [A, B, C, D], []),
        ({A: {A}}, [A], [(A, A)]),
        ({A: {B}, B: {A}}, [B], [(B, A, B)]),
        ({A: {B}, B: {A}}, [A, B], [(A, B, A)]),
        ({A: {B}, B: {C}, C: {D, A}, D: {B}}, [A], [(A, B, C, A)]),
        ({A: {B}, B: {C}, C: {B}}, [A], []),  # leads into one, is in none
        ({A: {B, C}, B: {C}, C: {A}}, [A], [(A, C, A)]),  # the shortest
        ({A: {A}, B: {B}}, [A, B], [(A, A), (B, B)]),
    ],
)
def test_circles(
    needs: dict[UUID, set[UUID]], through: list[UUID], circles: list[tuple[UUID, ...]]
) -> None:
    assert list(badge_cycles(needs, through=through)) == circles


def test_a_circle_in_words() -> None:
    assert circle_words((A, B, A), {A: "Able", B: "Baker"}) == (
        "badges go in a circle: Able needs Baker needs Able"
    )
    assert str(A) in circle_words((A, A))
