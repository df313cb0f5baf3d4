"""What happened at Credly, or here, while nobody was told: found, shown and fixed."""

import io
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from credentials.models import (
    BadgeTemplate,
    CredlyOrganization,
    CredlyRun,
    Difference,
    Issuance,
    Learner,
    Lease,
    UserCredential,
)
from credentials.providers.credly import mending, reconciliation, runs
from credly_client.client import CredlyClient
from credly_client.sandbox import Running
from credly_client.types import BadgeRequest
from tests.functional.conftest import KEY, Service
from tests.functional.stories import ACME, EXPLORER, explorer, passes

NOW = datetime(2026, 3, 1, 10, tzinfo=UTC)


@pytest.fixture
def issued(service: Service, credly: Running) -> Service:
    """Ann, Bob and Cid hold the badge."""
    service.load(explorer())
    people = ("ann", "bob", "cid")
    service.publish([passes(who, n, minute=n) for who in people for n in (1, 2)])
    service.consume()
    service.issue()
    return service


def reconcile(*arguments: str) -> str:
    output = io.StringIO()
    call_command("reconcile_credly", *arguments, stdout=output)
    return output.getvalue()


def kinds() -> list[str]:
    return sorted(Difference.objects.values_list("kind", flat=True))


def badge_of(who: str) -> str:
    return str(issuance_of(who).external_id)


def issuance_of(who: str) -> Issuance:
    return Issuance.objects.get(credential__learner__username=who)


def at_credly(credly: Running, badge_id: str, what: str) -> None:
    credly.sandbox.control(f"badges/{badge_id}/{what}", {})


def states(credly: Running) -> dict[str, str]:
    found = credly.sandbox.control("state", {}, method="GET")["badges"]
    return {each["id"]: each["state"] for each in found if not each["deleted"]}


def test_nothing_differs(issued: Service, credly: Running) -> None:
    assert reconcile() == "Acme: 3 compared, 0 differences\n"
    run = CredlyRun.objects.get()
    assert (run.kind, run.state) == ("compare", "done")
    assert run.finished_at is not None
    assert not Issuance.objects.filter(seen_at__isnull=True).exists()


def test_revoked_accepted_and_deleted_at_credly(issued: Service, credly: Running) -> None:
    at_credly(credly, badge_of("ann"), "revoke")
    at_credly(credly, badge_of("bob"), "accept")
    at_credly(credly, badge_of("cid"), "delete")

    reconcile()
    assert kinds() == ["gone_there", "other_state", "revoked_there"]
    assert UserCredential.objects.filter(status="awarded").count() == 3  # only looked at

    reconcile("--fix")
    assert [issuance_of(who).state for who in ("ann", "bob", "cid")] == [
        "revoked",
        "accepted",
        "gone",
    ]
    lost = UserCredential.objects.filter(status="revoked", revocation_origin="provider")
    assert sorted(lost.values_list("learner__username", flat=True)) == ["ann", "cid"]
    for credential in lost:
        assert list(credential.outbox.order_by("id").values_list("kind", flat=True)) == [
            "awarded",
            "revoked",
        ]
    assert Difference.objects.exclude(outcome="").count() == 3
    calls = credly.sandbox.control("state", {}, method="GET")["calls"]
    assert not any("revoke" in call for call in calls)  # nothing goes back

    assert "0 differences" in reconcile("--fix")
    assert kinds() == []


def test_still_held_at_credly(issued: Service, credly: Running) -> None:
    """The revocation was lost here: a restored backup, or a row set right by hand."""
    credential = UserCredential.objects.get(learner__username="ann")
    UserCredential.objects.filter(pk=credential.pk).update(
        status="revoked", live=None, revoked_at=NOW
    )
    Issuance.objects.filter(credential=credential).update(state="revoked", wanted="revoked")

    reconcile("--fix")
    assert kinds() == ["live_there"]
    issued.issue()
    assert states(credly)[badge_of("ann")] == "revoked"
    assert issuance_of("ann").state == "revoked"
    assert "0 differences" in reconcile()


def test_given_up_here_but_at_credly(issued: Service, credly: Running) -> None:
    """Its answer was lost, and the look-up too."""
    badge_id = badge_of("ann")
    Issuance.objects.filter(pk=issuance_of("ann").pk).update(
        state="dead", external_id=None, last_error="no answer", started=True
    )
    reconcile()
    assert kinds() == ["unrecorded"]
    reconcile("--fix")
    issuance = issuance_of("ann")
    assert (issuance.external_id, issuance.state, issuance.last_error) == (badge_id, "pending", "")
    assert len(states(credly)) == 3


