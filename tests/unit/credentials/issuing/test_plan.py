from datetime import timedelta

import pytest

from credentials.issuing.plan import Action, plan
from credentials.models import Issuance
from credentials.retry import backoff

S, W = Issuance.State, Issuance.Wanted


@pytest.mark.parametrize(
    ("wanted", "state", "started", "external_id", "action"),
    [
        (W.ISSUED, S.CREATED, False, None, Action.ISSUE),
        (W.ISSUED, S.CREATED, True, None, Action.LOOK_THEN_ISSUE),
        (W.ISSUED, S.ERROR, True, None, Action.LOOK_THEN_ISSUE),
        (W.ISSUED, S.PENDING, True, "x", Action.NOTHING),
        (W.ISSUED, S.REJECTED, True, "x", Action.NOTHING),
        (W.ISSUED, S.CANCELLED, False, None, Action.NOTHING),
        (W.REVOKED, S.CREATED, False, None, Action.CANCEL),
        (W.REVOKED, S.ERROR, True, None, Action.LOOK_THEN_REVOKE),
        (W.REVOKED, S.DEAD, True, None, Action.LOOK_THEN_REVOKE),
        (W.REVOKED, S.ACCEPTED, True, "x", Action.REVOKE),
        (W.REVOKED, S.REVOKED, True, "x", Action.NOTHING),
        (W.REVOKED, S.GONE, True, "x", Action.NOTHING),
    ],
)
def test_what_to_do_next(
    wanted: str, state: str, started: bool, external_id: str | None, action: Action
) -> None:
    found = plan(wanted=wanted, state=state, started=started, external_id=external_id)
    assert found is action


def test_the_waits_double_up_to_the_longest() -> None:
    first, longest = timedelta(seconds=5), timedelta(hours=12)
    waits = [backoff(n, first=first, longest=longest) for n in range(1, 26)]
    assert timedelta(seconds=4) <= waits[0] <= timedelta(seconds=6)
    assert all(wait <= longest * 1.2 for wait in waits)
    assert timedelta(days=4) < sum(waits, timedelta()) < timedelta(days=9)  # about a week
