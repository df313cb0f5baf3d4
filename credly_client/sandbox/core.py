"""The sandbox without HTTP: a call goes in, an encoded answer comes out."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any, Literal

from credly_client.sandbox import documents, page, storage
from credly_client.sandbox.api import TOKEN, Api
from credly_client.sandbox.control import Control
from credly_client.sandbox.faults import Phase, with_extra_keys
from credly_client.sandbox.messages import Call, Document, Refusal, Reply, Route, find_route
from credly_client.sandbox.switches import Switchboard
from credly_client.sandbox.webhooks import (
    RETRY_DELAYS,
    Attempt,
    Callback,
    Dispatcher,
    planned_delays,
)
from credly_client.sandbox.world import World

API_ROOT = "v1/"


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """What HTTP needs of a `Reply`, made while the lock was held."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    hold: float = 0.0
    drip: float = 0.0
    end: Literal["close", "reset"] | None = None


class Sandbox:
    """One local Credly. Thread-safe; `start` its threads before the first call, `stop` at the end.

    `state_file`: where the state is kept; None keeps it in memory.
    `retry_delays`: seconds between the tries of a webhook.
    Raises UnreadableStateError.
    """

    def __init__(
        self, state_file: Path | None = None, *, retry_delays: Sequence[float] = RETRY_DELAYS
    ) -> None:
        self.url = "http://127.0.0.1"
        self.stopping = threading.Event()
        self._lock = threading.RLock()
        self._world = World()
        if state_file is not None:
            storage.load(state_file, world=self._world)
        self._switches = Switchboard()
        self._api = Api(self._world, switches=self._switches)
        self._control = Control(self._world, switches=self._switches)
        self._saver = state_file and storage.Saver(
            state_file, snapshot=self._snapshot, version=self._world.version
        )
        self._dispatcher = Dispatcher(
            prepare=self._callback, report=self._note_attempt, delays=retry_delays
        )

    def start(self) -> None:
        self._dispatcher.start()
        if self._saver:
            self._saver.start()
        with self._lock:
            self._call_back()

    def stop(self) -> None:
        self.stopping.set()
        self._dispatcher.stop()
        if self._saver:
            self._saver.stop()

    def control(
        self, path: str, body: Mapping[str, Any] | None = None, *, method: str = "POST"
    ) -> Document:
        """A control call from the same process: `control("templates", {...})`. Raises Refusal."""
        call = Call(
            method=method,
            path=f"sandbox/{path}",
            body=body or {},
            url=self.url,
            now=datetime.now(UTC),
        )
        with self._lock:
            route, ids = find_route(self._control.routes, call)
            reply = route.handler(call, ids)
            self._call_back()
            return dict(json.loads(json.dumps(reply.document)))

    def answer(self, call: Call) -> Encoded:
        """`call.path` as it came, `v1/...`, `sandbox/...` or empty for the page."""
        with self._lock:
            try:
                reply = self._route(call)
            except Refusal as refusal:
                reply = refusal.reply()
                if call.wants_html:
                    reply = Reply(status=refusal.status, html=page.refused(refusal.message))
            self._call_back()
            return _encode(reply)

    def _route(self, call: Call) -> Reply:
        if call.path == "" and call.method == "GET":
            switches = self._switches.to_document()
            return Reply(
                html=page.render(self._world, query=call.query, switches=switches, now=call.now)
            )
        if call.path.startswith(API_ROOT) or call.path == TOKEN:
            return self._credly(call)
        route, ids = find_route(self._control.routes, call)
        return route.handler(call, ids)

    def _credly(self, call: Call) -> Reply:
        call = _below_root(call)
        route, ids = find_route(self._api.routes, call)
        self._world.calls[route.name] += 1
        hit = partial(self._switches.apply, name=route.name, organization="".join(ids[:1]))
        instead = hit(Phase.BEFORE, reply=Reply())
        if instead is not None:
            return instead
        reply = _carry_out(route, ids=ids, call=call)
        return hit(Phase.AFTER, reply=reply) or reply

    def _call_back(self) -> None:
        for event_id in self._world.take_outgoing():
            delays = planned_delays(self._switches)
            if not delays:
                self._world.events[event_id]["delivery"]["state"] = "lost"
            self._dispatcher.add(event_id, delays=delays)

    # For the threads

    def _snapshot(self, known: int) -> tuple[int, str] | None:
        with self._lock:
            version = self._world.version
            if version == known:
                return None
            return version, storage.to_text(self._world.to_document())

    def _callback(self, event_id: str) -> Callback | None:
        with self._lock:
            event = self._world.events.get(event_id)
            organization = event and self._world.organizations.get(event["organization_id"])
            if not event or not organization:
                return None
            allowed = organization["allowed_webhooks"]
            if not organization["webhook_url"]:
                event["delivery"]["state"] = "no webhook"
                return None
            if allowed is not None and event["event_type"] not in allowed:
                event["delivery"]["state"] = "not allowed"
                return None
            body = documents.webhook(event)
            if self._switches.take("extra_keys") is not None:
                body = with_extra_keys(body)
            return Callback(url=organization["webhook_url"], body=json.dumps(body).encode())

    def _note_attempt(self, attempt: Attempt) -> None:
        with self._lock:
            event = self._world.events.get(attempt.event_id)
            if event is None:
                return
            before = event["delivery"]
            state = "waiting" if not attempt.last else "given up"
            delivered = attempt.delivered or before["state"] == "delivered"
            event["delivery"] = {
                "state": "delivered" if delivered else state,
                "attempts": before["attempts"] + 1,
                "last_status": attempt.status,
            }
            self._world.touch()


def _below_root(call: Call) -> Call:
    return Call(**{**vars(call), "path": call.path.removeprefix(API_ROOT)})


def _carry_out(route: Route, *, ids: tuple[str, ...], call: Call) -> Reply:
    try:
        return route.handler(call, ids)
    except Refusal as refusal:
        return refusal.reply()


def _encode(reply: Reply) -> Encoded:
    if reply.status == HTTPStatus.NO_CONTENT:
        return Encoded(status=reply.status, headers={}, body=b"", hold=reply.hold, end=reply.end)
    if reply.html is None:
        kind, text = "application/json; charset=utf-8", json.dumps(reply.document)
    else:
        kind, text = "text/html; charset=utf-8", reply.html
    body = text.encode()
    if reply.cut:
        body = body[: len(body) // 2]
    headers = {"Content-Type": kind, **reply.headers}
    if reply.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Basic"
    return Encoded(
        status=reply.status,
        headers=headers,
        body=body,
        hold=reply.hold,
        drip=reply.drip,
        end=reply.end,
    )
