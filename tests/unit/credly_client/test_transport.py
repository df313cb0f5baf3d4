"""What a lost answer becomes, with an adapter in place of the network. How calls are cut at the
deadline is told in tests/functional/credly_sandbox/test_nothing_after_the_deadline.py.
"""

import ssl
from http.cookiejar import CookieJar
from pathlib import Path

import pytest
import requests as http
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import (
    ConnectTimeoutError,
    MaxRetryError,
    NewConnectionError,
    ProtocolError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)

from credly_client import transport
from credly_client.errors import MalformedAnswer, OutcomeUnknown, Unreachable
from tests.unit.credly_client.wire import Answering, answered, credly

BADGE = "a3f1c2d4-5e6f-4a7b-8c9d-0e1f2a3b4c5d"

POOL = HTTPConnectionPool("api.credly.com")
REFUSED = NewConnectionError(HTTPConnection("api.credly.com"), "refused")
NOTHING_SENT: list[http.RequestException] = [
    http.ConnectionError(MaxRetryError(POOL, "/", REFUSED)),
    http.ConnectTimeout(MaxRetryError(POOL, "/", ConnectTimeoutError("slow"))),
    http.exceptions.SSLError(MaxRetryError(POOL, "/", SSLError(ssl.SSLCertVerificationError()))),
    http.exceptions.ProxyError(MaxRetryError(POOL, "/", ProxyError("no proxy", OSError()))),
]
PERHAPS_SENT: list[http.RequestException] = [
    http.ReadTimeout(ReadTimeoutError(POOL, "/", "slow")),
    http.ConnectionError(ProtocolError("Connection aborted.", ConnectionResetError(104, "reset"))),
    http.exceptions.ChunkedEncodingError(ProtocolError("cut")),
    http.exceptions.ContentDecodingError("not gzip"),
    http.exceptions.SSLError(MaxRetryError(POOL, "/", SSLError(ssl.SSLEOFError()))),
]


def failing(error: Exception) -> Answering:
    def answer(_: http.PreparedRequest) -> http.Response:
        raise error

    return answer


@pytest.mark.parametrize("error", NOTHING_SENT + PERHAPS_SENT, ids=repr)
def test_a_lost_read_can_be_sent_again(error: Exception) -> None:
    client, _ = credly(failing(error))
    with pytest.raises(Unreachable):
        client.get_badge(BADGE)


@pytest.mark.parametrize("error", NOTHING_SENT, ids=repr)
def test_a_change_that_never_left_can_be_sent_again(error: Exception) -> None:
    client, _ = credly(failing(error))
    with pytest.raises(Unreachable):
        client.revoke_badge(BADGE, reason="Mistake")


@pytest.mark.parametrize("error", PERHAPS_SENT, ids=repr)
def test_a_change_that_may_have_left_must_be_looked_up(error: Exception) -> None:
    client, _ = credly(failing(error))
    with pytest.raises(OutcomeUnknown) as caught:
        client.revoke_badge(BADGE, reason="Mistake")
    assert caught.value.__cause__ is error


@pytest.mark.parametrize(("changes", "kind"), [(False, MalformedAnswer), (True, OutcomeUnknown)])
def test_an_answer_that_is_too_large_is_not_read(
    monkeypatch: pytest.MonkeyPatch, changes: bool, kind: type[Exception]
) -> None:
    monkeypatch.setattr(transport, "LARGEST_ANSWER", 1000)
    client, _ = credly(lambda _: answered({"data": "x" * 1000}))
    with pytest.raises(kind, match="more than 1000 bytes"):
        client.revoke_badge(BADGE, reason="x") if changes else client.get_badge(BADGE)


def test_a_netrc_of_the_machine_does_not_take_the_place_of_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine api.credly.com login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    sent = http.Session().prepare_request(
        http.Request(
            "GET", "https://api.credly.com/v1/", auth=transport._Authorization("Bearer abc")
        )
    )
    assert sent.headers["Authorization"] == "Bearer abc"


def test_a_session_with_proxies_of_its_own() -> None:
    session = transport.new_session(proxies={"https": "http://proxy.example.com:3128"})
    assert session.proxies == {"https": "http://proxy.example.com:3128"}
    assert isinstance(session.cookies, CookieJar)
    adapter = session.get_adapter("https://api.credly.com/v1/")
    assert isinstance(adapter, transport._Adapter)
    manager = adapter.proxy_manager_for("http://proxy.example.com:3128")
    assert manager.pool_classes_by_scheme["https"].ConnectionCls is transport._WatchedTls
