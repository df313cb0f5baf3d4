"""What has to be done next for one issuance. Pure."""

from enum import Enum
from typing import Final

from credentials.issuances import SETTLED_WITH, SETTLED_WITHOUT
from credentials.models import Issuance

Wanted = Issuance.Wanted


class Action(Enum):
    """What the worker has to do next for one issuance."""

    NOTHING = "nothing"
    ISSUE = "issue"
    LOOK_THEN_ISSUE = "look, then issue"
    REVOKE = "revoke"
    LOOK_THEN_REVOKE = "look, then revoke"
    CANCEL = "cancel"


SENDING: Final = frozenset({Action.ISSUE, Action.LOOK_THEN_ISSUE})
LOOKING: Final = frozenset({Action.LOOK_THEN_ISSUE, Action.LOOK_THEN_REVOKE})
WITHOUT_A_CALL: Final = frozenset({Action.NOTHING, Action.CANCEL})


def plan(*, wanted: str, state: str, started: bool, external_id: str | None) -> Action:
    """The next action. `started`: did an attempt to issue begin before?"""
    if wanted == Wanted.ISSUED:
        if state in SETTLED_WITH or state in SETTLED_WITHOUT:
            return Action.NOTHING
        return Action.LOOK_THEN_ISSUE if started else Action.ISSUE
    if state in SETTLED_WITHOUT:
        return Action.NOTHING
    if external_id:
        return Action.REVOKE
    return Action.LOOK_THEN_REVOKE if started else Action.CANCEL
