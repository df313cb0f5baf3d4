"""One app tells, others react; whatever goes wrong in a handler stays with that handler."""

import io
import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.dispatch import Signal
from django.utils import timezone
from pytest_django import Settings

from credentials.models import BadgeTemplate
from service_signals import Personal, ServiceSignal, router
from service_signals.models import HandlerFailure
from service_signals.replay import Verdict, replay

EVENT = UUID("5f1b0cb7-27a1-4c8a-9a3c-0d4a5e1f0001")
told = ServiceSignal("told", provides={"learner_id": int, "event_id": UUID | None})
renamed = ServiceSignal(
    "renamed", provides={"learner_id": int, "full_name": Personal, "email": Personal | None}
)

ran: list[str] = []
broken: set[str] = set()


def first(sender: str, *, learner_id: int, **_kwargs: Any) -> str:
    ran.append(f"first {learner_id}")
    return f"hello {learner_id}"


def second(sender: str, *, learner_id: int, **_kwargs: Any) -> None:
    """Writes a row, and fails on a learner whom `broken` names."""
    BadgeTemplate.objects.create(name=f"second {learner_id}")
    if str(learner_id) in broken:
        raise ValueError(f"learner {learner_id} does not fit")
    ran.append(f"second {learner_id}")


def third(sender: str, *, learner_id: int, **_kwargs: Any) -> None:
    ran.append(f"third {learner_id}")


def doubles_a_template(*_args: Any, **_kwargs: Any) -> None:
    same = uuid4()
    for _ in range(2):
        BadgeTemplate.objects.create(name="doubled", uuid=same)


def tells_a_name(sender: str, *, full_name: str, email: str, **_kwargs: Any) -> None:
    given = full_name.partition(" ")[0]
    raise ValueError(f"{full_name!r} <{email}>, called {given}, is not welcome")


@pytest.fixture(autouse=True)
def _wired(settings: Settings, transactional_db: None) -> Iterator[None]:
    ran.clear()
    broken.clear()
    route(settings, told, "first", "second", "third")
    yield
    for signal in (told, renamed):
        signal.wire(())


def route(settings: Settings, signal: ServiceSignal, *names: str) -> None:
    handlers = [f"{__name__}.{name}" for name in names]
    settings.SERVICE_SIGNALS = {**settings.SERVICE_SIGNALS, signal.path: handlers}
    router.wire()


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """What the service logged, one dict per line."""
    return [record.msg for record in caplog.records if isinstance(record.msg, dict)]


def test_sg_1_a_handler_that_raises_disturbs_nobody(caplog: pytest.LogCaptureFixture) -> None:
    broken.add("11")
    results = told.send_robust(__name__, learner_id=11, event_id=EVENT)
    assert sorted(ran) == ["first 11", "third 11"]
    (failure,) = results.failures
    assert failure.handler == f"{__name__}.second"
    assert "hello 11" in [each.value for each in results]
    (error,) = [each for each in lines(caplog) if each["level"] == "error"]
    assert error["handler"] == f"{__name__}.second"
    assert error["correlation_id"] == str(EVENT)
    assert "in second" in error["traceback"]
    assert "learner 11 does not fit" in error["traceback"]
    row = HandlerFailure.objects.get()
    assert (row.signal, row.handler, row.sender) == (told.path, f"{__name__}.second", __name__)
    assert row.arguments == {"learner_id": 11, "event_id": str(EVENT)}
    assert not BadgeTemplate.objects.filter(name="second 11").exists()


def test_sg_1_start_and_end_of_a_handler_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG", "service_signals"):
        told.send_robust(__name__, learner_id=11, event_id=EVENT)
    said = [
        (each["event"], each["correlation_id"])
        for each in lines(caplog)
        if each.get("handler") == f"{__name__}.first"
    ]
    assert said == [("handler starts", str(EVENT)), ("handler ended", str(EVENT))]


def test_sg_1_of_many_news_only_the_bad_one_is_lost() -> None:
    broken.add("12")
    results = told.tell(__name__, [{"learner_id": n, "event_id": None} for n in (11, 12, 13)])
    assert [each.news.arguments["learner_id"] for each in results.failures] == [12]
    assert set(BadgeTemplate.objects.values_list("name", flat=True)) == {"second 11", "second 13"}
    assert HandlerFailure.objects.get().arguments == {"learner_id": 12, "event_id": None}
    assert len(results) == 9


def test_sg_2_there_is_no_other_way_to_send_or_to_connect() -> None:
    with pytest.raises(NotImplementedError, match="told"):
        told.send(__name__, learner_id=11, event_id=EVENT)
    for way in (told.asend, told.asend_robust):
        with pytest.raises(NotImplementedError, match="told"):
            way(__name__, learner_id=11, event_id=EVENT).send(None)  # no loop: it never waits
    with pytest.raises(RuntimeError, match=r"told.*SERVICE_SIGNALS"):
        told.connect(first)
    with pytest.raises(RuntimeError, match=r"told.*SERVICE_SIGNALS"):
        told.disconnect(first)
    assert ran == []


