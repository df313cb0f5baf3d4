"""The keys of an organization: they age, are rotated, may do only some things; OAuth instead."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests as http

from credly_client.client import CredlyClient
from credly_client.errors import Forbidden, OutcomeUnknown, Unauthorized
from credly_client.oauth import OAuth
from credly_client.sandbox import Sandbox, serve
from tests.functional.credly_sandbox.academy import TOKEN, Academy

TOKENS = "POST oauth/token"


@pytest.fixture
def oauth(academy: Academy) -> OAuth:
    academy.control(
        "organizations", id=academy.organization_id, client_id="acme", client_secret="s e:cret"
    )
    return OAuth(client_id="acme", client_secret="s e:cret", token_url=academy.running.oauth_url)


@pytest.fixture
def by_oauth(academy: Academy, oauth: OAuth) -> Iterator[CredlyClient]:
    with academy.client(token=None, oauth=oauth) as client:
        yield client


def test_a_key_has_an_age_and_an_end(academy: Academy, credly: CredlyClient) -> None:
    (key,) = credly.list_authorization_tokens()
    assert key.token == TOKEN
    assert str(key.owner_id) == academy.organization_id
    assert key.created_at is not None
    assert key.expires_at == key.created_at + timedelta(days=180)
    assert TOKEN not in repr(key)


def test_a_key_ends(academy: Academy, credly: CredlyClient) -> None:
    soon = datetime.now(UTC) + timedelta(days=3)
    academy.control(
        "organizations",
        id=academy.organization_id,
        token=TOKEN,
        token_expires_at=soon.isoformat(),
    )
    (key,) = credly.list_authorization_tokens()
    assert key.expires_at is not None
    assert abs(key.expires_at - soon) < timedelta(seconds=1)
    academy.control(f"organizations/{academy.organization_id}/expire")
    with pytest.raises(Unauthorized, match="expired"):
        credly.get_organization()


def test_rotation_kills_the_old_key_at_once(academy: Academy, credly: CredlyClient) -> None:
    rotated = credly.rotate_authorization_token()
    assert rotated.token != TOKEN
    assert credly.get_organization().name == "Acme Academy"
    with academy.client(token=TOKEN) as before, pytest.raises(Unauthorized):
        before.get_organization()
    with academy.client(token=rotated.token) as after:
        assert len(list(after.list_authorization_tokens())) == 1


def test_a_rotated_key_that_is_not_told_is_lost(academy: Academy, credly: CredlyClient) -> None:
    academy.switch(rotated_token_hidden=True)
    with pytest.raises(OutcomeUnknown, match="token"):
        credly.rotate_authorization_token()
    with pytest.raises(Unauthorized):
        credly.get_organization()


def test_a_key_may_be_for_reading_only(academy: Academy, credly: CredlyClient) -> None:
    url = f"{academy.running.api_url}organizations/{academy.organization_id}/authorization_tokens"
    made = http.post(
        url,
        auth=(TOKEN, ""),
        json={"write_enabled": False, "delete_enabled": False, "description": "audit"},
        timeout=5,
    )
    badge = credly.issue_badge(academy.badge_for("ann"))
    assert {key.description for key in credly.list_authorization_tokens()} == {"", "audit"}
    with academy.client(token=made.json()["data"]["token"]) as reader:
        assert reader.get_badge(badge.id) == badge
        with pytest.raises(Forbidden):
            reader.issue_badge(academy.badge_for("bob"))
        with pytest.raises(Forbidden):
            reader.delete_badge(badge.id)


def test_one_access_token_for_many_calls(academy: Academy, by_oauth: CredlyClient) -> None:
    badge = by_oauth.issue_badge(academy.badge_for("ann"))
    assert by_oauth.get_badge(badge.id) == badge
    assert len(list(by_oauth.list_templates())) == 1
    assert academy.calls(TOKENS) == 1


def test_clients_share_the_access_token(academy: Academy, oauth: OAuth) -> None:
    for _ in range(3):
        with academy.client(token=None, oauth=oauth) as credly:
            credly.get_organization()
    assert academy.calls(TOKENS) == 1


def test_an_access_token_that_ended_early_is_fetched_anew_once(
    academy: Academy, by_oauth: CredlyClient
) -> None:
    by_oauth.get_organization()
    academy.control(f"organizations/{academy.organization_id}/expire")
    by_oauth.issue_badge(academy.badge_for("ann"))
    assert academy.calls(TOKENS) == 2
    academy.switch(token_expired={"calls": "GET"})
    with pytest.raises(Unauthorized):
        by_oauth.get_organization()
    assert academy.calls(TOKENS) == 3
    assert academy.calls("GET organizations/<id>") == 3


def test_a_token_is_not_used_to_its_very_end(academy: Academy, by_oauth: CredlyClient) -> None:
    academy.switch(access_token_life={"seconds": 1})
    for _ in range(2):
        by_oauth.get_organization()
    assert academy.calls(TOKENS) == 1
    time.sleep(0.6)
    by_oauth.get_organization()
    assert academy.calls(TOKENS) == 2
    assert academy.calls("GET organizations/<id>") == 3  # none was refused


@pytest.mark.parametrize("wrong", [{"client_secret": "other"}, {"scopes": ("everything",)}])
def test_wrong_credentials(academy: Academy, oauth: OAuth, wrong: dict[str, Any]) -> None:
    values: dict[str, Any] = {
        "client_id": "acme",
        "client_secret": "s e:cret",
        "token_url": academy.running.oauth_url,
    }
    with (
        academy.client(token=None, oauth=OAuth(**values | wrong)) as credly,
        pytest.raises(Unauthorized, match="invalid_"),
    ):
        credly.get_organization()


def test_scopes_count(academy: Academy, oauth: OAuth) -> None:
    narrow = OAuth(
        client_id="acme",
        client_secret="s e:cret",
        token_url=academy.running.oauth_url,
        scopes=("badge_templates",),
    )
    with academy.client(token=None, oauth=narrow) as credly:
        assert len(list(credly.list_templates())) == 1
        with pytest.raises(Forbidden, match="scope"):
            credly.issue_badge(academy.badge_for("ann"))


def test_access_tokens_do_not_outlive_the_sandbox(tmp_path: Path) -> None:
    state = tmp_path / "sandbox.json"
    with serve(Sandbox(state)) as first:
        academy = Academy.founded(first)
        academy.control(
            "organizations", id=academy.organization_id, client_id="acme", client_secret="secret"
        )
        oauth = OAuth(client_id="acme", client_secret="secret", token_url=first.oauth_url)
        with academy.client(token=None, oauth=oauth) as credly:
            credly.get_organization()
    with (
        serve(Sandbox(state), port=first.port),
        academy.client(token=None, oauth=oauth) as credly,
    ):
        assert credly.get_organization().name == "Acme Academy"
