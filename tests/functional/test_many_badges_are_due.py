"""Many badges of one organization are due: they go out as batches, whatever comes of those."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from credentials import worker
from credentials.models import BadgeTemplate, Issuance, Learner
from credentials.providers.credly import account
from credly_client.bodies import BadgeRequest
from credly_client.sandbox import Running
from tests.awards import AWARDED_AT, credly_of, decide, enroll, offer, template_id
from tests.functional.stories import ACME

State = Issuance.State
BATCH = "POST organizations/<id>/badges/batch"
ONE = "POST organizations/<id>/badges"
FIND = "GET organizations/<id>/badges"
pytestmark = pytest.mark.django_db(transaction=True)

Switch = Callable[..., None]


@pytest.fixture
def credly(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    with credly_of(ACME, settings=settings, monkeypatch=monkeypatch) as running:
        yield running


@pytest.fixture
def switch(credly: Running) -> Switch:
    def change(**wanted: Any) -> None:
        credly.sandbox.control("switches", wanted)

    return change


@pytest.fixture
def badge(credly: Running) -> BadgeTemplate:
    return offer()


def state(credly: Running) -> Any:
    return credly.sandbox.control("state", {}, method="GET")


def calls(credly: Running, name: str) -> int:
    return int(state(credly)["calls"].get(name, 0))


def states() -> dict[str, int]:
    rows = list(Issuance.objects.values_list("state", flat=True))
    return {each: rows.count(each) for each in set(rows)}


def later(hours: float = 1) -> None:
    worker.carry_out_due(clock=lambda: timezone.now() + timedelta(hours=hours))


def now() -> None:
    worker.carry_out_due(clock=timezone.now)


def never_twice(credly: Running) -> None:
    assert credly.sandbox.control("duplicates", {}, method="GET")["duplicates"] == []


def test_they_go_out_fifty_at_a_time(credly: Running, badge: BadgeTemplate) -> None:
    learners = enroll(120)
    decide(badge, learners)
    now()
    assert states() == {State.PENDING: 120}
    assert (calls(credly, BATCH), calls(credly, ONE), calls(credly, FIND)) == (3, 0, 0)
    there = {each["issuer_earner_id"]: each for each in state(credly)["badges"]}
    for each in Issuance.objects.select_related("credential__learner"):
        learner = each.credential.learner
        one = there[str(learner.uuid)]
        assert each.external_id == one["id"]
        assert each.attempts == 1
        assert each.leased_until is None
        assert one["recipient_email"] == learner.email
        assert one["issued_at"].startswith(AWARDED_AT.strftime("%Y-%m-%dT%H:%M:%S"))


def test_a_few_go_one_by_one(credly: Running, badge: BadgeTemplate) -> None:
    decide(badge, enroll(4))
    now()
    assert states() == {State.PENDING: 4}
    assert (calls(credly, BATCH), calls(credly, ONE)) == (0, 4)


def test_somebody_without_an_address_holds_up_nobody(credly: Running, badge: BadgeTemplate) -> None:
    learners = enroll(20)
    Learner.objects.filter(pk=learners[7].pk).update(email="")
    decide(badge, learners)
    now()
    assert states() == {State.PENDING: 19, State.DEAD: 1}
    assert calls(credly, BATCH) == 1
    (dead,) = Issuance.objects.filter(state=State.DEAD)
    assert dead.credential.learner_id == learners[7].pk
    assert "no e-mail address" in dead.last_error


@pytest.mark.parametrize("halfway", [False, True])
def test_a_batch_that_is_refused_is_sent_one_by_one(
    credly: Running, badge: BadgeTemplate, switch: Switch, halfway: bool
) -> None:
    """Somebody has the badge from elsewhere; whether those before are issued is not known."""
    switch(batch_stops_in_the_middle=halfway)
    learners = enroll(20)
    credly.sandbox.control("persons", {"emails": [learners[9].email]})
    give_by_hand(credly, learners[9])
    decide(badge, learners)
    now()
    assert states() == {State.PENDING: 19, State.DEAD: 1}
    (dead,) = Issuance.objects.filter(state=State.DEAD)
    assert "not from this service" in dead.last_error
    assert set(Issuance.objects.values_list("attempts", flat=True)) == {1}
    assert calls(credly, BATCH) == 1
    never_twice(credly)


def give_by_hand(credly: Running, learner: Learner, *, earner_id: str = "by-hand") -> None:
    organization = BadgeTemplate.objects.get().organization
    assert organization is not None
    with account.client(organization) as client:
        client.issue_badge(
            BadgeRequest(
                template_id=template_id(ACME),
                recipient_email=learner.email,
                first_name="By",
                last_name="Hand",
                issued_at=AWARDED_AT,
                issuer_earner_id=earner_id,
            )
        )


@pytest.mark.parametrize("number", [1, 12])
def test_a_badge_that_was_ours_is_adopted(
    credly: Running, badge: BadgeTemplate, number: int
) -> None:
    """As after a backup of yesterday was restored: here nobody knows of it."""
    learners = enroll(number)
    give_by_hand(credly, learners[0], earner_id=str(learners[0].uuid))
    decide(badge, learners)
    now()
    assert states() == {State.PENDING: number}
    there = {each["issuer_earner_id"]: each["id"] for each in state(credly)["badges"]}
    mine = Issuance.objects.get(credential__learner=learners[0])
    assert mine.external_id == there[str(learners[0].uuid)]
    never_twice(credly)


@pytest.mark.parametrize("fault", ["reset", "malformed", "down_after", "reset_before"])
def test_a_batch_whose_answer_is_lost_is_looked_up(
    credly: Running, badge: BadgeTemplate, switch: Switch, fault: str
) -> None:
    switch(**{fault: {"count": 1, "calls": BATCH}})
    decide(badge, enroll(12))
    now()
    assert states() == {State.ERROR: 12}
    later()
    assert states() == {State.PENDING: 12}
    assert calls(credly, FIND) == 12
    assert len(state(credly)["badges"]) == 12
    never_twice(credly)


def test_a_batch_that_was_certainly_not_sent_is_sent_again_as_one(
    credly: Running, badge: BadgeTemplate, switch: Switch
) -> None:
    switch(rate_limited={"count": 1, "retry_after": 600})
    decide(badge, enroll(12))
    now()
    assert states() == {State.ERROR: 12}
    assert min_wait() > timedelta(minutes=9)
    later()
    assert states() == {State.PENDING: 12}
    assert (calls(credly, BATCH), calls(credly, FIND)) == (2, 0)


def test_a_look_that_is_put_off_is_not_forgotten(
    credly: Running, badge: BadgeTemplate, switch: Switch
) -> None:
    switch(reset={"count": 1, "calls": ONE})  # issued, answer lost
    decide(badge, enroll(1))
    now()
    switch(rate_limited=1)
    later()
    assert states() == {State.ERROR: 1}
    later(2)
    assert states() == {State.PENDING: 1}
    assert (calls(credly, ONE), calls(credly, FIND)) == (1, 2)


def min_wait() -> timedelta:
    first = Issuance.objects.order_by("next_attempt_at").values_list("next_attempt_at", flat=True)[
        0
    ]
    assert first is not None
    return first - timezone.now()


def test_lost_before_it_is_sent_and_nobody_calls(credly: Running, badge: BadgeTemplate) -> None:
    learners = enroll(10)
    decide(badge, learners)
    decide(badge, learners, complete=False)
    now()
    assert states() == {State.CANCELLED: 10}
    assert not state(credly)["calls"]


def test_the_address_changes_between_issue_and_revoke(
    credly: Running, badge: BadgeTemplate
) -> None:
    learners = enroll(1)
    decide(badge, learners)
    now()
    Learner.objects.update(email="somewhere-else@example.com")
    decide(badge, learners, complete=False)
    now()
    assert states() == {State.REVOKED: 1}
    assert [each["state"] for each in state(credly)["badges"]] == ["revoked"]


def test_given_up_after_a_week_and_tried_again_by_hand(
    credly: Running, badge: BadgeTemplate, switch: Switch
) -> None:
    decide(badge, enroll(1))
    switch(down=True)
    begun = timezone.now()
    clock = begun
    while Issuance.objects.get().state != State.DEAD:
        issuance = Issuance.objects.select_related("credential__template__organization").get()
        organization = issuance.credential.template.organization
        assert issuance.next_attempt_at is not None
        assert organization is not None
        clock = max(issuance.next_attempt_at, organization.breaker_until or begun)
        worker.carry_out_due(clock=lambda: clock)  # noqa: B023 -- called at once
    assert Issuance.objects.get().attempts == 25
    assert timedelta(days=4) < clock - begun < timedelta(days=10)

    switch(down=False)
    assert worker.try_again(Issuance.objects.all(), now=clock) == 1
    worker.carry_out_due(clock=lambda: clock + timedelta(hours=1))
    assert states() == {State.PENDING: 1}


def test_the_statements_do_not_grow_with_the_badges(credly: Running, badge: BadgeTemplate) -> None:
    learners = enroll(55)
    counted = []
    for some in (learners[:5], learners[5:]):
        decide(badge, some)
        with CaptureQueriesContext(connection) as statements:
            now()
        counted.append(len(statements))
    assert states() == {State.PENDING: 55}
    assert counted[0] == counted[1]


def test_the_worker_fails_while_its_calls_are_under_way(
    credly: Running, badge: BadgeTemplate, switch: Switch
) -> None:
    """They are awaited and recorded first: nobody has to look for their badges."""
    switch(slow={"organization": ACME, "seconds": 1.5})
    decide(badge, enroll(6))
    breaks = iter([True])

    def clock() -> datetime:
        if calls(credly, BATCH) and next(breaks, False):
            raise OSError("The clock is broken.")
        return timezone.now()

    with pytest.raises(OSError, match="broken"):
        worker.carry_out_due(clock=clock)
    assert set(Issuance.objects.values_list("state", "attempts")) == {(State.PENDING, 1)}
    assert calls(credly, BATCH) == 1
