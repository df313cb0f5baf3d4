"""What comes in and what goes out, before and after HTTP."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Literal

Document = dict[str, Any]
BLANK = "can't be blank"


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request. `path` has no slash at either end; `token` and `password` are those of Basic
    authentication, `bearer` is an access token.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    token: str | None = None
    password: str = ""
    bearer: str | None = None
    now: datetime
    url: str = ""
    wants_html: bool = False


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One answer: a JSON document or ready HTML.

    `hold`: seconds to wait first. `end`: how the connection is treated instead of answering.
    `cut`: send only the first half of the body. `drip`: seconds between two bytes of it.
    """

    status: int = HTTPStatus.OK
    document: Document | None = None
    html: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    hold: float = 0.0
    end: Literal["close", "reset"] | None = None
    cut: bool = False
    drip: float = 0.0


class Refusal(Exception):  # noqa: N818  (it is an answer, not a fault)
    """A call that Credly refuses. `errors` maps attributes to what is wrong with them; `data` are
    further keys beside the message.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        errors: Mapping[str, str] | None = None,
        metadata: Document | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = dict(errors or {})
        self.metadata = metadata or {}
        self.data: Document = {}

    def reply(self) -> Reply:
        data: Document = {"message": self.message, **self.data}
        if self.errors:
            data["errors"] = [
                {
                    "attribute": attribute,
                    "attribute_label": attribute.replace("_", " ").capitalize(),
                    "messages": [message],
                }
                for attribute, message in self.errors.items()
            ]
        return Reply(status=self.status, document={"data": data, "metadata": self.metadata})


def not_found(what: str) -> Refusal:
    return Refusal(HTTPStatus.NOT_FOUND, f"{what} not found")


def invalid(errors: Mapping[str, str]) -> Refusal:
    listed = ", ".join(f"{key.replace('_', ' ')} {said}" for key, said in errors.items())
    return Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, f"Validation failed: {listed}", errors=errors)


Handler = Callable[[Call, tuple[str, ...]], Reply]


@dataclass(frozen=True)
class Route:
    """`pattern` has `<id>` for each part that the handler gets."""

    method: str
    pattern: str
    handler: Handler

    @property
    def name(self) -> str:
        return f"{self.method} {self.pattern}"


def find_route(routes: Iterable[Route], call: Call) -> tuple[Route, tuple[str, ...]]:
    """The route of a call and its ids; Refusal 404 when there is none."""
    parts = call.path.split("/")
    for route in routes:
        wanted = route.pattern.split("/")
        fits = len(wanted) == len(parts) and all(
            want in ("<id>", part) for want, part in zip(wanted, parts, strict=True)
        )
        if route.method == call.method and fits:
            pairs = zip(wanted, parts, strict=True)
            return route, tuple(part.lower() for want, part in pairs if want == "<id>")
    raise not_found("Page")


_SPACE_BEFORE_OFFSET = re.compile(r"\s+(?=[+-]\d\d:?\d\d$)")


def written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read_moment(text: object) -> datetime | None:
    """ISO 8601 or Credly's own `2014-04-01 09:41:00 -0500`; None when it is neither."""
    try:
        moment = datetime.fromisoformat(_SPACE_BEFORE_OFFSET.sub("", str(text).strip()))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
