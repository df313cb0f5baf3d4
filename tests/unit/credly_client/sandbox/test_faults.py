from typing import Any

import pytest

from credly_client.sandbox.faults import ELSEWHERE, SWITCHES, with_extra_keys
from credly_client.sandbox.messages import Reply, invalid

URL = "http://127.0.0.1:8090/v1/organizations/a/badges?page=2&filter=state%3A%3Apending"
LIST = Reply(document={"data": [], "metadata": {"next_page_url": URL, "previous_page_url": None}})


def changed(name: str, reply: Reply, **options: Any) -> Reply:
    effect = SWITCHES[name].effect
    assert effect is not None
    assert SWITCHES[name].fits(reply)
    return effect(options, reply)


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("next_page_drops_filter", URL.partition("&")[0]),
        ("next_page_elsewhere", f"{ELSEWHERE}/{URL.split('/', 3)[3]}"),
    ],
)
def test_next_pages(name: str, url: str) -> None:
    assert changed(name, LIST).document == {
        "data": [],
        "metadata": {"next_page_url": url, "previous_page_url": None},
    }


def test_shapes_of_errors() -> None:
    refused = invalid({"issued_at": "is not a date"}).reply()
    text = changed("messages_as_text", refused).document
    assert text is not None
    assert text["data"]["errors"][0]["messages"] == "is not a date"
    assert changed("message_at_top", refused).document == {
        "message": "Validation failed: issued at is not a date"
    }
    page = changed("errors_as_html", refused)
    assert (page.status, page.document) == (422, None)
    assert page.html is not None


@pytest.mark.parametrize(
    ("name", "status"), [("down", 503), ("down_after", 502), ("gone", 410), ("not_found", 404)]
)
def test_statuses(name: str, status: int) -> None:
    assert changed(name, LIST).status == status


def test_a_hidden_token() -> None:
    told = Reply(document={"data": {"id": 1, "token": "secret"}, "metadata": {}})
    assert changed("rotated_token_hidden", told).document == {"data": {"id": 1}, "metadata": {}}
    assert not SWITCHES["rotated_token_hidden"].fits(LIST)


def test_extra_keys_go_everywhere() -> None:
    shown = with_extra_keys({"data": [{"id": 1}], "metadata": {}})
    assert "sandbox_extra_key" in shown
    assert "sandbox_extra_key" in shown["data"][0]
    assert shown["data"][0]["id"] == 1
