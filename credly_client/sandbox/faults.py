"""Everything that can go wrong, one table. A new fault is a function and a line of `SWITCHES`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode, urlsplit

from credly_client.sandbox.messages import Document, Reply

HOLD = 60.0
ELSEWHERE = "https://elsewhere.example.com"
EXTRA = {"sandbox_extra_key": {"any": ["thing"]}}
Options = Mapping[str, Any]


class Phase(Enum):
    """When a switch acts: instead of the call, on its answer, inside the rules, on a webhook."""

    BEFORE = auto()
    AFTER = auto()
    RULE = auto()
    WEBHOOK = auto()


def _page(status: int) -> Reply:
    phrase = HTTPStatus(status).phrase
    return Reply(status=status, html=f"<html><body><h1>{status} {phrase}</h1></body></html>")


def _failed(options: Options, _reply: Reply) -> Reply:
    return _page(int(options.get("status", HTTPStatus.SERVICE_UNAVAILABLE)))


def _failed_after(options: Options, _reply: Reply) -> Reply:
    return _page(int(options.get("status", HTTPStatus.BAD_GATEWAY)))


def _refused(status: HTTPStatus, message: str) -> Callable[[Options, Reply], Reply]:
    document = {"data": {"message": message}, "metadata": {}}
    return lambda _options, _reply: Reply(status=status, document=document)


def _rate_limited(options: Options, _reply: Reply) -> Reply:
    wait = options.get("retry_after")
    return Reply(
        status=HTTPStatus.TOO_MANY_REQUESTS,
        document={"data": {"message": "Rate limit exceeded"}, "metadata": {}},
        headers={} if wait is None else {"Retry-After": str(wait)},
    )


def _held(options: Options, reply: Reply) -> Reply:
    return replace(reply, hold=float(options.get("seconds", HOLD)), end="close")


def _slow(options: Options, reply: Reply) -> Reply:
    return replace(reply, hold=float(options.get("seconds", 1)))


def _dripping(options: Options, reply: Reply) -> Reply:
    return replace(reply, drip=float(options.get("seconds", 1)))


def _reset(_options: Options, reply: Reply) -> Reply:
    return replace(reply, end="reset")


def _malformed(_options: Options, reply: Reply) -> Reply:
    return replace(reply, cut=True)


def _html(_options: Options, reply: Reply) -> Reply:
    page = "<html><body><h1>Sign in</h1></body></html>"
    return replace(reply, document=None, html=page)


def _extra_keys(_options: Options, reply: Reply) -> Reply:
    return replace(reply, document=with_extra_keys(reply.document))


def with_extra_keys(value: Any) -> Any:
    """The same JSON with one more key in every object."""
    if isinstance(value, dict):
        return {key: with_extra_keys(item) for key, item in value.items()} | EXTRA
    if isinstance(value, list):
        return [with_extra_keys(item) for item in value]
    return value


def _messages_as_text(_options: Options, reply: Reply) -> Reply:
    data = dict((reply.document or {}).get("data") or {})
    data["errors"] = [
        {**error, "messages": ", ".join(error["messages"])} for error in data.get("errors") or []
    ]
    return replace(reply, document={**(reply.document or {}), "data": data})


def _message_at_top(_options: Options, reply: Reply) -> Reply:
    data = (reply.document or {}).get("data") or {}
    return replace(reply, document={"message": data.get("message")})


def _error_as_html(_options: Options, reply: Reply) -> Reply:
    return replace(reply, document=None, html=_page(reply.status).html)


def _next_page(change: Callable[[str], str]) -> Callable[[Options, Reply], Reply]:
    def effect(_options: Options, reply: Reply) -> Reply:
        document = reply.document or {}
        metadata = dict(document["metadata"])
        for key in ("next_page_url", "previous_page_url"):
            metadata[key] = metadata[key] and change(metadata[key])
        return replace(reply, document={**document, "metadata": metadata})

    return effect


def _without_filter(url: str) -> str:
    parts = urlsplit(url)
    pages = [item for item in parts.query.split("&") if item.startswith("page=")]
    return parts._replace(query="&".join(pages) or urlencode({"page": 1})).geturl()


def _on_another_host(url: str) -> str:
    parts = urlsplit(url)
    return f"{ELSEWHERE}{parts.path}?{parts.query}"


def _token_hidden(_options: Options, reply: Reply) -> Reply:
    data = {key: value for key, value in _data(reply).items() if key != "token"}
    return replace(reply, document={**(reply.document or {}), "data": data})


def _data(reply: Reply) -> Document:
    data = (reply.document or {}).get("data")
    return data if isinstance(data, dict) else {}


def _always(_reply: Reply) -> bool:
    return True


def _is_error(reply: Reply) -> bool:
    return reply.status >= HTTPStatus.BAD_REQUEST and reply.document is not None


def _is_list(reply: Reply) -> bool:
    return "next_page_url" in ((reply.document or {}).get("metadata") or {})


def _has_token(reply: Reply) -> bool:
    return "token" in _data(reply)


@dataclass(frozen=True)
class Switch:
    """`takes`: its own options. `fits`: answers that it leaves alone are not counted."""

    phase: Phase
    effect: Callable[[Options, Reply], Reply] | None = None
    takes: frozenset[str] = frozenset()
    fits: Callable[[Reply], bool] = _always


_SECONDS = frozenset({"seconds"})
_STATUS = frozenset({"status"})
RANDOM = "random"

SWITCHES: Mapping[str, Switch] = {
    # Instead of the call: nothing is changed.
    "down": Switch(Phase.BEFORE, _failed, _STATUS),
    "rate_limited": Switch(Phase.BEFORE, _rate_limited, frozenset({"retry_after"})),
    "token_expired": Switch(
        Phase.BEFORE, _refused(HTTPStatus.UNAUTHORIZED, "The authorization token has expired")
    ),
    "forbidden": Switch(Phase.BEFORE, _refused(HTTPStatus.FORBIDDEN, "Not allowed")),
    "not_found": Switch(Phase.BEFORE, _refused(HTTPStatus.NOT_FOUND, "Not found")),
    "gone": Switch(Phase.BEFORE, _refused(HTTPStatus.GONE, "Gone")),
    "timeout_before": Switch(Phase.BEFORE, _held, _SECONDS),
    "reset_before": Switch(Phase.BEFORE, _reset),
    # On the answer: the change is made.
    "next_page_drops_filter": Switch(Phase.AFTER, _next_page(_without_filter), fits=_is_list),
    "next_page_elsewhere": Switch(Phase.AFTER, _next_page(_on_another_host), fits=_is_list),
    "messages_as_text": Switch(Phase.AFTER, _messages_as_text, fits=_is_error),
    "message_at_top": Switch(Phase.AFTER, _message_at_top, fits=_is_error),
    "errors_as_html": Switch(Phase.AFTER, _error_as_html, fits=_is_error),
    "rotated_token_hidden": Switch(Phase.AFTER, _token_hidden, fits=_has_token),
    "extra_keys": Switch(Phase.AFTER, _extra_keys),
    "down_after": Switch(Phase.AFTER, _failed_after, _STATUS),
    "html": Switch(Phase.AFTER, _html),
    "malformed": Switch(Phase.AFTER, _malformed),
    "dripping": Switch(Phase.AFTER, _dripping, _SECONDS),
    "slow": Switch(Phase.AFTER, _slow, _SECONDS),
    "timeout_after": Switch(Phase.AFTER, _held, _SECONDS),
    "reset": Switch(Phase.AFTER, _reset),
    # What is not known of Credly.
    "new_badges_accepted": Switch(Phase.RULE),
    "revoked_count_as_duplicates": Switch(Phase.RULE),
    "batch_stops_in_the_middle": Switch(Phase.RULE),
    "access_token_life": Switch(Phase.RULE, takes=_SECONDS),
    "events_appear_late": Switch(Phase.RULE, takes=_SECONDS),
    # Webhooks.
    "webhooks_lost": Switch(Phase.WEBHOOK),
    "webhooks_delayed": Switch(Phase.WEBHOOK, takes=_SECONDS),
    "webhooks_shuffled": Switch(Phase.WEBHOOK, takes=_SECONDS | {"seed"}),
    "webhooks_repeated": Switch(Phase.WEBHOOK, takes=frozenset({"times"})),
    # One of `faults` at random, for one call in `one_in`.
    RANDOM: Switch(
        Phase.BEFORE, takes=frozenset({"one_in", "seed", "faults", "seconds", "retry_after"})
    ),
}
AT_RANDOM = (
    "down",
    "rate_limited",
    "timeout_before",
    "reset_before",
    "down_after",
    "html",
    "malformed",
    "slow",
    "timeout_after",
    "reset",
)
"""Faults that are gone at the next try: none that concerns the account or the badge."""
