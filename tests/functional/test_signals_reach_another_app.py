"""An app that is none of Laurel's hears of awards by one line of the settings: the notifier."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import attrs
import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from credentials.models import UserCredential
from credentials.signals import credential_awarded
from service_signals import router
from settings import SERVICE_SIGNALS
from tests.functional.conftest import Service
from tests.functional.stories import explorer, passes
from tests.notifier.delivery import send_due, signed
from tests.notifier.models import Notification
from tests.notifier.signals import notification_sent

KEY = b"sixteen bytes or more, as told"
SECRET = "whsec_" + base64.b64encode(KEY).decode()
HANDLER = "tests.notifier.handlers.on_award"
sent: list[int] = []


def on_sent(sender: str, *, notification_id: int, **_kwargs: Any) -> None:
    sent.append(notification_id)


@attrs.define
class Receiver:
    """Somebody's address, which answers with what stands in `answers` and keeps what is good."""

    url: str
    answers: list[int]
    accepted: list[dict[str, Any]]


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status = known.answers.pop(0) if known.answers else 204
            content = b".".join(
                [self.headers[f"webhook-{name}"].encode() for name in ("id", "timestamp")] + [body]
            )
            expected = base64.b64encode(hmac.digest(KEY, content, hashlib.sha256)).decode()
            if self.headers["webhook-signature"] != f"v1,{expected}":
                status = 401
            if status < 300:
                known.accepted.append({"id": self.headers["webhook-id"], **json.loads(body)})
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_args: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    known = Receiver(f"http://127.0.0.1:{server.server_port}/", [], [])
    settings.NOTIFIER_URL, settings.NOTIFIER_SECRET = known.url, SECRET
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield known
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def _unwired_afterwards() -> Iterator[None]:
    sent.clear()
    yield
    credential_awarded.wire(())
    notification_sent.wire(())


def wire(settings: Settings, **routes: list[str]) -> None:
    paths = {"awarded": credential_awarded.path, "sent": notification_sent.path}
    wanted = {paths[name]: handlers for name, handlers in routes.items()}
    settings.SERVICE_SIGNALS = {**SERVICE_SIGNALS, **wanted}
    router.wire()


def earn(service: Service, who: str) -> UserCredential:
    service.publish([passes(who, 1, minute=1), passes(who, 2, minute=2)])
    assert service.consume() == 0
    return UserCredential.objects.get(learner__username=who)


def test_sg_9_one_line_of_settings_makes_its_handler_run(
    service: Service, receiver: Receiver, settings: Settings, client: Client
) -> None:
    wire(settings, awarded=[HANDLER], sent=[f"{__name__}.on_sent"])
    service.load(explorer())
    credential = earn(service, "ann")
    receiver.answers = [503]
    assert send_due(clock=timezone.now) == 0
    row = Notification.objects.get()
    assert (row.attempts, row.last_error, sent) == (1, "HTTPError", [])
    assert send_due(clock=lambda: timezone.now() + timedelta(minutes=1)) == 1
    (message,) = receiver.accepted
    assert message == {
        "id": str(row.uuid),
        "type": "badge.awarded",
        "timestamp": "2026-03-01T10:02:00+00:00",
        "data": {"credential": str(credential.uuid)},
    }
    assert sent == [row.pk]
    # It brings an address and a page in the admin, too.
    answer = client.get(reverse("notification", args=[credential.uuid]))
    assert answer.json() == {"id": str(row.uuid), "attempts": 2, "sent": True}
    client.force_login(User.objects.create_superuser("admin", "admin@example.com", "x"))
    page = client.get(reverse("admin:notifier_notification_changelist"))
    assert str(credential.uuid) in page.content.decode()


def test_sg_9_without_the_line_it_hears_nothing(service: Service, settings: Settings) -> None:
    wire(settings, awarded=[HANDLER])
    service.load(explorer())
    earn(service, "ann")
    wire(settings)
    earn(service, "bob")
    assert UserCredential.objects.count() == 2
    assert Notification.objects.count() == 1


def test_sg_9_the_signature_is_that_of_standard_webhooks() -> None:
    """The example of the specification's own libraries."""
    headers = signed(
        '{"test": 2432232314}',
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        now=datetime.fromtimestamp(1614265330, UTC),
        secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
