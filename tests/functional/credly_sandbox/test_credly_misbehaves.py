"""One test for each switch: what the client makes of it, and what happened at Credly."""

import socket
import time
from typing import Any
from uuid import uuid4

import pytest
import requests as http

from credly_client.client import CredlyClient
from credly_client.errors import (
    Forbidden,
    MalformedAnswer,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    Redirected,
    ServerError,
    Unauthorized,
    Unreachable,
    ValidationFailed,
)
from tests.functional.credly_sandbox.academy import TOKEN, Academy
from tests.functional.credly_sandbox.receiver import Receiver

ISSUE = "POST organizations/<id>/badges"


def issued(academy: Academy) -> int:
    return len(academy.state()["badges"])


def test_down(academy: Academy, credly: CredlyClient) -> None:
    academy.switch(down=2)
    with pytest.raises(ServerError) as reading:
        credly.get_organization()
    assert reading.value.status == 503
    with pytest.raises(OutcomeUnknown):
        credly.issue_badge(academy.badge_for("ann"))
    assert issued(academy) == 0
    credly.issue_badge(academy.badge_for("ann"))
    assert academy.calls(ISSUE) == 2


def test_down_until_it_is_up_again(academy: Academy, credly: CredlyClient) -> None:
    academy.switch(down=True)
    for _ in range(5):
        with pytest.raises(ServerError):
            credly.get_organization()
    academy.switch(down=False)
    credly.get_organization()


@pytest.mark.parametrize(("setting", "wait"), [(1, 60.0), ({"count": 1, "retry_after": 2}, 2.0)])
def test_rate_limited(academy: Academy, credly: CredlyClient, setting: Any, wait: float) -> None:
    academy.switch(rate_limited=setting)
    with pytest.raises(RateLimited) as caught:
        credly.issue_badge(academy.badge_for("ann"))
    assert caught.value.retry_after == wait
    assert issued(academy) == 0
    credly.issue_badge(academy.badge_for("ann"))


@pytest.mark.parametrize(
    ("switch", "found"),
    [
        ("timeout_before", 0),
        ("reset_before", 0),
        ("timeout_after", 1),
        ("reset", 1),
        ("malformed", 1),
        ("html", 1),
        ("down_after", 1),
    ],
)
def test_a_lost_answer_is_looked_up(
    academy: Academy, credly: CredlyClient, impatient: CredlyClient, *, switch: str, found: int
) -> None:
    academy.switch(**{switch: {"count": 1, "calls": ISSUE}})
    with pytest.raises(OutcomeUnknown):
        impatient.issue_badge(academy.badge_for("ann"))
    badges = credly.find_badges(issuer_earner_id="learner-ann", template_id=academy.template_id)
    assert len(badges) == issued(academy) == found


@pytest.mark.parametrize("status", [500, 502, 504])
def test_html_of_some_proxy(academy: Academy, credly: CredlyClient, status: int) -> None:
    academy.switch(down={"count": 2, "status": status}, down_after={"status": status})
    for _ in range(2):
        with pytest.raises(ServerError) as caught:
            list(credly.list_templates())
        assert caught.value.status == status
    with pytest.raises(OutcomeUnknown):
        credly.issue_badge(academy.badge_for("ann"))
    assert issued(academy) == 1


@pytest.mark.parametrize(
    ("switch", "kind"),
    [
        ("token_expired", Unauthorized),
        ("forbidden", Forbidden),
        ("not_found", NotFound),
        ("gone", NotFound),
        ("html", MalformedAnswer),
    ],
)
def test_an_answer_that_is_none(
    academy: Academy, credly: CredlyClient, switch: str, kind: type[Exception]
) -> None:
    academy.switch(**{switch: 1})
    with pytest.raises(kind):
        credly.get_organization()
    assert academy.state()["faults"] == {switch: 1}
    credly.get_organization()


@pytest.mark.parametrize(
    ("switch", "message", "fields"),
    [
        ("messages_as_text", "is not an e-mail", ("is not an e-mail address",)),
        ("message_at_top", "Validation failed", ()),
        ("errors_as_html", "422", ()),
    ],
)
def test_errors_come_in_several_shapes(
    academy: Academy, credly: CredlyClient, switch: str, message: str, fields: tuple[str, ...]
) -> None:
    academy.switch(**{switch: 1})
    credly.get_organization()  # no error, so the switch waits
    with pytest.raises(ValidationFailed, match=message) as caught:
        credly.issue_badge(academy.badge_for("ann", recipient_email="nowhere"))
    assert tuple(text for error in caught.value.errors for text in error.messages) == fields


