from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import pytest

from credly_client.client import CredlyClient
from credly_client.errors import (
    DuplicateBadge,
    Forbidden,
    NotFound,
    Refused,
    Unauthorized,
    ValidationFailed,
)
from tests.functional.credly_sandbox.academy import Academy


def test_organization_and_templates(academy: Academy, credly: CredlyClient) -> None:
    assert credly.get_organization().name == "Acme Academy"
    (template,) = credly.list_templates()
    assert template == credly.get_template(academy.template_id)
    assert template.owner_id == UUID(academy.organization_id)
    assert template.state == "active"


def test_many_templates_come_in_pages(academy: Academy, credly: CredlyClient) -> None:
    for number in range(120):
        state = "archived" if number % 2 else "active"
        academy.put_template(id=str(uuid4()), name=f"Badge {number}", state=state)
    assert len(list(credly.list_templates())) == 121
    assert academy.calls("GET organizations/<id>/badge_templates") == 3
    assert {item.state for item in credly.list_templates(state="active")} == {"active"}
    assert academy.calls("GET organizations/<id>/badge_templates") == 5


def test_ann_gets_a_badge(academy: Academy, credly: CredlyClient) -> None:
    badge = credly.issue_badge(academy.badge_for("ann", expires_at=date(2030, 4, 1)))
    assert badge.state == "pending"
    assert badge.issued_at == datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert badge.expires_at == date(2030, 4, 1)
    assert badge.accept_badge_url
    assert badge.badge_url is None
    assert credly.get_badge(badge.id) == badge
    assert credly.find_badges(issuer_earner_id="learner-ann", template_id=academy.template_id) == (
        badge,
    )
    assert not credly.find_badges(issuer_earner_id="learner-bob", template_id=academy.template_id)


def test_ann_accepts(academy: Academy, credly: CredlyClient) -> None:
    badge = credly.issue_badge(academy.badge_for("ann"))
    academy.control(f"badges/{badge.id}/accept")
    accepted = credly.get_badge(badge.id)
    assert accepted.state == "accepted"
    assert accepted.badge_url
    assert accepted.accept_badge_url is None


def test_a_badge_can_be_accepted_at_once(academy: Academy, credly: CredlyClient) -> None:
    academy.switch(new_badges_accepted=True)
    assert credly.issue_badge(academy.badge_for("ann")).state == "accepted"


def test_anns_badge_is_revoked(academy: Academy, credly: CredlyClient) -> None:
    badge = credly.issue_badge(academy.badge_for("ann"))
    revoked = credly.revoke_badge(badge.id, reason="Issued by mistake")
    assert (revoked.state, revoked.revocation_reason) == ("revoked", "Issued by mistake")
    assert revoked.accept_badge_url is None
    assert not credly.find_badges(issuer_earner_id="learner-ann", template_id=academy.template_id)
    with pytest.raises(ValidationFailed):
        credly.revoke_badge(badge.id, reason="Again")
    (shown,) = academy.state()["badges"]
    assert [entry["what"] for entry in shown["history"]] == ["issued", "revoked"]


def test_a_reason_is_needed(academy: Academy, credly: CredlyClient) -> None:
    badge = credly.issue_badge(academy.badge_for("ann"))
    with pytest.raises(ValidationFailed, match="reason"):
        credly.revoke_badge(badge.id, reason=" ")


@pytest.mark.parametrize(
    "change",
    [
        {"issuer_earner_id": "somebody-else"},
        {"recipient_email": "bob@example.com"},
        {"issuer_earner_id": "somebody-else", "recipient_email": "ANN@example.com"},
    ],
)
def test_the_same_badge_twice(
    academy: Academy, credly: CredlyClient, change: dict[str, str]
) -> None:
    credly.issue_badge(academy.badge_for("ann"))
    with pytest.raises(DuplicateBadge):
        credly.issue_badge(academy.badge_for("ann", **change))
    assert len(academy.state()["badges"]) == 1


