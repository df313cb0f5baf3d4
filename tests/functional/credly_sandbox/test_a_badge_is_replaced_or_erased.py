from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from credly_client.bodies import IdEvidence, Replacement, UrlEvidence
from credly_client.client import CredlyClient
from credly_client.errors import DuplicateBadge, NotFound, OutcomeUnknown, ValidationFailed
from tests.functional.credly_sandbox.academy import Academy


@pytest.fixture
def writer(academy: Academy) -> str:
    """Another template."""
    made = str(uuid4())
    academy.put_template(id=made, name="Writer")
    return made


def by(template_id: str, **changes: Any) -> Replacement:
    values: dict[str, Any] = {
        "template_id": template_id,
        "issued_at": datetime(2026, 3, 2, tzinfo=UTC),
    }
    return Replacement(**values | changes)


def test_another_badge_takes_its_place(academy: Academy, credly: CredlyClient, writer: str) -> None:
    old = credly.issue_badge(academy.badge_for("ann"))
    new = credly.replace_badge(
        old.id, replacement=by(writer, notification_message="A better one", expires_at=False)
    )
    assert (new.replaces_badge_id, str(new.template_id)) == (old.id, writer)
    assert (new.recipient_email, new.issuer_earner_id) == (old.recipient_email, "learner-ann")
    assert credly.get_badge(old.id).replacement_badge_id == new.id
    assert not credly.find_badges(issuer_earner_id="learner-ann", template_id=old.template_id)
    with pytest.raises(ValidationFailed, match="replaced"):
        credly.revoke_badge(old.id, reason="Mistake")


def test_only_once_and_the_error_names_the_badge_that_counts(
    academy: Academy, credly: CredlyClient, writer: str
) -> None:
    first = credly.issue_badge(academy.badge_for("ann"))
    second = credly.replace_badge(first.id, replacement=by(writer))
    third = credly.replace_badge(second.id, replacement=by(academy.template_id))
    with pytest.raises(ValidationFailed, match="already been replaced") as caught:
        credly.replace_badge(first.id, replacement=by(writer))
    assert caught.value.current_badge_id == third.id


def test_a_lost_answer_is_found_on_the_old_badge(
    academy: Academy, credly: CredlyClient, writer: str
) -> None:
    old = credly.issue_badge(academy.badge_for("ann"))
    academy.switch(reset=1)
    with pytest.raises(OutcomeUnknown):
        credly.replace_badge(old.id, replacement=by(writer))
    new = credly.get_badge(old.id).replacement_badge_id
    assert new is not None
    assert credly.get_badge(new).replaces_badge_id == old.id


def test_what_can_not_replace(academy: Academy, credly: CredlyClient, writer: str) -> None:
    old = credly.issue_badge(academy.badge_for("ann"))
    with pytest.raises(ValidationFailed, match="badge_template_id"):
        credly.replace_badge(old.id, replacement=by(str(uuid4())))
    credly.issue_badge(academy.badge_for("ann", template_id=writer))
    with pytest.raises(DuplicateBadge):
        credly.replace_badge(old.id, replacement=by(writer))
    credly.revoke_badge(old.id, reason="Mistake")
    with pytest.raises(ValidationFailed, match="revoked"):
        credly.replace_badge(old.id, replacement=by(writer))


def test_ann_is_erased(academy: Academy, credly: CredlyClient) -> None:
    badge = credly.issue_badge(academy.badge_for("ann"))
    credly.delete_badge(badge.id)
    for call in (credly.get_badge, credly.delete_badge):
        with pytest.raises(NotFound):
            call(badge.id)
    assert not list(credly.list_badges())
    assert credly.issue_badge(academy.badge_for("ann")).id != badge.id


def test_an_erasure_without_answer(academy: Academy, credly: CredlyClient) -> None:
    badge = credly.issue_badge(academy.badge_for("ann"))
    academy.switch(reset=1)
    with pytest.raises(OutcomeUnknown):
        credly.delete_badge(badge.id)
    with pytest.raises(NotFound):
        credly.delete_badge(badge.id)


def test_all_that_can_be_said_of_a_badge(academy: Academy, credly: CredlyClient) -> None:
    evidence = (
        UrlEvidence(value="https://example.com/essay", name="Essay", description="The essay"),
        IdEvidence(id="4711", title="Record", description="Of the exam"),
    )
    badge = credly.issue_badge(
        academy.badge_for(
            "ann",
            middle_name="B.",
            locale="fr",
            country_name="France",
            state_or_province="Alsace",
            suppress_notification=True,
            evidence=evidence,
        )
    )
    assert badge.evidence == evidence
    (kept,) = academy.state()["badges"]
    assert kept["issued_to_middle_name"] == "B."
    assert (kept["country_name"], kept["state_or_province"]) == ("France", "Alsace")
    assert kept["suppressed_notification"]


def test_expiry(academy: Academy, credly: CredlyClient) -> None:
    academy.put_template(expires_after_days=30)
    by_template = credly.issue_badge(academy.badge_for("ann"))
    never = credly.issue_badge(academy.badge_for("bob", expires_at=False))
    chosen = credly.issue_badge(academy.badge_for("prof", expires_at=date(2030, 4, 1)))
    assert by_template.issued_at is not None
    assert by_template.expires_at == (by_template.issued_at + timedelta(days=30)).date()
    assert (never.expires_at, chosen.expires_at) == (None, date(2030, 4, 1))


def test_every_badge_by_what_is_known_of_it(
    academy: Academy, credly: CredlyClient, writer: str
) -> None:
    names = [f"learner{number}" for number in range(60)]
    credly.issue_badges([academy.badge_for(name) for name in names[:50]])
    credly.issue_badges([academy.badge_for(name, template_id=writer) for name in names[50:]])
    (bob,) = credly.list_badges(recipient_email="Learner7@example.com")
    credly.revoke_badge(bob.id, reason="Mistake")
    assert len(list(credly.list_badges())) == 60
    assert len(list(credly.list_badges(template_id=writer))) == 10
    assert [badge.id for badge in credly.list_badges(states=["revoked"])] == [bob.id]
    assert len(list(credly.list_badges(states=["pending"], template_id=academy.template_id))) == 49


def test_one_person_with_two_addresses(academy: Academy, credly: CredlyClient) -> None:
    credly.issue_badge(academy.badge_for("ann"))
    academy.control("persons", emails=["ann@example.com", "ann@work.example.com"])
    with pytest.raises(DuplicateBadge):
        credly.issue_badge(
            academy.badge_for(
                "ann", recipient_email="Ann@Work.example.com", issuer_earner_id="another"
            )
        )