@pytest.mark.parametrize("switch", ["next_page_drops_filter", "next_page_elsewhere"])
def test_the_next_page_is_asked_for_here(
    academy: Academy, credly: CredlyClient, switch: str
) -> None:
    for number in range(60):
        state = "archived" if number % 2 else "active"
        academy.put_template(id=str(uuid4()), name=f"Badge {number}", state=state)
    academy.switch(**{switch: True})
    page = http.get(
        f"{academy.running.api_url}organizations/{academy.organization_id}/badge_templates",
        params={"filter": "state::active,archived"},
        auth=(TOKEN, ""),
        timeout=5,
    ).json()
    following = page["metadata"]["next_page_url"]
    assert ("filter" in following) is (switch == "next_page_elsewhere")
    assert following.startswith(academy.running.url) is (switch == "next_page_drops_filter")
    assert len(list(credly.list_templates())) == 61
    assert len(list(credly.list_templates(state="active"))) == 31


def test_a_slow_credly_is_waited_for(academy: Academy, credly: CredlyClient) -> None:
    academy.switch(slow={"count": 1, "seconds": 0.3})
    started = time.monotonic()
    credly.get_organization()
    assert time.monotonic() - started >= 0.3


@pytest.mark.parametrize("switch", ["timeout_before", "timeout_after", "reset", "reset_before"])
def test_a_lost_read_is_simply_sent_again(
    academy: Academy, credly: CredlyClient, impatient: CredlyClient, switch: str
) -> None:
    academy.switch(**{switch: 1})
    with pytest.raises(Unreachable):
        impatient.get_organization()
    assert credly.get_organization().name == "Acme Academy"


def test_malformed_read(academy: Academy, credly: CredlyClient) -> None:
    academy.switch(malformed=1)
    with pytest.raises(MalformedAnswer):
        credly.get_organization()
    credly.get_organization()


def test_a_held_call_ends_when_the_sandbox_stops(academy: Academy, impatient: CredlyClient) -> None:
    academy.switch(timeout_after={"count": 1, "seconds": 30})
    with pytest.raises(Unreachable):
        impatient.get_organization()
    started = time.monotonic()
    academy.running.stop()
    assert time.monotonic() - started < 5


def test_extra_keys_are_ignored(academy: Academy, credly: CredlyClient) -> None:
    plain = credly.issue_badge(academy.badge_for("ann"))
    (event,) = (item for item in academy.state()["events"] if item["event_type"] == "badge.created")
    academy.switch(extra_keys=True)
    assert credly.get_badge(plain.id) == plain
    assert len(list(credly.list_templates())) == 1
    assert credly.get_organization().name == "Acme Academy"
    assert credly.get_event(event["id"]).badge == plain


def test_credly_is_not_there(academy: Academy) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        with academy.client(base_url=url) as credly, pytest.raises(Unreachable):
            credly.issue_badge(academy.badge_for("ann"))


def test_a_stopped_credly_answers_no_open_connection(academy: Academy) -> None:
    with academy.client() as credly:
        credly.get_organization()
        academy.running.stop()
        with pytest.raises(Unreachable):
            credly.get_organization()


def test_a_redirect_to_another_host_gets_no_key(academy: Academy, receiver: Receiver) -> None:
    elsewhere = Receiver()
    try:
        receiver.statuses = [307, 302]
        receiver.headers = [("Location", f"{elsewhere.root}/v1/organizations/x")]
        with academy.client(base_url=f"{receiver.root}/v1") as credly:
            with pytest.raises(Redirected):
                credly.get_organization()
            with pytest.raises(Redirected) as caught:
                credly.issue_badge(academy.badge_for("ann"))
        assert caught.value.outcome_unknown
        assert elsewhere.requests == []
    finally:
        elsewhere.stop()


def test_cookies_are_not_kept(academy: Academy, receiver: Receiver) -> None:
    receiver.statuses = [500, 500]
    receiver.headers = [("Set-Cookie", "session=one; Path=/")]
    with academy.client(base_url=f"{receiver.root}/v1") as credly:
        for _ in range(2):
            with pytest.raises(ServerError):
                credly.get_organization()
    assert len(receiver.requests) == 2
    assert not any("Cookie" in headers for _, headers in receiver.requests)
