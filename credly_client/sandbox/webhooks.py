"""Calls organizations back: one thread, one queue ordered by time.

Only the answer 200 counts as delivered. Credly tries for 25 days at growing intervals; here
the intervals are seconds and the tries are bounded.
"""

from __future__ import annotations

import heapq
import http.client
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from itertools import count
from urllib.parse import urlsplit

from credly_client.sandbox.switches import Switchboard

RETRY_DELAYS = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, *[30.0] * 12)
"""Seconds before the second, third, ... try."""
TIMEOUT = 5.0
PATIENCE = 2.0
"""Seconds that stopping waits for a call under way; its thread is a daemon."""


@dataclass(frozen=True, kw_only=True)
class Callback:
    url: str
    body: bytes


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """`status` is None when there was no answer; `last` when no try will follow."""

    event_id: str
    number: int
    status: int | None
    last: bool

    @property
    def delivered(self) -> bool:
        return self.status == HTTPStatus.OK


def planned_delays(switches: Switchboard) -> list[float]:
    """Seconds until each delivery of one event; none when it gets lost."""
    if switches.take("webhooks_lost") is not None:
        return []
    delay = 0.0
    if (options := switches.take("webhooks_delayed")) is not None:
        delay += float(options.get("seconds", 1))
    dice = switches.dice("webhooks_shuffled")
    if (options := switches.take("webhooks_shuffled")) is not None:
        delay += dice.uniform(0, float(options.get("seconds", 1)))
    options = switches.take("webhooks_repeated")
    times = 1 if options is None else int(options.get("times", 2))
    return [delay] * times


class Dispatcher:
    """`prepare`: event id -> what to send, None when there is nothing to send any more.
    `report`: told after every attempt. Both are called from the dispatcher's thread.
    """

    def __init__(
        self,
        *,
        prepare: Callable[[str], Callback | None],
        report: Callable[[Attempt], None],
        delays: Sequence[float] = RETRY_DELAYS,
    ) -> None:
        self._prepare = prepare
        self._report = report
        self._delays = delays
        self._queue: list[tuple[float, int, str, int]] = []
        self._order = count()
        self._changed = threading.Condition()
        self._stopping = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="sandbox-webhooks", daemon=True)
        self._thread.start()

    def stop(self, *, patience: float = PATIENCE) -> None:
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(patience)

    def add(self, event_id: str, *, delays: Iterable[float] = (0.0,)) -> None:
        """`delays`: seconds until each delivery; every one is tried until it arrives."""
        with self._changed:
            for delay in delays:
                self._push(event_id, due=time.monotonic() + delay, number=1)
            self._changed.notify()

    def _push(self, event_id: str, *, due: float, number: int) -> None:
        heapq.heappush(self._queue, (due, next(self._order), event_id, number))

    def _run(self) -> None:
        while (job := self._next()) is not None:
            event_id, number = job
            callback = self._prepare(event_id)
            if callback is None:
                continue
            status = post(callback)
            last = status == HTTPStatus.OK or number > len(self._delays)
            self._report(Attempt(event_id=event_id, number=number, status=status, last=last))
            if not last:
                with self._changed:
                    due = time.monotonic() + self._delays[number - 1]
                    self._push(event_id, due=due, number=number + 1)

    def _next(self) -> tuple[str, int] | None:
        """Waits for the next call that is due; None when the dispatcher stops."""
        with self._changed:
            while not self._stopping:
                wait = self._queue[0][0] - time.monotonic() if self._queue else None
                if wait is not None and wait <= 0:
                    _, _, event_id, number = heapq.heappop(self._queue)
                    return event_id, number
                self._changed.wait(wait)
            return None


def post(callback: Callback) -> int | None:
    """The status of the answer, redirects not followed; None when there is no answer."""
    parts = urlsplit(callback.url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT)
    except (ValueError, http.client.HTTPException):
        return None
    try:
        connection.request(
            "POST", target, body=callback.body, headers={"Content-Type": "application/json"}
        )
        return connection.getresponse().status
    except (OSError, ValueError, http.client.HTTPException):
        return None
    finally:
        connection.close()
