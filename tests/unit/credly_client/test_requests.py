from collections.abc import Callable
from datetime import UTC, datetime

import attrs
import pytest

from credly_client import requests
from credly_client.bodies import BadgeRequest, Replacement
from credly_client.requests import BadgeFilter, Request

ORG = "5f1b0cb7-6d0a-4a7e-9d6c-3f0d5d0b8a10"
ID = "0d4a7c1e-2b53-4f6f-9a60-6d1b7a3c9e21"
BAD = "../../../oauth/token"

ANN = BadgeRequest(
    template_id=ID,
    recipient_email="ann@example.com",
    first_name="Ann",
    last_name="Lee",
    issued_at=datetime(2026, 3, 1, 10, tzinfo=UTC),
    issuer_earner_id="learner-11",
)


@pytest.mark.parametrize(
    ("request_", "method", "path", "changes"),
    [
        (requests.get_organization(ORG), "GET", f"organizations/{ORG}", False),
        (
            requests.get_template(ORG, template_id=ID),
            "GET",
            f"organizations/{ORG}/badge_templates/{ID}",
            False,
        ),
        (requests.issue_badge(ORG, badge=ANN), "POST", f"organizations/{ORG}/badges", True),
        (
            requests.get_badge(ORG, badge_id=ID),
            "GET",
            f"organizations/{ORG}/badges/{ID}",
            False,
        ),
        (
            requests.revoke_badge(ORG, badge_id=ID, reason="x"),
            "PUT",
            f"organizations/{ORG}/badges/{ID}/revoke",
            True,
        ),
        (requests.get_event(ORG, event_id=ID), "GET", f"organizations/{ORG}/events/{ID}", False),
    ],
)
def test_call(request_: Request, method: str, path: str, changes: bool) -> None:
    assert (request_.method, request_.path, request_.changes) == (method, path, changes)
    assert request_.query == ()
    assert str(request_) == f"{method} {path}"


def test_template_list_is_paged_and_filtered_by_us() -> None:
    assert requests.list_templates(ORG, page=3).query == (("page", "3"),)
    assert requests.list_templates(ORG, page=1, state="active").query == (
        ("page", "1"),
        ("filter", "state::active"),
    )


def test_badge_search() -> None:
    only = BadgeFilter(
        issuer_earner_id="learner-11", template_id=ID, states=("pending", "accepted")
    )
    request = requests.list_badges(ORG, page=1, only=only)
    assert request.path == f"organizations/{ORG}/badges"
    assert request.query == (
        ("page", "1"),
        (
            "filter",
            f"issuer_earner_id::learner-11|badge_template_id::{ID}|state::accepted,pending",
        ),
    )


def test_revocation_body() -> None:
    request = requests.revoke_badge(ORG, badge_id=ID, reason="Mistake", suppress_notification=True)
    assert request.body == {"reason": "Mistake", "suppress_revoke_notification_email": True}


def test_bodies_stay_out_of_repr() -> None:
    assert "ann@example.com" not in repr(requests.issue_badge(ORG, badge=ANN))


@pytest.mark.parametrize(
    "build",
    [
        lambda: requests.get_organization(BAD),
        lambda: requests.get_template(ORG, template_id=BAD),
        lambda: requests.get_badge(ORG, badge_id=BAD),
        lambda: requests.revoke_badge(ORG, badge_id=BAD, reason="x"),
        lambda: requests.get_event(ORG, event_id=BAD),
        lambda: requests.list_badges(ORG, page=1, only=BadgeFilter(template_id=BAD)),
        lambda: requests.list_badges(
            ORG, page=1, only=BadgeFilter(issuer_earner_id="a|state::revoked")
        ),
        lambda: requests.list_badges(ORG, page=1, only=BadgeFilter(states=("pending|x::y",))),
        lambda: requests.list_templates(ORG, page=1, state="active|x::y"),
        lambda: requests.delete_badge(ORG, badge_id=BAD),
        lambda: requests.rotate_authorization_token(BAD),
        lambda: requests.replace_badge(
            ORG, badge_id=BAD, replacement=Replacement(template_id=ID, issued_at=ANN.issued_at)
        ),
    ],
)
def test_nothing_walks_the_api(build: Callable[[], Request]) -> None:
    with pytest.raises(ValueError, match=r"UUID|filter"):
        build()


@pytest.mark.parametrize("badges", [[], [ANN] * 51, [ANN, ANN]])
def test_a_batch_that_can_not_be_right(badges: list[BadgeRequest]) -> None:
    with pytest.raises(ValueError, match="a batch holds"):
        requests.issue_badges(ORG, badges=badges)


def test_a_batch_holds_what_single_calls_send() -> None:
    bob = attrs.evolve(ANN, issuer_earner_id="learner-12")
    request = requests.issue_badges(ORG, badges=[ANN, bob])
    assert request.body == {"badges": [ANN.to_data(), bob.to_data()]}
    assert request.changes
