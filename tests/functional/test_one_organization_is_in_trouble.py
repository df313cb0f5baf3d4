"""Two organizations, one of them in trouble: it is spared, and the other notices nothing."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from credentials import worker
from credentials.issuing import breaker
from credentials.models import BadgeTemplate, CredlyOrganization, Issuance
from credly_client.sandbox import Running
from tests.awards import GLOBEX, credly_of, decide, enroll, offer
from tests.functional.stories import ACME

State = Issuance.State
BATCH = "POST organizations/<id>/badges/batch"
SLOW = 2.0  # seconds
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def credly(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    with credly_of(ACME, GLOBEX, settings=settings, monkeypatch=monkeypatch) as running:
        yield running


@pytest.fixture
def acme(credly: Running) -> BadgeTemplate:
    return offer(ACME)


@pytest.fixture
def globex(credly: Running) -> BadgeTemplate:
    return offer(GLOBEX)


def switch(credly: Running, **wanted: Any) -> None:
    credly.sandbox.control("switches", wanted)


def calls(credly: Running) -> int:
    return sum(credly.sandbox.control("state", {}, method="GET")["calls"].values())


def of(template: BadgeTemplate) -> CredlyOrganization:
    return CredlyOrganization.objects.get(templates=template)


def states(template: BadgeTemplate) -> set[tuple[str, int]]:
    rows = Issuance.objects.filter(credential__template=template)
    return set(rows.values_list("state", "attempts"))


def at(moment: datetime | None) -> None:
    assert moment is not None
    worker.carry_out_due(clock=lambda: moment)


def now() -> None:
    worker.carry_out_due(clock=timezone.now)


def fails_until_it_opens(credly: Running, template: BadgeTemplate) -> None:
    """Singly, so that each badge is a call of its own."""
    switch(credly, down={"organization": str(of(template).uuid)})
    decide(template, enroll(4, first=1_000))
    for hours in range(10):
        worker.carry_out_due(clock=lambda: timezone.now() + timedelta(hours=hours))  # noqa: B023 -- called at once
        if of(template).breaker_until is not None:
            return
    raise AssertionError("the breaker stays closed")


def test_after_ten_failures_it_is_not_called_and_nothing_is_charged(
    credly: Running, acme: BadgeTemplate, globex: BadgeTemplate
) -> None:
    fails_until_it_opens(credly, acme)
    troubled = of(acme)
    assert troubled.failures >= breaker.FAILURES
    assert "503" in troubled.last_failure
    learners = enroll(60)
    before = calls(credly)
    decide(acme, learners)
    decide(globex, learners)
    at(troubled.breaker_until - timedelta(seconds=1) if troubled.breaker_until else None)
    rows = Issuance.objects.filter(credential__learner__in=learners, credential__template=acme)
    assert set(rows.values_list("state", "attempts", "started")) == {(State.CREATED, 0, False)}
    assert states(globex) == {(State.PENDING, 1)}
    assert calls(credly) == before + 2  # of Globex: fifty and ten


def test_it_opens_in_the_middle_of_the_work(
    credly: Running, acme: BadgeTemplate, settings: Settings
) -> None:
    settings.CREDLY_CALLS_AT_ONCE = 1
    learners = enroll(40)
    decide(acme, learners)
    now()
    before = calls(credly)
    switch(credly, down=True)
    decide(acme, learners, complete=False)
    now()
    assert calls(credly) == before + breaker.FAILURES


def test_one_trial_at_a_time_whose_wait_doubles(credly: Running, acme: BadgeTemplate) -> None:
    fails_until_it_opens(credly, acme)
    decide(acme, enroll(60))
    waits = []
    for _ in range(3):
        opened, before = of(acme).breaker_until, calls(credly)
        at(opened)
        assert calls(credly) == before + 1
        until = of(acme).breaker_until
        assert opened is not None
        assert until is not None
        waits.append(until - opened)
    assert waits[0] < waits[1] < waits[2]
    assert waits[2] > timedelta(minutes=1)


def test_a_trial_that_works_lets_all_the_others_through(
    credly: Running, acme: BadgeTemplate
) -> None:
    fails_until_it_opens(credly, acme)
    decide(acme, enroll(60))
    switch(credly, down=False)
    worker.carry_out_due(clock=lambda: timezone.now() + timedelta(days=1))
    assert {state for state, _ in states(acme)} == {State.PENDING}
    mended = of(acme)
    assert (mended.failures, mended.breaker_until, mended.failing_since) == (0, None, None)


def test_only_one_worker_has_the_trial(credly: Running, acme: BadgeTemplate) -> None:
    fails_until_it_opens(credly, acme)
    moment = of(acme).breaker_until
    assert moment is not None
    first = breaker.take_trial(of(acme).pk, seen=moment, now=moment)
    assert first is not None
    assert breaker.take_trial(of(acme).pk, seen=moment, now=moment) is None
    decide(acme, enroll(5))
    before = calls(credly)
    at(moment + timedelta(seconds=1))
    assert calls(credly) == before
    # It died: its trial ends as a lease does, and another worker makes one.
    at(first)
    assert calls(credly) == before + 1


def test_a_trial_that_says_nothing_is_given_back(credly: Running, acme: BadgeTemplate) -> None:
    fails_until_it_opens(credly, acme)
    Issuance.objects.update(next_attempt_at=None)
    learners = enroll(1)
    learners[0].email = ""
    learners[0].save()
    decide(acme, learners)
    moment, before = of(acme).breaker_until, calls(credly)
    at(moment)
    assert calls(credly) == before
    assert of(acme).breaker_until == moment
    assert of(acme).failures >= breaker.FAILURES


def test_what_works_in_between_keeps_it_closed(credly: Running, acme: BadgeTemplate) -> None:
    for number in range(4):
        switch(credly, down=3)
        decide(acme, enroll(4, first=1 + 10 * number))
        now()
    assert of(acme).breaker_until is None
    assert of(acme).failures < breaker.FAILURES


def test_a_slow_one_does_not_slow_the_other(
    credly: Running, acme: BadgeTemplate, globex: BadgeTemplate
) -> None:
    """Acme has more due than fits and answers slowly. What becomes due of Globex while its calls
    are under way is done before they end.
    """
    switch(credly, slow={"organization": ACME, "seconds": SLOW})
    learners = enroll(450)
    begun = timezone.now()
    decide(acme, learners)
    decide(globex, learners[:20])
    mine = Issuance.objects.filter(credential__template=globex)
    mine.update(next_attempt_at=begun + timedelta(seconds=0.5))
    now()
    assert states(acme) == states(globex) == {(State.PENDING, 1)}
    slow = Issuance.objects.filter(credential__template=acme)
    assert min(slow.values_list("modified", flat=True)) > begun + timedelta(seconds=SLOW)
    assert max(mine.values_list("modified", flat=True)) < min(
        slow.values_list("modified", flat=True)
    )


def test_a_worker_whose_time_is_over_goes_on_beside_the_slow_one(
    credly: Running, acme: BadgeTemplate, globex: BadgeTemplate
) -> None:
    switch(credly, slow={"organization": ACME, "seconds": SLOW})
    learners = enroll(450)
    decide(acme, learners)
    decide(globex, learners)
    worker.carry_out_due(clock=timezone.now, seconds=0.01)
    assert states(globex) == {(State.PENDING, 1)}
    # Of the slow one what was under way when the time was over, and nothing was begun.
    rows = Issuance.objects.filter(credential__template=acme)
    issued = rows.filter(state=State.PENDING).count()
    assert 0 < issued < len(learners)
    assert rows.filter(state=State.CREATED, attempts=0).count() == len(learners) - issued


def of_provider(template: BadgeTemplate, name: str) -> set[tuple[str, int]]:
    rows = Issuance.objects.filter(credential__template=template, provider=name)
    return set(rows.values_list("state", "attempts"))


class TestWhatIsIssuedHereToo:
    """Certificates need no account: its trouble is not theirs, and they say nothing of it."""

    @pytest.fixture
    def both(self, acme: BadgeTemplate) -> BadgeTemplate:
        acme.providers = ["credly", "pdf"]
        acme.save()
        return acme

    def test_the_breaker(self, credly: Running, both: BadgeTemplate) -> None:
        fails_until_it_opens(credly, both)
        Issuance.objects.filter(provider="credly").update(next_attempt_at=None)
        failing = of(both)
        decide(both, enroll(2))
        at(failing.breaker_until)
        assert of_provider(both, "pdf") == {(State.AVAILABLE, 1)}
        assert of(both).failures == failing.failures + 1

    def test_the_key(self, both: BadgeTemplate) -> None:
        CredlyOrganization.objects.filter(uuid=ACME).update(paused_reason="401")
        decide(both, enroll(1))
        now()
        assert of_provider(both, "credly") == {(State.CREATED, 0)}
        assert of_provider(both, "pdf") == {(State.AVAILABLE, 1)}

    def test_a_person_who_pauses_means_all(self, both: BadgeTemplate) -> None:
        CredlyOrganization.objects.filter(uuid=ACME).update(issuing_paused_at=timezone.now())
        decide(both, enroll(1))
        now()
        assert states(both) == {(State.CREATED, 0)}


def test_paused_by_a_person_nothing_is_sent(
    credly: Running, acme: BadgeTemplate, globex: BadgeTemplate
) -> None:
    learners = enroll(6)
    decide(acme, learners)
    decide(globex, learners)
    CredlyOrganization.objects.filter(uuid=ACME).update(issuing_paused_at=timezone.now())
    now()
    assert states(acme) == {(State.CREATED, 0)}
    assert not worker.due(timezone.now()).exists()
    assert states(globex) == {(State.PENDING, 1)}
    CredlyOrganization.objects.filter(uuid=ACME).update(issuing_paused_at=None)
    now()
    assert states(acme) == {(State.PENDING, 1)}