def test_given_up_here_and_not_at_credly(service: Service, credly: Running) -> None:
    service.load(explorer())
    service.publish([passes("ann", 1, minute=1), passes("ann", 2, minute=2)])
    service.consume()
    Issuance.objects.update(state="dead", next_attempt_at=None, started=True)
    reconcile()
    assert kinds() == ["never_issued"]
    reconcile("--fix")
    service.issue()
    assert issuance_of("ann").state == "pending"
    assert list(states(credly).values()) == ["pending"]


def test_issued_by_somebody_else(issued: Service, credly: Running) -> None:
    """Of a template that is active here it is shown, of others only counted; nothing is done."""
    other = str(uuid4())
    credly.sandbox.control("templates", {"id": other, "organization_id": ACME, "name": "Other"})
    with client(credly) as calls:
        calls.issue_badge(request_for("zoe"))
        calls.issue_badge(request_for("zoe", template_id=other))
    said = reconcile("--fix")
    assert "3 compared, 1 differences, 1 held at Credly but unknown here, 1 of templates" in said
    difference = Difference.objects.get()
    assert (difference.kind, difference.issuance) == ("unknown_here", None)
    assert difference.outcome == ""
    assert len(states(credly)) == 5


def test_the_address_changed_since(issued: Service, credly: Running) -> None:
    Learner.objects.filter(username="ann").update(email="ann@new.example.com")
    reconcile("--fix")
    difference = Difference.objects.get()
    assert (difference.kind, difference.outcome) == ("other_email", "")
    shown = " ".join(str(value) for value in vars(difference).values())
    assert "@" not in shown


def test_what_a_worker_is_about_to_do_is_no_difference(issued: Service, credly: Running) -> None:
    issued.publish([passes("ann", 1, minute=9, passing=False)])
    issued.consume()
    assert "0 differences" in reconcile()


def test_what_settled_meanwhile_is_left_alone(issued: Service, credly: Running) -> None:
    """The webhook was only late: between the look and the fix it arrived."""
    at_credly(credly, badge_of("ann"), "revoke")
    organization = CredlyOrganization.objects.get()
    run = CredlyRun.objects.create(organization=organization, kind="fix", requested_at=NOW)
    reconciliation.compare(run, now=timezone.now(), report=lambda _: None)
    Issuance.objects.filter(pk=issuance_of("ann").pk).update(state="revoked", wanted="revoked")

    counts = mending.mend(run, clock=timezone.now, counts={}, report=lambda _: None)
    assert counts == {"settled by themselves": 1}
    assert UserCredential.objects.get(learner__username="ann").status == "awarded"


@pytest.mark.usefixtures("issued", "_tight")
class TestBrake:
    @pytest.fixture
    def _tight(self, credly: Running, settings: Settings) -> None:
        settings.CREDLY_FIX_AT_LEAST = 1
        for who in ("ann", "bob"):
            at_credly(credly, badge_of(who), "revoke")

    def test_too_much_would_change(self) -> None:
        with pytest.raises(CommandError, match="2 of 3 badges would change, and 5% may"):
            reconcile("--fix")
        assert UserCredential.objects.filter(status="awarded").count() == 3
        assert CredlyRun.objects.get().state == "stopped"
        assert kinds() == ["revoked_there", "revoked_there"]  # to be looked at

    def test_a_person_takes_it_off(self) -> None:
        reconcile("--fix", "--limit-share", "0.7")
        assert UserCredential.objects.filter(status="awarded").count() == 1

    def test_looking_is_never_stopped(self) -> None:
        assert "2 revoked at Credly but held here" in reconcile()

    @pytest.mark.parametrize("share", ["-0.1", "1.1", "nan"])
    def test_a_share_is_a_share(self, share: str) -> None:
        with pytest.raises(CommandError, match="from 0 to 1"):
            reconcile("--fix", "--limit-share", share)


