"""The sandbox without HTTP: calls, tokens, faults, and what tests and people may change."""

import secrets
import threading
from collections import Counter
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final, Literal

import attrs
import orjson

from certificates.platform.sandbox import api
from certificates.platform.sandbox.api import Call, Reply
from certificates.platform.sandbox.faults import BODIES, Fault, FaultError
from certificates.platform.sandbox.world import World, WorldError

TOKEN: Final = "oauth2/access_token"  # noqa: S105 -- an address
CONTROL: Final = "sandbox/"
LIFE: Final = 3600  # seconds
REDIRECTS: Final = range(300, 400)


@attrs.frozen(kw_only=True)
class Encoded:
    """What HTTP needs. `hold`: seconds before the answer, `drip`: between two bytes, `end`: hang
    up before the answer, or in the middle of it.
    """

    status: int
    body: bytes
    headers: Mapping[str, str] = attrs.field(factory=dict)
    hold: float = 0.0
    drip: float = 0.0
    end: Literal["", "before", "middle"] = ""


class Sandbox:
    """One local platform. Thread-safe."""

    def __init__(self, world: World) -> None:
        self.url = "http://127.0.0.1"
        self.calls: Counter[str] = Counter()
        """By API, since the start or the last reset."""
        self.world = world
        self._faults: list[Fault] = []
        self._tokens: set[str] = set()
        self._lock = threading.Lock()

    # For tests and, over HTTP, for people

    def load(self, document: Any) -> None:
        """Another world in place of this one. Raises WorldError."""
        self.world = World.from_document(document)

    def fault(self, kind: str, **options: Any) -> None:
        """From now on, as certificates.platform.sandbox.faults says. Raises FaultError."""
        with self._lock:
            self._faults.append(Fault.from_document({"kind": kind, **options}))

    def expire_tokens(self) -> None:
        with self._lock:
            self._tokens.clear()

    def reset(self) -> None:
        """No faults, no calls counted; the world stays."""
        with self._lock:
            self._faults.clear()
            self.calls.clear()

    # For the server

    def answer(
        self, path: str, *, query: Mapping[str, str], form: Mapping[str, Any], token: str | None
    ) -> Encoded:
        """`form`: of a POST, or the JSON of a control call."""
        path = path.strip("/")
        if path.startswith(CONTROL):
            return _encoded(self._controlled(path.removeprefix(CONTROL), form))
        if path == TOKEN:
            return self._faulty("token", _encoded(self._token(form)), page=1)
        if token not in self._tokens:
            self.calls["refused"] += 1
            return _encoded(Reply(HTTPStatus.UNAUTHORIZED, {"detail": "Invalid token."}))
        call = Call(path=path, query=query, url=self.url)
        try:
            name, reply = api.answer(self.world, call)
            page = api.page_of(call)
        except ValueError:
            return _encoded(Reply(HTTPStatus.BAD_REQUEST, {"detail": "Invalid query."}))
        return self._faulty(name, _encoded(reply), page=page)

    def _token(self, form: Mapping[str, Any]) -> Reply:
        given = (form.get("client_id"), form.get("client_secret"))
        if "wrong" in given or not all(given):
            return Reply(HTTPStatus.UNAUTHORIZED, {"error": "invalid_client"})
        if (form.get("grant_type"), form.get("token_type")) != ("client_credentials", "jwt"):
            return Reply(HTTPStatus.BAD_REQUEST, {"error": "unsupported_grant_type"})
        token = secrets.token_urlsafe(24)
        with self._lock:
            self._tokens.add(token)
        document = {
            "access_token": token,
            "expires_in": LIFE,
            "token_type": "JWT",
            "scope": "read write email profile",
        }
        return Reply(HTTPStatus.OK, document)

    def _controlled(self, what: str, form: Mapping[str, Any]) -> Reply:
        try:
            match what:
                case "faults":
                    self.fault(**form)
                case "world":
                    self.load(form)
                case "expire":
                    self.expire_tokens()
                case "reset":
                    self.reset()
                case "state":
                    pass
                case _:
                    return Reply(HTTPStatus.NOT_FOUND, {"detail": "No such control call."})
        except (FaultError, WorldError, TypeError) as error:
            return Reply(HTTPStatus.UNPROCESSABLE_ENTITY, {"detail": str(error)})
        with self._lock:
            faults = [attrs.asdict(each) for each in self._faults]
            return Reply(HTTPStatus.OK, {"calls": dict(self.calls), "faults": faults})

    def _faulty(self, name: str, encoded: Encoded, *, page: int) -> Encoded:
        with self._lock:
            self.calls[name] += 1
            hit = next((each for each in self._faults if each.hits(api=name, page=page)), None)
            if hit is None:
                return encoded
            left = hit.used()
            place = self._faults.index(hit)
            self._faults[place : place + 1] = [left] if left else []
        return _as_faulty(encoded, fault=hit, url=self.url)


def _as_faulty(encoded: Encoded, *, fault: Fault, url: str) -> Encoded:
    match fault.kind:
        case "status":
            headers = {"Retry-After": fault.retry_after} if fault.retry_after else {}
            if fault.status in REDIRECTS:
                headers["Location"] = f"{url}/elsewhere"
            page = f"<h1>{fault.status}</h1>".encode()
            return Encoded(status=fault.status, body=page, headers=headers)
        case "slow":
            return attrs.evolve(encoded, hold=fault.seconds)
        case "drip":
            return attrs.evolve(encoded, drip=fault.seconds)
        case "reset":
            return attrs.evolve(encoded, end="before")
        case "hangup":
            return attrs.evolve(encoded, end="middle")
        case kind:
            return attrs.evolve(encoded, body=BODIES[kind](encoded.body, url))


def _encoded(reply: Reply) -> Encoded:
    headers = {"Content-Type": "application/json", **reply.headers}
    return Encoded(status=reply.status, headers=headers, body=orjson.dumps(reply.document))
