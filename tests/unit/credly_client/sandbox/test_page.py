from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

from credly_client.sandbox import Sandbox
from credly_client.sandbox.messages import Call

ORG = "5f1b0cb7-6d0a-4a7e-9d6c-3f0d5d0b8a10"
TEMPLATE = "0d4a7c1e-2b53-4f6f-9a60-6d1b7a3c9e21"
NASTY = "<script>alert('x')</script>\"&"
NOW = datetime(2026, 3, 1, 10, tzinfo=UTC)
VOID = {"meta", "br"}


class Balanced(HTMLParser):
    """Collects what is visible and fails when the tags do not match."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: Any) -> None:  # noqa: ARG002  (inherited)
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def sandbox_with_template(name: str = "Data") -> Sandbox:
    sandbox = Sandbox()
    sandbox.control("organizations", {"id": ORG, "name": name, "token": "key"})
    sandbox.control("templates", {"id": TEMPLATE, "organization_id": ORG, "name": name})
    return sandbox


def issue(sandbox: Sandbox, number: int, *, name: str = "Ann") -> None:
    call = Call(
        method="POST",
        path=f"v1/organizations/{ORG}/badges",
        token="key",
        now=NOW,
        body={
            "recipient_email": f"ann{number}@example.com",
            "issued_to_first_name": name,
            "issued_to_last_name": "Lee",
            "badge_template_id": TEMPLATE,
            "issued_at": "2026-03-01T10:00:00Z",
            "issuer_earner_id": f"{name}-{number}",
        },
    )
    assert sandbox.answer(call).status == 201


def page_of(sandbox: Sandbox, **query: str) -> Balanced:
    html = sandbox.answer(Call(method="GET", path="", query=query, now=NOW)).body.decode()
    parsed = Balanced()
    parsed.feed(html)
    assert parsed.open == []
    return parsed


def test_an_empty_page() -> None:
    page = page_of(Sandbox())
    assert "No organization yet." in page.text
    assert "table" not in page.tags


def test_all_text_is_escaped() -> None:
    sandbox = sandbox_with_template(NASTY)
    issue(sandbox, 1, name=NASTY)
    page = page_of(sandbox)
    assert "script" not in page.tags
    assert page.text.count(NASTY) == 6  # organization 2, template 2, learner, earner id


def test_the_newest_two_hundred_and_the_counts() -> None:
    sandbox = sandbox_with_template()
    for number in range(205):
        issue(sandbox, number)
    page = page_of(sandbox)
    assert "The newest 200 of 205." in page.text
    assert "pending 205 · accepted 0" in page.text
    assert "ann204@example.com" in page.text
    assert "ann4@example.com" not in page.text
    assert "No badge here." in page_of(sandbox, state="revoked").text


def test_what_happened_to_a_badge_and_the_faults_that_are_set() -> None:
    sandbox = sandbox_with_template()
    issue(sandbox, 1)
    badge_id = next(iter(sandbox._world.badges))
    sandbox.control(f"badges/{badge_id}/private")
    assert "misbehaves" not in page_of(sandbox).text
    sandbox.control("switches", {"slow": True, "random": True})
    page = page_of(sandbox)
    assert "misbehaves on purpose: slow, random." in page.text
    for told in ("made private", "badge.privacy.changed", "private"):
        assert told in page.text
    sandbox.control("switches/clear")
    assert "misbehaves" not in page_of(sandbox).text


def test_expired_and_replaced_badges_are_marked() -> None:
    sandbox = sandbox_with_template()
    for number in range(3):
        issue(sandbox, number)
    expired, replaced, _ = sandbox._world.badges.values()
    expired["expires_at"] = "2026-02-28"
    replaced["replacement_badge_id"] = ORG
    page = page_of(sandbox)
    assert page.text.count("expired") == page.text.count("replaced") == 1
    assert page.text.count("Revoke") == 2


def test_a_refused_button_says_so() -> None:
    sandbox = sandbox_with_template()
    answer = sandbox.answer(
        Call(method="POST", path=f"sandbox/badges/{ORG}/accept", now=NOW, wants_html=True)
    )
    assert answer.status == 404
    assert b"Badge not found" in answer.body