def test_sg_5_a_handler_that_breaks_the_database_leaves_the_senders_rows(
    settings: Settings,
) -> None:
    route(settings, told, "doubles_a_template")
    with transaction.atomic():
        BadgeTemplate.objects.create(name="of the sender")
        results = told.send_robust(__name__, learner_id=11, event_id=EVENT)
        assert results == []  # handlers run once the rows are in the database
    assert isinstance(results.failures[0].error, IntegrityError)
    assert HandlerFailure.objects.count() == 1
    assert list(BadgeTemplate.objects.values_list("name", flat=True)) == ["of the sender"]


def test_sg_5_plain_django_loses_the_senders_rows_in_silence() -> None:
    """Why there are service signals: the same story with `django.dispatch.Signal`."""
    plain = Signal()
    plain.connect(doubles_a_template)
    with transaction.atomic():
        BadgeTemplate.objects.create(name="of the sender")
        ((_, error),) = plain.send_robust(sender=None)
    assert isinstance(error, IntegrityError)
    assert not BadgeTemplate.objects.exists()


def test_sg_6_what_is_rolled_back_is_not_told() -> None:
    with transaction.atomic():
        results = told.send_robust(__name__, learner_id=11, event_id=EVENT)
        transaction.set_rollback(True)
    assert ran == []
    assert results == []
    with transaction.atomic():
        told.send_robust(__name__, learner_id=12, event_id=EVENT)
        assert ran == []
    assert sorted(ran) == ["first 12", "second 12", "third 12"]


def test_sg_7_a_failure_is_replayed_once() -> None:
    broken.add("11")
    told.send_robust(__name__, learner_id=11, event_id=EVENT)
    row = HandlerFailure.objects.get()
    again = replay(row.pk, now=timezone.now())
    assert (again.verdict, again.why) == (Verdict.FAILED, "ValueError: learner 11 does not fit")
    broken.clear()
    assert say("replay_handler_failures") == "1 replayed"
    row.refresh_from_db()
    assert (row.state, row.attempts) == ("replayed", 3)
    assert row.resolved_at is not None
    assert BadgeTemplate.objects.get().name == "second 11"
    assert say("replay_handler_failures") == "nothing was replayed"
    assert replay(row.pk, now=timezone.now()).verdict is Verdict.RESOLVED_BEFORE
    assert ran.count("second 11") == 1


def test_sg_7_a_handler_that_is_named_no_more_is_not_replayed(settings: Settings) -> None:
    broken.add("11")
    told.send_robust(__name__, learner_id=11, event_id=EVENT)
    route(settings, told, "first")
    done = replay(HandlerFailure.objects.get().pk, now=timezone.now())
    assert done.verdict is Verdict.IMPOSSIBLE
    assert "SERVICE_SIGNALS does not name" in done.why
    assert HandlerFailure.objects.get().state == "open"


def test_sg_8_nothing_personal_is_logged_or_kept(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    route(settings, renamed, "tells_a_name")
    with caplog.at_level("DEBUG"):
        results = renamed.send_robust(
            __name__, learner_id=11, full_name="Ann O'Lee", email="ann@example.com"
        )
    assert len(results.failures) == 1
    rows = list(HandlerFailure.objects.values())
    said = json.dumps([lines(caplog), rows], default=str)
    assert "is not welcome" in said
    assert "(hidden)" in said
    for secret in ("Ann", "O'Lee", "example.com"):
        assert secret not in said
    done = replay(rows[0]["id"], now=timezone.now())
    assert done.verdict is Verdict.IMPOSSIBLE
    assert "personal" in done.why


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ({"learner_id": 11, "event_id": None, "e_mail": "ann@example.com"}, "unknown e_mail"),
        ({"event_id": None}, "missing learner_id"),
        ({"learner_id": "ann@example.com", "event_id": None}, "learner_id is a str"),
        ({"learner_id": None, "event_id": None}, "learner_id is a NoneType"),
    ],
)
def test_sg_8_wrong_arguments_are_refused(arguments: dict[str, Any], fault: str) -> None:
    with pytest.raises(TypeError, match=rf"{__name__}\.told: {fault}") as refused:
        told.send_robust(__name__, **arguments)
    assert "ann" not in str(refused.value)
    assert ran == []


def say(command: str, *arguments: str) -> str:
    """The last line that a command prints."""
    output = io.StringIO()
    call_command(command, *arguments, stdout=output)
    return output.getvalue().splitlines()[-1]
