"""The access token: what is sent, what is kept, what is forgotten."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest

from credly_client import oauth
from credly_client.errors import MalformedAnswer, ServerError, Unauthorized, Unreachable
from credly_client.oauth import OAuth
from credly_client.requests import Request
from credly_client.responses import Answer


class Server:
    """Answers with token-1, token-2, ... and remembers what it was asked."""

    def __init__(self, *, life: int | None = 7200) -> None:
        self.life = life
        self.asked: list[tuple[Request, str]] = []

    def send(self, request: Request, authorization: str) -> Answer:
        self.asked.append((request, authorization))
        document: dict[str, Any] = {"access_token": f"token-{len(self.asked)}"}
        if self.life is not None:
            document["expires_in"] = self.life
        return Answer(status=200, body=json.dumps(document).encode())


def acme() -> OAuth:
    return OAuth(client_id="ac:me", client_secret="se cret")


def test_what_is_asked() -> None:
    server = Server()
    assert acme().bearer(send=server.send, now=0, patience=1) == "Bearer token-1"
    ((request, authorization),) = server.asked
    assert (request.method, request.path) == ("POST", "oauth/token")
    assert request.form == {
        "grant_type": "client_credentials",
        "scope": "authorization_tokens badge_templates events invitations issued_badges "
        "memberships recommendations workforce",
    }
    assert not request.changes
    user = base64.b64decode(authorization.removeprefix("Basic ")).decode()
    assert user == "ac%3Ame:se%20cret"  # RFC 6749, 2.3.1: encoded before the colon joins them


@pytest.mark.parametrize(
    ("life", "kept", "ended"), [(7200, 7139, 7141), (None, 539, 541), (60, 29, 31)]
)
def test_a_token_is_kept_until_shortly_before_its_end(
    life: int | None, kept: float, ended: float
) -> None:
    server, login = Server(life=life), acme()
    for now in (0, kept):
        assert login.bearer(send=server.send, now=now, patience=1) == "Bearer token-1"
    assert login.bearer(send=server.send, now=ended, patience=1) == "Bearer token-2"


def test_a_refused_token_is_fetched_anew_and_a_newer_one_stays() -> None:
    server, login = Server(), acme()
    login.bearer(send=server.send, now=0, patience=1)
    login.forget("Bearer token-1")
    assert login.bearer(send=server.send, now=0, patience=1) == "Bearer token-2"
    login.forget("Bearer token-1")
    assert login.bearer(send=server.send, now=0, patience=1) == "Bearer token-2"


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_refused_credentials_concern_the_account(status: int) -> None:
    answer = Answer(status=status, body=b'{"error": "invalid_client"}')
    with pytest.raises(Unauthorized) as caught:
        acme().bearer(send=lambda *_: answer, now=0, patience=1)
    assert caught.value.status == status
    assert caught.value.account_wide
    assert "invalid_client" in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(status=502, body=b"<html>"), ServerError),
        (Answer(status=200, body=b"<html>"), MalformedAnswer),
        (Answer(status=200, body=b'{"token_type": "Bearer"}'), MalformedAnswer),
        (Answer(status=200, body=b'{"access_token": "a\\r\\nHost: b"}'), MalformedAnswer),
        (Answer(status=200, body=b'{"access_token": ""}'), MalformedAnswer),
    ],
)
def test_a_failed_fetch_leaves_nothing_behind(answer: Answer, kind: type[Exception]) -> None:
    login = acme()
    with pytest.raises(kind):
        login.bearer(send=lambda *_: answer, now=0, patience=1)
    assert login.bearer(send=Server().send, now=0, patience=1) == "Bearer token-1"


def test_nobody_waits_for_another_thread_for_ever() -> None:
    login, asked, leave = acme(), Event(), Event()

    def slow(request: Request, authorization: str) -> Answer:
        asked.set()
        leave.wait(5)
        return Server().send(request, authorization)

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(login.bearer, send=slow, now=0, patience=5)
        asked.wait(5)
        with pytest.raises(Unreachable):
            login.bearer(send=slow, now=0, patience=0.01)
        leave.set()
        assert first.result() == "Bearer token-1"


def test_secrets_stay_out_of_repr() -> None:
    assert "cret" not in repr(acme())
    assert "abc" not in repr(oauth.AccessToken(value="abc", life=1))


@pytest.mark.parametrize(
    "wrong", [{"client_id": ""}, {"client_secret": ""}, {"token_url": "credly.com"}]
)
def test_credentials_that_are_none(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"empty|token_url"):
        OAuth(**{"client_id": "acme", "client_secret": "secret"} | wrong)