def test_somebody_else_gets_the_same_badge(academy: Academy, credly: CredlyClient) -> None:
    credly.issue_badge(academy.badge_for("ann"))
    credly.issue_badge(academy.badge_for("bob"))
    assert len(academy.state()["badges"]) == 2


@pytest.mark.parametrize("blocks", [False, True])
def test_a_revoked_badge_blocks_only_when_told(
    academy: Academy, credly: CredlyClient, blocks: bool
) -> None:
    academy.switch(revoked_count_as_duplicates=blocks)
    badge = credly.issue_badge(academy.badge_for("ann"))
    credly.revoke_badge(badge.id, reason="Mistake")
    if blocks:
        with pytest.raises(DuplicateBadge):
            credly.issue_badge(academy.badge_for("ann"))
    else:
        assert credly.issue_badge(academy.badge_for("ann")).id != badge.id


@pytest.mark.parametrize("allowed", [False, True])
def test_the_call_decides_about_duplicates_whatever_the_template_says(
    academy: Academy, credly: CredlyClient, allowed: bool
) -> None:
    academy.put_template(allow_duplicate_badges=allowed)
    first = credly.issue_badge(academy.badge_for("ann"))
    with pytest.raises(DuplicateBadge):
        credly.issue_badge(academy.badge_for("ann"))
    second = credly.issue_badge(academy.badge_for("ann", duplicate_behavior="allow"))
    assert len({first.id, second.id}) == 2
    third = credly.issue_badge(academy.badge_for("ann", duplicate_behavior="replace"))
    assert third.replaces_badge_id == second.id
    assert credly.get_badge(second.id).replacement_badge_id == third.id
    held = credly.find_badges(issuer_earner_id="learner-ann", template_id=academy.template_id)
    assert {badge.id for badge in held} == {first.id, third.id}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"first_name": " "}, "issued_to_first_name"),
        ({"last_name": ""}, "issued_to_last_name"),
        ({"recipient_email": "ann"}, "recipient_email"),
        ({"template_id": uuid4()}, "badge_template_id"),
    ],
)
def test_what_is_missing_is_named(
    academy: Academy, credly: CredlyClient, change: dict[str, object], field: str
) -> None:
    with pytest.raises(ValidationFailed) as caught:
        credly.issue_badge(academy.badge_for("ann", **change))
    assert [error.attribute for error in caught.value.errors] == [field]
    assert not academy.state()["badges"]


def test_archived_templates_can_not_be_issued(academy: Academy, credly: CredlyClient) -> None:
    academy.control(f"templates/{academy.template_id}/archive")
    with pytest.raises(ValidationFailed, match="archived"):
        credly.issue_badge(academy.badge_for("ann"))


def test_deleted_templates_are_gone_and_their_badges_stay(
    academy: Academy, credly: CredlyClient
) -> None:
    badge = credly.issue_badge(academy.badge_for("ann"))
    academy.control(f"templates/{academy.template_id}/delete")
    with pytest.raises(NotFound):
        credly.get_template(academy.template_id)
    assert not list(credly.list_templates())
    assert credly.get_badge(badge.id).state == "pending"


def test_a_wrong_key(academy: Academy) -> None:
    with academy.client(token="old-key") as credly, pytest.raises(Unauthorized):
        credly.get_organization()


def test_the_key_of_somebody_else(academy: Academy) -> None:
    other = str(uuid4())
    academy.control("organizations", id=other, name="Other", token="other-key")
    with academy.client(token="other-key") as credly, pytest.raises(Forbidden):
        credly.get_organization()


def test_nothing_is_invented(academy: Academy, credly: CredlyClient) -> None:
    with academy.client(organization_id=uuid4()) as stranger, pytest.raises(NotFound):
        stranger.get_organization()
    for call in (credly.get_template, credly.get_badge, credly.get_event):
        with pytest.raises(NotFound):
            call(uuid4())


def test_a_base_url_of_another_place(academy: Academy) -> None:
    with (
        academy.client(base_url=f"{academy.running.url}/v2/") as credly,
        pytest.raises(Refused),
    ):
        credly.get_organization()
