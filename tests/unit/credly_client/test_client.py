"""What the client asks for and makes of it, with an adapter in place of the network."""

import base64
import logging
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import pytest
import requests as http

from credly_client import paging
from credly_client.client import DEFAULT_TIMEOUT, CredlyClient
from credly_client.errors import MalformedAnswer, Redirected
from credly_client.oauth import OAuth
from tests.unit.credly_client.wire import ORG, TOKEN, answered, credly

TEMPLATE = "0d4a7c1e-2b53-4f6f-9a60-6d1b7a3c9e21"
BADGE = "a3f1c2d4-5e6f-4a7b-8c9d-0e1f2a3b4c5d"


def organization(_: http.PreparedRequest) -> http.Response:
    return answered({"data": {"id": ORG, "name": "Acme"}, "metadata": {}})


def page_number(request: http.PreparedRequest) -> int:
    return int(parse_qs(urlsplit(request.url or "").query)["page"][0])


def listed(items: list[object], *, page: int, pages: int) -> http.Response:
    metadata = {
        "current_page": page,
        "total_pages": pages,
        "next_page_url": "https://elsewhere.example.com/v1/templates?page=2",
    }
    return answered({"data": items, "metadata": metadata})


def template(number: int, *, state: str = "active") -> dict[str, Any]:
    return {"id": str(UUID(int=number)), "name": f"Badge {number}", "state": state}


def badge(**changes: Any) -> dict[str, Any]:
    return {
        "id": BADGE,
        "state": "pending",
        "badge_template": {"id": TEMPLATE},
        "issuer_earner_id": "learner-11",
    } | changes


# Configuration


@pytest.mark.parametrize("base_url", ["https://api.credly.com/v1", "https://api.credly.com/v1/"])
def test_the_base_path_is_kept(base_url: str) -> None:
    client, wire = credly(organization, base_url=base_url)
    assert client.get_organization().name == "Acme"
    assert wire.sent[0].url == f"https://api.credly.com/v1/organizations/{ORG}"


@pytest.mark.parametrize(
    "base_url",
    [
        "",
        "api.credly.com/v1",
        "ftp://api.credly.com/v1",
        "https:///v1",
        "https://api.credly.com/v1?x=1",
        "https://me@api.credly.com/v1",
    ],
)
def test_a_base_url_that_is_none(base_url: str) -> None:
    with pytest.raises(ValueError, match="base_url"):
        CredlyClient(base_url=base_url, organization_id=ORG, token=TOKEN)


@pytest.mark.parametrize("token", ["", "a b", "a:b", "tok\nen", "clé"])
def test_a_token_that_is_none_is_not_repeated(token: str) -> None:
    with pytest.raises(ValueError, match="token is empty or holds") as caught:
        CredlyClient(base_url="https://api.credly.com/v1", organization_id=ORG, token=token)
    assert not token or token not in str(caught.value)


def test_exactly_one_way_to_log_in() -> None:
    oauth = OAuth(client_id="acme", client_secret="secret")
    url = "https://api.credly.com/v1"
    with pytest.raises(ValueError, match="exactly one"):
        CredlyClient(base_url=url, organization_id=ORG)
    with pytest.raises(ValueError, match="exactly one"):
        CredlyClient(base_url=url, organization_id=ORG, token=TOKEN, oauth=oauth)


def test_organization_and_ids_must_be_uuids() -> None:
    with pytest.raises(ValueError, match="UUID"):
        CredlyClient(base_url="https://api.credly.com/v1", organization_id="acme", token=TOKEN)
    client, wire = credly(organization)
    for call in (client.get_template, client.get_badge, client.get_event):
        with pytest.raises(ValueError, match="UUID"):
            call("../../organizations")
    assert wire.sent == []


# What is sent


def test_authentication_and_time_out() -> None:
    client, wire = credly(organization)
    client.get_organization()
    expected = "Basic " + base64.b64encode(f"{TOKEN}:".encode()).decode()
    assert wire.sent[0].headers["Authorization"] == expected
    assert wire.sent[0].headers["Accept"] == "application/json"
    assert wire.timeouts == [DEFAULT_TIMEOUT]


