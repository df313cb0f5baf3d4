"""However slowly Credly answers, a call ends at its deadline, and nothing of it comes later."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from credly_client import transport
from credly_client.client import CredlyClient
from credly_client.errors import CredlyError, OutcomeUnknown, Unreachable
from credly_client.oauth import OAuth
from tests.functional.credly_sandbox.academy import Academy

DEADLINE = 0.6
ISSUE = "POST organizations/<id>/badges"


@pytest.fixture
def hurried(academy: Academy) -> Iterator[CredlyClient]:
    with academy.client(deadline=DEADLINE, timeout=(5.0, 5.0)) as client:
        yield client


def seconds(call: Callable[[], object], *, ends_with: type[CredlyError]) -> float:
    started = time.monotonic()
    with pytest.raises(ends_with, match="deadline"):
        call()
    return time.monotonic() - started


def self_signed(folder: Path) -> Path:
    """A key and its certificate for 127.0.0.1, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return file


@contextmanager
def server(
    answer: Callable[[socket.socket], None], *, tls: ssl.SSLContext | None = None
) -> Iterator[str]:
    """Takes one connection, reads what comes first, and hands it to `answer`."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            if tls is not None:
                connection = tls.wrap_socket(connection, server_side=True)
            with connection:
                connection.recv(65536)
                answer(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        thread.join()


def drip(text: bytes) -> Callable[[socket.socket], None]:
    """One byte every 50 ms: never silent for as long as the reading time-out."""

    def answer(connection: socket.socket) -> None:
        for byte in text:
            try:
                connection.sendall(bytes([byte]))
            except OSError:
                return
            time.sleep(0.05)

    return answer


def test_silence(academy: Academy, hurried: CredlyClient) -> None:
    academy.switch(timeout_after={"count": 1, "seconds": 5, "calls": ISSUE})
    took = seconds(lambda: hurried.issue_badge(academy.badge_for("ann")), ends_with=OutcomeUnknown)
    assert DEADLINE <= took < DEADLINE + 1


def test_a_body_that_comes_byte_by_byte(academy: Academy, hurried: CredlyClient) -> None:
    academy.switch(dripping={"seconds": 0.05})
    took = seconds(lambda: hurried.issue_badge(academy.badge_for("ann")), ends_with=OutcomeUnknown)
    assert took < DEADLINE + 1
    assert seconds(hurried.get_organization, ends_with=Unreachable) < DEADLINE + 1
    assert len(academy.state()["badges"]) == 1


@pytest.mark.parametrize(
    "text",
    [
        b"HTTP/1.1 200 OK\r\nX-Slow: " + b"a" * 100,
        b"HTTP/1.1 204 No Content\r\nX-Slow: " + b"a" * 100,
        b"HTTP/1.1 422 Unprocessable Entity\r\n\r\n" + b" " * 100,
    ],
)
def test_headers_that_come_byte_by_byte(academy: Academy, text: bytes) -> None:
    with (
        server(drip(text)) as url,
        academy.client(base_url=url, deadline=DEADLINE) as credly,
    ):
        took = seconds(lambda: credly.delete_badge(academy.template_id), ends_with=OutcomeUnknown)
    assert took < DEADLINE + 1


@pytest.mark.parametrize("text", [b"HTTP/1.1 200 OK\r\nX-Slow: " + b"a" * 100, b""])
def test_the_same_over_tls(
    academy: Academy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: bytes
) -> None:
    certificate = self_signed(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def answer(connection: socket.socket) -> None:
        drip(text)(connection)
        time.sleep(0 if text else DEADLINE + 0.5)

    with (
        server(answer, tls=context) as url,
        academy.client(base_url=url.replace("http:", "https:"), deadline=DEADLINE) as credly,
    ):
        took = seconds(lambda: credly.delete_badge(academy.template_id), ends_with=OutcomeUnknown)
    assert took < DEADLINE + 0.4


def test_a_call_that_waited_too_long_for_its_connection_is_not_sent(
    academy: Academy, hurried: CredlyClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve = socket.getaddrinfo

    def slow_name_server(*args: object, **kwargs: object) -> object:
        time.sleep(DEADLINE + 0.1)
        return resolve(*args, **kwargs)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr(socket, "getaddrinfo", slow_name_server)
    seconds(lambda: hurried.issue_badge(academy.badge_for("ann")), ends_with=Unreachable)
    time.sleep(0.2)
    assert academy.state()["badges"] == []
    assert academy.calls(ISSUE) == 0


def test_fetching_the_access_token_counts(academy: Academy) -> None:
    academy.control(
        "organizations", id=academy.organization_id, client_id="acme", client_secret="secret"
    )
    oauth = OAuth(client_id="acme", client_secret="secret", token_url=academy.running.oauth_url)
    academy.switch(slow={"seconds": DEADLINE * 0.7})
    with academy.client(token=None, oauth=oauth, deadline=DEADLINE) as credly:
        took = seconds(
            lambda: credly.issue_badge(academy.badge_for("ann")), ends_with=OutcomeUnknown
        )
    assert took < DEADLINE + 1


def test_the_next_call_is_not_cut(academy: Academy, hurried: CredlyClient) -> None:
    academy.switch(timeout_before={"count": 1, "seconds": 5})
    seconds(hurried.get_organization, ends_with=Unreachable)
    for _ in range(3):
        assert hurried.get_organization().name == "Acme Academy"
        time.sleep(DEADLINE / 2)


def test_nothing_is_left_running(
    credly: CredlyClient, eventually: Callable[[Callable[[], bool]], None]
) -> None:
    for _ in range(5):
        credly.get_organization()
    eventually(lambda: not any(isinstance(it, threading.Timer) for it in threading.enumerate()))


def test_an_answer_without_end(academy: Academy, credly: CredlyClient) -> None:
    size = transport.LARGEST_ANSWER

    def endless(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            for _ in range(4 * size // 65536):
                connection.sendall(b" " * 65536)
        except OSError:
            return
        pytest.fail("all of it was read")

    with (
        server(endless) as url,
        academy.client(base_url=url) as client,
        pytest.raises(CredlyError, match="more than"),
    ):
        client.get_organization()
