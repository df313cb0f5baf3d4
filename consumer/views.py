"""Whether the service lives, is ready, and how it does: for load balancers, supervisors and
Prometheus. These pages hold ids and numbers only, and need no login.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import redis
from django.conf import settings
from django.db import Error as AnyDatabaseError
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from prometheus_client import CONTENT_TYPE_LATEST

from consumer import exposition, fleet
from consumer.models import ConsumerStatus

_TIMEOUT: Final = 2  # seconds


def healthz(_request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


def readyz(_request: HttpRequest) -> HttpResponse:
    """200 when database and Redis answer and the consumers keep within the READYZ_... bounds, else
    503; the body says how each does.
    """
    answers: dict[str, Any] = {"database": _database(), "redis": "ok"}
    try:
        with _redis() as client:
            client.ping()
            if answers["database"] == "ok":
                answers["consumers"] = _consumers(client)
    except redis.RedisError as error:
        answers["redis"] = type(error).__name__
    faults = answers.get("consumers", {}).get("faults", [])
    ready = answers["database"] == answers["redis"] == "ok" and not faults
    return JsonResponse(answers, status=200 if ready else 503)


def metrics(_request: HttpRequest) -> HttpResponse:
    with _redis() as client:
        body = exposition.render(exposition.of_service(client, now=timezone.now()))
    return HttpResponse(body, content_type=CONTENT_TYPE_LATEST)


@contextmanager
def _redis() -> Iterator[Any]:
    with redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=_TIMEOUT, socket_connect_timeout=_TIMEOUT
    ) as client:
        yield client


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except AnyDatabaseError as error:
        return type(error).__name__
    return "ok"


def _consumers(client: Any) -> dict[str, Any]:
    """How many live, the largest lag of any stream, and what is out of bounds."""
    now = timezone.now()
    rows = list(ConsumerStatus.objects.all())
    gauges = [each for group in fleet.measure(client, rows).values() for each in group]
    living = sum(fleet.is_living(row, now=now) for row in rows)
    seconds = max((each.lag_seconds or 0.0 for each in gauges), default=0.0)
    messages = max((each.lag_messages or 0 for each in gauges), default=0)
    faults: list[str] = []
    if settings.READYZ_NEEDS_CONSUMER and not living:
        faults.append("No consumer is alive.")
    if 0 < settings.READYZ_MAX_LAG_SECONDS < seconds:
        faults.append(f"Lag above READYZ_MAX_LAG_SECONDS ({settings.READYZ_MAX_LAG_SECONDS:g}).")
    if 0 < settings.READYZ_MAX_LAG_MESSAGES < messages:
        faults.append(f"Lag above READYZ_MAX_LAG_MESSAGES ({settings.READYZ_MAX_LAG_MESSAGES}).")
    return {
        "living": living,
        "lag_seconds": seconds,
        "lag_messages": messages,
        "faults": faults,
    }
