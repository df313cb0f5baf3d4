"""Every recorded call through the whole client: what it sends, and what it makes of the answer."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import attrs
import pytest
import requests as http

from credly_client import errors
from credly_client.bodies import BadgeRequest, Replacement
from credly_client.client import CredlyClient
from credly_client.errors import CredlyError
from credly_client.oauth import OAuth
from tests.unit.credly_client import samples
from tests.unit.credly_client.samples import (
    BADGE,
    EVENT,
    ORG,
    SECOND_BADGE,
    SECOND_EVENT,
    SECOND_TEMPLATE,
    TEMPLATE,
    Sample,
)
from tests.unit.credly_client.wire import TOKEN, Wire

BASE = "https://api.credly.com/v1/"
OAUTH = "https://www.credly.com/"
ANN = BadgeRequest(
    template_id=TEMPLATE,
    recipient_email="ann@example.com",
    first_name="Ann",
    last_name="Lee",
    issued_at=datetime(2014, 4, 1, 14, 41, tzinfo=UTC),
    issuer_earner_id="learner-11",
)
BOB = attrs.evolve(
    ANN,
    recipient_email="bob@example.com",
    first_name="Bob",
    last_name="Ray",
    issuer_earner_id="learner-12",
)
BETTER = Replacement(
    template_id=SECOND_TEMPLATE,
    issued_at=datetime(2026, 3, 2, tzinfo=UTC),
    notification_message="A better one",
)
HOOK = "https://laurel.example.com/badges/credly/webhook/secret/"

Act = Callable[[CredlyClient], object]


def find(credly: CredlyClient) -> object:
    return credly.find_badges(issuer_earner_id="learner-11", template_id=TEMPLATE)


# What is done, and what of the outcome is looked at: attributes of the value, or of each one.
DONE: dict[str, tuple[Act, dict[str, object]]] = {
    "get_organization": (
        lambda credly: credly.get_organization(),
        {
            "name": "Acme Academy",
            "webhook_url": HOOK,
            "allowed_webhooks": ("badge.created", "badge.state.changed"),
        },
    ),
    "set_webhook": (lambda credly: credly.set_webhook(HOOK), {"webhook_url": HOOK}),
    "list_authorization_tokens": (
        lambda credly: list(credly.list_authorization_tokens()),
        {"expires_at": [datetime(2026, 8, 28, 10, tzinfo=UTC)], "owner_id": [UUID(ORG)]},
    ),
    "rotate_authorization_token": (
        lambda credly: credly.rotate_authorization_token(),
        {"token": "VbYnq0wN3mK7xR2sT5uW8z", "read_enabled": True},
    ),
    "list_templates": (
        lambda credly: list(credly.list_templates(state="active")),
        {"name": ["Data Explorer"], "skills": [("Data Analysis",)], "reporting_tags": [("data",)]},
    ),
    "get_template": (
        lambda credly: credly.get_template(TEMPLATE),
        {"owner_id": UUID(ORG), "vanity_slug": "data-explorer", "allow_duplicate_badges": False},
    ),
    "issue_badge": (
        lambda credly: credly.issue_badge(ANN),
        {"state": "pending", "accept_badge_url": "https://www.credly.com/go/abc123"},
    ),
    "issue_badges": (
        lambda credly: credly.issue_badges([ANN, BOB]),
        {"issuer_earner_id": ["learner-11", "learner-12"]},
    ),
    "get_badge": (
        lambda credly: credly.get_badge(BADGE),
        {"state": "accepted", "template_owner_id": UUID(ORG), "issued_at": ANN.issued_at},
    ),
    "list_badges": (
        lambda credly: list(credly.list_badges(recipient_email="ann@example.com")),
        {"id": [UUID(BADGE)]},
    ),
    "find_badges": (find, {"id": [UUID(BADGE)]}),
    "find_badges_without_result": (find, {"id": []}),
    "replace_badge": (
        lambda credly: credly.replace_badge(BADGE, replacement=BETTER),
        {"id": UUID(SECOND_BADGE), "replaces_badge_id": UUID(BADGE)},
    ),
    "revoke_badge": (
        lambda credly: credly.revoke_badge(BADGE, reason="Issued by mistake"),
        {"state": "revoked", "revocation_reason": "Issued by mistake"},
    ),
    "delete_badge": (lambda credly: credly.delete_badge(BADGE), {}),
    "list_events": (
        lambda credly: list(credly.list_events()),
        {"event_type": ["badge.state.changed", "badge_template.changed"]},
    ),
    "get_event_of_a_badge": (
        lambda credly: credly.get_event(EVENT),
        {"organization_id": UUID(ORG), "badge_template": None},
    ),
    "get_event_of_a_template": (
        lambda credly: credly.get_event(SECOND_EVENT),
        {"event_type": "badge_template.changed", "badge": None},
    ),
}

# What is done, the error, and what of it is looked at.
REFUSED: dict[str, tuple[Act, type[CredlyError], dict[str, object]]] = {
    "error_duplicate": (lambda credly: credly.issue_badge(ANN), errors.DuplicateBadge, {}),
    "error_validation": (
        lambda credly: credly.issue_badge(attrs.evolve(ANN, last_name="")),
        errors.ValidationFailed,
        {
            "errors": (
                errors.FieldError(attribute="issued_to_last_name", messages=("can't be blank",)),
            )
        },
    ),
    "error_archived_template": (
        lambda credly: credly.issue_badge(ANN),
        errors.ValidationFailed,
        {"error_index": None},
    ),
    "error_batch": (
        lambda credly: credly.issue_badges([ANN, attrs.evolve(BOB, recipient_email="nowhere")]),
        errors.BatchRefused,
        {"error_index": 1, "duplicate": False},
    ),
    "error_batch_duplicate": (
        lambda credly: credly.issue_badges([ANN, BOB]),
        errors.BatchRefused,
        {"error_index": 0, "duplicate": True},
    ),
    "error_replaced": (
        lambda credly: credly.replace_badge(BADGE, replacement=BETTER),
        errors.ValidationFailed,
        {"current_badge_id": UUID(SECOND_BADGE)},
    ),
    "error_revoked": (
        lambda credly: credly.revoke_badge(BADGE, reason="Issued by mistake"),
        errors.ValidationFailed,
        {},
    ),
    "error_unauthorized": (
        lambda credly: credly.get_organization(),
        errors.Unauthorized,
        {"account_wide": True},
    ),
    "error_forbidden": (
        lambda credly: credly.get_organization(),
        errors.Forbidden,
        {"account_wide": True},
    ),
    "error_not_found": (lambda credly: credly.get_badge(SECOND_BADGE), errors.NotFound, {}),
    "error_gone": (lambda credly: credly.get_badge(BADGE), errors.NotFound, {}),
    "error_early_event": (lambda credly: credly.get_event(EVENT), errors.NotFound, {}),
    "error_rate_limited": (
        lambda credly: credly.issue_badge(ANN),
        errors.RateLimited,
        {"retry_after": 7.0, "outcome_unknown": False},
    ),
    "error_rate_limited_without_wait": (
        lambda credly: credly.issue_badge(ANN),
        errors.RateLimited,
        {"retry_after": 60.0},
    ),
    "error_bad_gateway": (
        lambda credly: credly.issue_badge(ANN),
        errors.OutcomeUnknown,
        {"outcome_unknown": True},
    ),
    "error_bad_gateway_on_a_list": (
        lambda credly: list(credly.list_templates()),
        errors.ServerError,
        {"permanent": False, "outcome_unknown": False},
    ),
}
BY_OAUTH = {"fetch_access_token", "error_access_token"}


def recorded(sample: Sample) -> http.Response:
    response = http.Response()
    response.status_code = sample.status
    response.headers.update(sample.headers)
    response.raw = io.BytesIO(sample.answer)
    return response


def client_of(wire: Wire, *, oauth: OAuth | None = None) -> CredlyClient:
    session = http.Session()
    session.mount("https://", wire)
    token = TOKEN if oauth is None else None
    return CredlyClient(
        base_url=BASE, organization_id=ORG, token=token, oauth=oauth, session=session
    )


def sent(request: http.PreparedRequest, *, base: str = BASE) -> tuple[object, ...]:
    url = urlsplit(request.url or "")
    path = (request.url or "").partition("?")[0].removeprefix(base)
    body = request.body or b""
    text = body.decode() if isinstance(body, bytes) else body
    if "form" in request.headers.get("Content-Type", ""):
        return request.method, path, dict(parse_qsl(url.query)), None, dict(parse_qsl(text))
    return request.method, path, dict(parse_qsl(url.query)), json.loads(text or "null"), None


def recorded_request(sample: Sample) -> tuple[object, ...]:
    return sample.method, sample.path, sample.query, sample.body, sample.form


def test_every_sample_is_read() -> None:
    assert set(samples.cases()) == {*DONE, *REFUSED, *BY_OAUTH}


@pytest.mark.parametrize("case", DONE)
def test_a_call(case: str) -> None:
    sample = samples.read(case)
    act, expected = DONE[case]
    wire = Wire(lambda _: recorded(sample))
    outcome = act(client_of(wire))
    assert [sent(request) for request in wire.sent] == [recorded_request(sample)]
    for name, value in expected.items():
        if isinstance(outcome, list | tuple):
            assert [getattr(item, name) for item in outcome] == value
        else:
            assert getattr(outcome, name) == value


@pytest.mark.parametrize("case", REFUSED)
def test_an_error(case: str) -> None:
    sample = samples.read(case)
    act, kind, expected = REFUSED[case]
    wire = Wire(lambda _: recorded(sample))
    with pytest.raises(CredlyError) as caught:
        act(client_of(wire))
    assert type(caught.value) is kind
    assert caught.value.status == sample.status
    assert {name: getattr(caught.value, name) for name in expected} == expected
    assert "@" not in str(caught.value)
    assert [sent(request) for request in wire.sent] == [recorded_request(sample)]


def oauth_wire(sample: Sample) -> Wire:
    organization = samples.read("get_organization")
    return Wire(
        lambda request: recorded(sample if "oauth" in (request.url or "") else organization)
    )


def test_an_access_token() -> None:
    sample = samples.read("fetch_access_token")
    wire = oauth_wire(sample)
    credly = client_of(wire, oauth=OAuth(client_id="acme", client_secret="secret"))
    assert credly.get_organization().name == "Acme Academy"
    fetched, call = wire.sent
    assert sent(fetched, base=OAUTH) == recorded_request(sample)
    assert fetched.headers["Authorization"].startswith("Basic ")
    assert call.headers["Authorization"] == f"Bearer {sample.document['access_token']}"


def test_an_access_token_that_is_refused() -> None:
    wire = oauth_wire(samples.read("error_access_token"))
    credly = client_of(wire, oauth=OAuth(client_id="acme", client_secret="secret"))
    with pytest.raises(errors.Unauthorized):
        credly.get_organization()
    assert len(wire.sent) == 1
