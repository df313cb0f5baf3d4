"""Filters, order and pages of a list call, over public documents."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from math import ceil
from urllib.parse import urlencode

from credly_client.sandbox.messages import Call, Document, Refusal, Reply, read_moment

PER_PAGE = 50
Test = Callable[[Document, tuple[str, ...]], bool]


def _is(key: str) -> Test:
    return lambda shown, values: _text(shown.get(key)) in {value.lower() for value in values}


def _is_exactly(key: str) -> Test:
    return lambda shown, values: shown.get(key) in values


def _overlaps(key: str) -> Test:
    return lambda shown, values: bool(set(shown.get(key) or ()) & set(values))


def _contains(*keys: str) -> Test:
    return lambda shown, values: any(
        value.lower() in _text(shown.get(key)) for key in keys for value in values
    )


def _since(key: str) -> Test:
    return lambda shown, values: _compare(shown.get(key), values[0]) >= 0


def _until(key: str) -> Test:
    return lambda shown, values: _compare(shown.get(key), values[0]) <= 0


def _owner(shown: Document, values: tuple[str, ...]) -> bool:
    return shown["owner"]["id"] in values


def _template(shown: Document, values: tuple[str, ...]) -> bool:
    return shown["badge_template"]["id"] in values


TEMPLATE_FILTERS: Mapping[str, Test] = {
    "query": _contains("name", "description"),
    "name": _contains("name"),
    "public": _is("public"),
    "reporting_tags": _overlaps("reporting_tags"),
    "skills": _overlaps("skills"),
    "state": _is("state"),
    "created_at_min": _since("created_at"),
    "created_at_max": _until("created_at"),
    "updated_at_min": _since("updated_at"),
    "updated_at_max": _until("updated_at"),
    "owner_id": _owner,
}
BADGE_FILTERS: Mapping[str, Test] = {
    "query": _contains("issued_to", "recipient_email"),
    "state": _is("state"),
    "recipient_email": _is("recipient_email"),
    "badge_template_id": _template,
    "issuer_earner_id": _is_exactly("issuer_earner_id"),
    "public": _is("public"),
}
EVENT_FILTERS: Mapping[str, Test] = {"event_type": _is("event_type")}
TOKEN_FILTERS: Mapping[str, Test] = {}


def parse_filter(call: Call) -> dict[str, tuple[str, ...]]:
    """`key::v|key2::a,b` -> {key: (v,), key2: (a, b)}."""
    filters = {}
    for part in filter(None, call.query.get("filter", "").split("|")):
        key, separator, values = part.partition("::")
        if not separator:
            raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, f"Filter not understood: {part}")
        filters[key] = tuple(values.split(","))
    return filters


def list_reply(
    records: Sequence[Document],
    *,
    call: Call,
    tests: Mapping[str, Test],
    show: Callable[[Document], Document] = dict,
) -> Reply:
    """`show`: a record -> its public document, which is what filters and order look at."""
    filters = parse_filter(call)
    unknown = sorted(set(filters) - set(tests))
    if unknown:
        # What Credly does is not known; here a misspelt filter must not pass unseen.
        raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, f"Unknown filter: {', '.join(unknown)}")
    order = call.query.get("sort", "")
    if not filters and not order:
        # Only one page is shown: whoever reads a long list page by page must not wait for all of
        # it each time.
        return _page(records, call=call, show=show)
    found = [
        item
        for item in map(show, records)
        if all(tests[key](item, values) for key, values in filters.items())
    ]
    if order:
        found.sort(key=lambda item: _text(item.get(order.lstrip("-"))), reverse=order[0] == "-")
    return _page(found, call=call, show=dict)


def _page(found: Sequence[Document], *, call: Call, show: Callable[[Document], Document]) -> Reply:
    asked = call.query.get("page", "1")
    current = max(int(asked), 1) if asked.isdecimal() else 1
    items = [show(item) for item in found[(current - 1) * PER_PAGE : current * PER_PAGE]]
    pages = max(ceil(len(found) / PER_PAGE), 1)

    def link(page: int) -> str | None:
        if not 1 <= page <= pages:
            return None
        return f"{call.url}/v1/{call.path}?{urlencode({**call.query, 'page': page})}"

    metadata = {
        "count": len(items),
        "current_page": current,
        "total_count": len(found),
        "total_pages": pages,
        "per": PER_PAGE,
        "previous_page_url": link(current - 1),
        "next_page_url": link(current + 1),
    }
    return Reply(document={"data": items, "metadata": metadata})


def _text(value: object) -> str:
    return "" if value is None else str(value).lower()


def _compare(value: object, bound: str) -> int:
    moment, limit = read_moment(value), read_moment(bound)
    if moment is None or limit is None:
        return 0
    return (moment > limit) - (moment < limit)
