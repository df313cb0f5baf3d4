from datetime import UTC, datetime
from typing import Any

import pytest

from credly_client.sandbox.listing import BADGE_FILTERS, TEMPLATE_FILTERS, list_reply
from credly_client.sandbox.messages import Call, Document, Refusal

NOW = datetime(2026, 3, 1, 10, tzinfo=UTC)


def ids(shown: list[Document], tests: Any, **query: str) -> list[Any]:
    call = Call(method="GET", path="organizations/o/x", query=query, now=NOW, url="http://c")
    document = list_reply(shown, call=call, tests=tests).document
    assert document is not None
    return [item["id"] for item in document["data"]]


TEMPLATES: list[Document] = [
    {
        "id": 1,
        "name": "Data Explorer",
        "description": "",
        "state": "active",
        "public": True,
        "reporting_tags": ["data"],
        "skills": [],
        "created_at": "2026-01-01T00:00:00.000Z",
        "updated_at": "2026-01-05T00:00:00.000Z",
        "owner": {"id": "o"},
    },
    {
        "id": 2,
        "name": "Writer",
        "description": "about data",
        "state": "archived",
        "public": False,
        "reporting_tags": [],
        "skills": ["Prose"],
        "created_at": "2026-02-01T00:00:00.000Z",
        "updated_at": "2026-02-05T00:00:00.000Z",
        "owner": {"id": "p"},
    },
]


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("", [1, 2]),
        ("state::active", [1]),
        ("state::active,archived", [1, 2]),
        ("state::active|name::writer", []),
        ("query::DATA", [1, 2]),
        ("public::false", [2]),
        ("reporting_tags::data,other", [1]),
        ("skills::Prose", [2]),
        ("created_at_min::2026-01-15", [2]),
        ("updated_at_max::2026-01-15T00:00:00Z", [1]),
        ("owner_id::p", [2]),
    ],
)
def test_template_filters(written: str, found: list[int]) -> None:
    assert ids(TEMPLATES, TEMPLATE_FILTERS, filter=written) == found


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("issuer_earner_id::a|badge_template_id::t|state::pending,accepted", [1]),
        ("issuer_earner_id::A", []),
        ("recipient_email::ANN@example.com", [1]),
        ("state::revoked", [2]),
    ],
)
def test_badge_filters(written: str, found: list[int]) -> None:
    badges: list[Document] = [
        {
            "id": number,
            "state": state,
            "issuer_earner_id": earner,
            "recipient_email": f"{name}@example.com",
            "badge_template": {"id": "t"},
        }
        for number, state, earner, name in (
            (1, "pending", "a", "ann"),
            (2, "revoked", None, "bob"),
        )
    ]
    assert ids(badges, BADGE_FILTERS, filter=written) == found


@pytest.mark.parametrize("written", ["stat::active", "state", "state:active"])
def test_a_filter_that_is_not_understood_is_refused(written: str) -> None:
    with pytest.raises(Refusal):
        ids(TEMPLATES, TEMPLATE_FILTERS, filter=written)


@pytest.mark.parametrize(("sort", "found"), [("name", [1, 2]), ("-name", [2, 1])])
def test_sort(sort: str, found: list[int]) -> None:
    assert ids(TEMPLATES, TEMPLATE_FILTERS, sort=sort) == found


def test_pages_of_fifty() -> None:
    many: list[Document] = [{"id": number} for number in range(120)]

    def metadata(page: str) -> Any:
        call = Call(
            method="GET", path="organizations/o/x", query={"page": page}, now=NOW, url="http://c"
        )
        document = list_reply(many, call=call, tests={}).document
        assert document is not None
        return document["metadata"]

    assert metadata("2") == {
        "count": 50,
        "current_page": 2,
        "total_count": 120,
        "total_pages": 3,
        "per": 50,
        "previous_page_url": "http://c/v1/organizations/o/x?page=1",
        "next_page_url": "http://c/v1/organizations/o/x?page=3",
    }
    assert metadata("3")["next_page_url"] is None
    assert metadata("4")["count"] == 0
    assert metadata("what")["current_page"] == 1
