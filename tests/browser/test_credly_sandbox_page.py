"""A person does on the sandbox's page what learners and issuers do at Credly."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Locator, Page, expect

from credly_client.client import CredlyClient
from credly_client.sandbox import Running, Sandbox, serve
from credly_client.types import BadgeRequest

ACME = "5f1b0cb7-6d0a-4a7e-9d6c-3f0d5d0b8a10"
EXPLORER = "0d4a7c1e-2b53-4f6f-9a60-6d1b7a3c9e21"


@pytest.fixture
def credly() -> Iterator[Running]:
    """Ann, Bob and Eve were issued the badge."""
    with serve(Sandbox()) as running:
        running.sandbox.control("organizations", {"id": ACME, "name": "Acme", "token": "key"})
        running.sandbox.control(
            "templates", {"id": EXPLORER, "organization_id": ACME, "name": "Data Explorer"}
        )
        with CredlyClient(base_url=running.api_url, organization_id=ACME, token="key") as client:
            for name in ("ann", "bob", "eve"):
                client.issue_badge(
                    BadgeRequest(
                        template_id=EXPLORER,
                        recipient_email=f"{name}@example.com",
                        first_name=name.capitalize(),
                        last_name="Lee",
                        issued_at=datetime(2026, 3, 1, tzinfo=UTC),
                        issuer_earner_id=name,
                    )
                )
        yield running


def of(page: Page, name: str) -> Locator:
    return page.locator("tr", has_text=f"{name} Lee")


def test_accept_reject_hide_and_revoke(page: Page, credly: Running) -> None:
    page.goto(f"{credly.url}/")
    for name, button, seen in (
        ("Ann", "Accept", "accepted"),
        ("Bob", "Reject", "rejected"),
        ("Eve", "Make private", "private"),
        ("Eve", "Revoke", "Revoked by the issuer"),
    ):
        of(page, name).get_by_role("button", name=button).click()
        expect(of(page, name)).to_contain_text(seen)
    page.get_by_role("link", name="accepted").click()
    expect(page.locator("tr", has_text="Lee")).to_have_count(1)
    states = [badge["state"] for badge in credly.sandbox.control("state", method="GET")["badges"]]
    assert states == ["accepted", "rejected", "revoked"]


def test_faults_are_shown_and_switched_off(page: Page, credly: Running) -> None:
    credly.sandbox.control("switches", {"down": True})
    page.goto(f"{credly.url}/")
    expect(page.get_by_text("misbehaves on purpose")).to_contain_text("down")
    page.get_by_role("button", name="Switch all off").click()
    expect(page.get_by_text("misbehaves on purpose")).to_have_count(0)
    assert credly.sandbox.control("switches", method="GET") == {}
