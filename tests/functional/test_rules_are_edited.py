"""A template's rules change while learners are on their way (design, section 4, line 18)."""

from typing import Any

import pytest

from credentials.models import UserCredential
from tests.functional.conftest import Service
from tests.functional.stories import PASSING, explorer, passes, rules

BOTH = explorer()["templates"][0]["requirements"]
THIRD = {"id": "three", "event_type": PASSING, "rules": rules(3, "true")}
EITHER = [{**each, "group": "any"} for each in BOTH]


@pytest.mark.parametrize(
    ("before", "after", "minutes"),
    [(BOTH, [*BOTH, THIRD], (1, 2)), (EITHER, BOTH, (1,))],
    ids=["one more requirement", "alternatives become demands"],
)
def test_an_edit_takes_no_awarded_badge_away(
    service: Service, before: list[Any], after: list[Any], minutes: tuple[int, ...]
) -> None:
    service.load(explorer(requirements=before))
    service.publish([passes("ann", number, minute=number) for number in minutes])
    service.consume()
    assert UserCredential.objects.get().live

    service.load(explorer(requirements=after))
    service.publish([passes("ann", 1, minute=9)])  # she passes again: no penalty, nothing lost
    service.consume()
    assert UserCredential.objects.get().live


def test_a_penalty_still_takes_it_away_after_the_edit(service: Service) -> None:
    service.load(explorer())
    service.publish([passes("ann", 1, minute=1), passes("ann", 2, minute=2)])
    service.consume()
    service.load(explorer(requirements=[*BOTH, THIRD]))
    service.publish([passes("ann", 1, minute=9, passing=False)])
    service.consume()
    assert not UserCredential.objects.get().live


def test_whom_an_edit_completes_is_awarded_then(service: Service) -> None:
    service.load(explorer(requirements=[*BOTH, THIRD]))
    service.publish([passes("ann", 1, minute=1), passes("ann", 2, minute=2)])
    service.consume()
    assert not UserCredential.objects.exists()
    service.load(explorer())
    assert UserCredential.objects.get().live
