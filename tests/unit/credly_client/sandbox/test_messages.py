from datetime import UTC, datetime

import pytest

from credly_client.sandbox.messages import (
    Call,
    Refusal,
    Reply,
    Route,
    find_route,
    invalid,
    read_moment,
    written,
)

NOW = datetime(2026, 3, 1, 10, tzinfo=UTC)


def nothing(_call: Call, _ids: tuple[str, ...]) -> Reply:
    return Reply()


ROUTES = (
    Route("GET", "organizations/<id>/badges", nothing),
    Route("GET", "organizations/<id>/badges/<id>", nothing),
    Route("PUT", "organizations/<id>/badges/<id>/revoke", nothing),
)


@pytest.mark.parametrize(
    ("method", "path", "name", "ids"),
    [
        ("GET", "organizations/A/badges", "GET organizations/<id>/badges", ("a",)),
        ("GET", "organizations/a/badges/b", "GET organizations/<id>/badges/<id>", ("a", "b")),
        (
            "PUT",
            "organizations/a/badges/b/revoke",
            "PUT organizations/<id>/badges/<id>/revoke",
            ("a", "b"),
        ),
    ],
)
def test_routes(method: str, path: str, name: str, ids: tuple[str, ...]) -> None:
    route, found = find_route(ROUTES, Call(method=method, path=path, now=NOW))
    assert (route.name, found) == (name, ids)


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "organizations/a/badges"), ("GET", "organizations/a"), ("GET", "")],
)
def test_no_route(method: str, path: str) -> None:
    with pytest.raises(Refusal) as caught:
        find_route(ROUTES, Call(method=method, path=path, now=NOW))
    assert caught.value.status == 404


def test_refusal_has_credlys_shape() -> None:
    assert invalid({"issued_at": "is not a date"}).reply().document == {
        "data": {
            "message": "Validation failed: issued at is not a date",
            "errors": [
                {
                    "attribute": "issued_at",
                    "attribute_label": "Issued at",
                    "messages": ["is not a date"],
                }
            ],
        },
        "metadata": {},
    }


@pytest.mark.parametrize(
    "text",
    [
        "2014-04-01 09:41:00 -0500",
        "2014-04-01T14:41:00.000Z",
        "2014-04-01T14:41:00+00:00",
        "2014-04-01 14:41:00",
    ],
)
def test_issued_at_comes_in_several_forms(text: str) -> None:
    moment = read_moment(text)
    assert moment is not None
    assert written(moment) == "2014-04-01T14:41:00.000Z"


@pytest.mark.parametrize("text", ["", "soon", None, 5, "01/04/2014"])
def test_what_is_no_moment(text: object) -> None:
    assert read_moment(text) is None
