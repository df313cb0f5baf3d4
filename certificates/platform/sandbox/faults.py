"""What can go wrong at the platform, for how many calls, and whose turn it is."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, Self

import attrs

APIS: Final = ("token", "course", "policy", "gradebook", "completion", "accounts", "enrollments")
KINDS: Final[Mapping[str, str]] = {
    "status": "answers `status` (500 unless told), with `retry_after` if it is given",
    "slow": "answers after `seconds`",
    "drip": "answers a byte at a time, `seconds` apart",
    "cut": "ends in the middle of the JSON",
    "html": "answers a page to sign in, with status 200",
    "surprise": "answers JSON of another form",
    "huge": "answers JSON of 20 MB",
    "endless": "the next page is always this one",
    "reset": "ends the connection without an answer",
    "hangup": "ends the connection in the middle of the answer",
}


HUGE: Final = 20 * 1024 * 1024


class FaultError(ValueError):
    """No fault can be made of this; the message says why."""


@attrs.frozen(kw_only=True)
class Fault:
    """`api`: which one, blank: every one. `page`: only this page, 0: every page. `count`: how many
    calls are still to be hit, 0: until cleared.
    """

    kind: str = attrs.field(validator=attrs.validators.in_(KINDS))
    api: str = attrs.field(default="", validator=attrs.validators.in_(("", *APIS)))
    page: int = attrs.field(default=0, validator=attrs.validators.instance_of(int))
    count: int = attrs.field(default=0, validator=attrs.validators.instance_of(int))
    status: int = attrs.field(default=500, validator=attrs.validators.in_(range(300, 600)))
    seconds: float = attrs.field(default=1.0, validator=attrs.validators.instance_of((int, float)))
    retry_after: str = attrs.field(default="", converter=str)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Raises FaultError."""
        try:
            return cls(**document)
        except (TypeError, ValueError) as error:
            raise FaultError(str(error.args[0])) from error

    def hits(self, *, api: str, page: int) -> bool:
        return self.api in ("", api) and self.page in (0, page)

    def used(self) -> Self | None:
        """What is left of it after one more call; None: nothing."""
        if self.count == 1:
            return None
        return attrs.evolve(self, count=max(self.count - 1, 0))


def _endless(body: bytes, url: str) -> bytes:
    document = json.loads(body)
    place = document.get("pagination", document) if isinstance(document, dict) else {}
    place["next"] = f"{url}/?cursor=cD0w&page=1"
    return json.dumps(document).encode()


BODIES: Final[Mapping[str, Callable[[bytes, str], bytes]]] = {
    "cut": lambda body, _url: body[: len(body) // 2],
    "html": lambda _body, _url: b"<html><body><h1>Sign in</h1></body></html>",
    "surprise": lambda _body, _url: b'{"detail": ["surprise"]}',
    "huge": lambda _body, _url: b'"' + b"x" * HUGE + b'"',
    "endless": _endless,
}
"""What becomes of the body, given the sandbox's address."""