def test_the_token_is_nowhere_to_be_read(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client, _ = credly(organization)
    client.get_organization()
    assert TOKEN not in repr(client) + caplog.text
    assert f"GET organizations/{ORG} answered 200" in caplog.text


def test_redirects_are_not_followed() -> None:
    client, wire = credly(
        lambda _: answered({}, status=302, headers={"Location": "https://elsewhere.example.com/"})
    )
    with pytest.raises(Redirected):
        client.get_organization()
    assert len(wire.sent) == 1


# Pages


def test_pages_are_asked_for_by_number_with_our_own_filter() -> None:
    def answer(request: http.PreparedRequest) -> http.Response:
        page = page_number(request)
        return listed([template(page)], page=page, pages=3)

    client, wire = credly(answer)
    assert [item.name for item in client.list_templates(state="active")] == [
        "Badge 1",
        "Badge 2",
        "Badge 3",
    ]
    urls = [urlsplit(request.url or "") for request in wire.sent]
    assert {url.hostname for url in urls} == {"api.credly.com"}
    assert [parse_qs(url.query) for url in urls] == [
        {"page": [str(page)], "filter": ["state::active"]} for page in (1, 2, 3)
    ]


def test_a_server_that_forgets_the_filter_changes_nothing() -> None:
    items: list[object] = [template(1), template(2, state="archived"), template(1)]
    client, _ = credly(lambda _: listed(items, page=1, pages=1))
    assert [item.name for item in client.list_templates(state="active")] == ["Badge 1"]
    assert len(list(client.list_templates())) == 2


def test_an_empty_page_ends_the_list() -> None:
    client, wire = credly(lambda request: listed([], page=page_number(request), pages=99))
    assert list(client.list_templates()) == []
    assert len(wire.sent) == 1


def test_a_server_that_always_answers_page_one() -> None:
    client, _ = credly(lambda _: listed([template(1)], page=1, pages=2))
    with pytest.raises(MalformedAnswer, match="asked for page 2"):
        list(client.list_templates())


def test_a_list_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "MAX_PAGES", 3)
    client, wire = credly(
        lambda request: listed([template(1)], page=page_number(request), pages=10**9)
    )
    with pytest.raises(MalformedAnswer, match="more than 3 pages"):
        list(client.list_templates())
    assert len(wire.sent) == 3


# Looking a badge up


def test_find_badges_filters_again() -> None:
    items: list[object] = [
        badge(),
        badge(),
        badge(id=str(uuid4()), issuer_earner_id="learner-12"),
        badge(id=str(uuid4()), issuer_earner_id=None),
        badge(id=str(uuid4()), state="revoked"),
        badge(id=str(uuid4()), badge_template={"id": str(uuid4())}),
    ]
    client, _ = credly(lambda _: listed(items, page=1, pages=1))
    found = client.find_badges(issuer_earner_id="learner-11", template_id=TEMPLATE)
    assert [str(item.id) for item in found] == [BADGE]


def test_a_replaced_badge_is_not_held() -> None:
    items: list[object] = [badge(replacement_badge_id=str(uuid4()))]
    client, _ = credly(lambda _: listed(items, page=1, pages=1))
    assert not client.find_badges(issuer_earner_id="learner-11", template_id=TEMPLATE)
    assert len(list(client.list_badges(issuer_earner_id="learner-11"))) == 1


def test_addresses_are_compared_without_case() -> None:
    items: list[object] = [
        badge(recipient_email="Ann@Example.com"),
        badge(id=str(uuid4()), recipient_email="bob@example.com"),
        badge(id=str(uuid4()), recipient_email=None),
    ]
    client, _ = credly(lambda _: listed(items, page=1, pages=1))
    found = client.list_badges(recipient_email="ann@example.com")
    assert [str(item.id) for item in found] == [BADGE]


def test_a_badge_that_can_not_be_compared_is_no_proof_of_absence() -> None:
    item = badge()
    del item["issuer_earner_id"]
    client, _ = credly(lambda _: listed([item], page=1, pages=1))
    with pytest.raises(MalformedAnswer, match="issuer_earner_id is missing"):
        client.find_badges(issuer_earner_id="learner-11", template_id=TEMPLATE)