@pytest.mark.usefixtures("issued")
class TestFailure:
    def test_half_a_comparison_changes_nothing(self, credly: Running) -> None:
        at_credly(credly, badge_of("ann"), "revoke")
        reconcile()
        at_credly(credly, badge_of("bob"), "delete")  # asked for after the list, and that fails
        call = "GET organizations/<id>/badges/<id>"
        credly.sandbox.control("switches", {"forbidden": {"count": 1, "calls": call}})
        with pytest.raises(CommandError, match="403, Not allowed"):
            reconcile("--fix")
        assert CredlyRun.objects.first().state == "failed"  # type: ignore[union-attr]
        assert kinds() == ["revoked_there"]  # those of the former one
        assert UserCredential.objects.filter(status="awarded").count() == 3

    def test_a_page_that_failed_once_is_asked_for_again(self, credly: Running) -> None:
        credly.sandbox.control("switches", {"down": 1})
        assert "3 compared, 0 differences" in reconcile()

    def test_a_refused_key_pauses(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ACME_CREDLY_KEY", "wrong")
        with pytest.raises(CommandError, match="The account is paused"):
            reconcile()
        assert "401" in CredlyOrganization.objects.get().paused_reason
        with pytest.raises(CommandError, match="The account is paused"):
            reconcile()

    def test_an_unknown_organization(self) -> None:
        with pytest.raises(CommandError, match="No organization"):
            reconcile("--organization", str(uuid4()))


def test_a_command_waits_for_the_run_that_a_worker_took(issued: Service, credly: Running) -> None:
    """Its result is shown all the same, and nothing is compared twice at once."""
    organization = CredlyOrganization.objects.get()
    name = f"credly-run-{organization.pk}"
    Lease.take(name, now=timezone.now(), length=timedelta(seconds=1))
    started = time.monotonic()
    assert "3 compared" in reconcile()
    assert time.monotonic() - started > 0.9


def test_a_run_whose_worker_died_is_shown_as_failed(issued: Service, credly: Running) -> None:
    organization = CredlyOrganization.objects.get()
    died = CredlyRun.objects.create(
        organization=organization, kind="compare", state="running", requested_at=NOW, started_at=NOW
    )
    assert runs.due(timezone.now()) == [died.pk]
    runs.work(died.pk, clock=timezone.now)
    died.refresh_from_db()
    assert (died.state, runs.due(timezone.now())) == ("failed", [])
    assert "The worker ended in the middle" in died.message


class TestManyBadges:
    """A hundred of them, two pages."""

    @pytest.fixture(autouse=True)
    def _many(self, service: Service, credly: Running) -> None:
        service.load(explorer())
        self.template = BadgeTemplate.objects.get()
        with client(credly) as calls:
            for number in range(100):
                self.issue(number, calls)

    def issue(self, number: int, calls: CredlyClient) -> None:
        name = f"learner{number}"
        learner = Learner.objects.create(
            lms_user_id=1000 + number,
            username=name,
            email=f"{name}@example.com",
            profile_time=NOW,
        )
        credential = UserCredential.objects.create(
            learner=learner, template=self.template, awarded_at=NOW
        )
        badge = calls.issue_badge(request_for(name, issuer_earner_id=str(learner.uuid)))
        Issuance.objects.create(
            credential=credential,
            provider="credly",
            state="pending",
            external_id=str(badge.id),
            provider_state_at=badge.state_updated_at,
            started=True,
        )

    def test_each_page_costs_the_same(self, credly: Running) -> None:
        with CaptureQueriesContext(connection) as two_pages:
            assert "100 compared, 0 differences" in reconcile()
        with client(credly) as calls:
            for number in range(100, 200):
                self.issue(number, calls)
        with CaptureQueriesContext(connection) as four_pages:
            assert "200 compared, 0 differences" in reconcile()
        assert len(four_pages) - len(two_pages) <= 2 * 7

    def test_all_pages_are_read_and_what_differs_on_the_last_is_found(
        self, credly: Running
    ) -> None:
        first = Issuance.objects.earliest("pk")
        at_credly(credly, str(first.external_id), "accept")  # the oldest stands last
        assert "1 another state at Credly" in reconcile()
        assert Difference.objects.get().issuance == first

    def test_another_account_of_the_same_name(self, credly: Running) -> None:
        """Credly lost everything, or the key opens an empty copy: nothing is revoked here."""
        Issuance.objects.update(external_id=None)
        for row in Issuance.objects.all():
            Issuance.objects.filter(pk=row.pk).update(external_id=str(uuid4()))
        with pytest.raises(CommandError, match="100 of 100 badges would change"):
            reconcile("--fix")
        assert UserCredential.objects.filter(status="awarded").count() == 100
        calls = credly.sandbox.control("state", {}, method="GET")["calls"]
        assert calls["GET organizations/<id>/badges/<id>"] <= 50  # not one for each


def client(credly: Running) -> CredlyClient:
    return CredlyClient(base_url=credly.api_url, organization_id=ACME, token=KEY)


def request_for(name: str, **changes: Any) -> BadgeRequest:
    known: dict[str, Any] = {
        "template_id": EXPLORER,
        "recipient_email": f"{name}@example.com",
        "first_name": name,
        "last_name": "Lee",
        "issued_at": NOW,
        "issuer_earner_id": name,
    }
    return BadgeRequest(**known | changes)
