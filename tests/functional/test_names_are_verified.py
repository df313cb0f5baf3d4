"""Names that somebody vouched for: what the sources say, and what comes of it."""

import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module
from itertools import product
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pytest_django import Settings

from credentials.models import Learner
from credentials.names import ResolvedName
from exam_attempts.models import ExamAttempt
from exam_attempts.signals import proctoring_attempt_changed
from service_signals import ServiceSignal, router
from service_signals.models import HandlerFailure
from tests.functional.conftest import Service
from tests.functional.exam_stories import ANN, UK, exam, idv, time
from tests.servers import ROOT
from verified_names.models import NameFact, VerifiedName
from verified_names.resolver import resolve_name
from verified_names.signals import verified_name_changed
from verified_names.wording import MAX_LENGTH

LEE = {**ANN, "name": "Ann Lee"}
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
told: list[str] = []


def hear(_sender: str, *, status: str, **_kwargs: Any) -> None:
    told.append(status)


@pytest.fixture(autouse=True)
def _wired(settings: Settings) -> Iterator[None]:
    told.clear()
    wire(settings, verified_name_changed, "hear")
    yield
    verified_name_changed.wire(())


def wire(settings: Settings, signal: ServiceSignal, *names: str) -> None:
    handlers = [f"{__name__}.{name}" for name in names]
    settings.SERVICE_SIGNALS = {**settings.SERVICE_SIGNALS, signal.path: handlers}
    router.wire()


def tell(service: Service, *events: dict[str, Any]) -> None:
    """One after the other, each in a batch of its own."""
    service.publish(list(events))
    assert service.consume(batch_size=1) == 0


def names() -> list[tuple[str, str]]:
    """Name and status, in the order of attempts."""
    rows = VerifiedName.objects.order_by("source", "attempt", "number")
    return list(rows.values_list("verified_name", "status"))


def history() -> list[tuple[str, str]]:
    """Status and outcome, in the order of the facts' own times."""
    return list(NameFact.objects.values_list("status", "outcome"))


def warnings(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [
        record.msg
        for record in caplog.records
        if isinstance(record.msg, dict) and record.msg["level"] == "warning"
    ]


def in_force(policy: str = "verified_if_available", *, now: datetime = NOW) -> ResolvedName | None:
    return resolve_name(Learner.objects.get(username="ann"), policy=policy, now=now)


def test_na_1_an_identity_check_runs_its_course(service: Service) -> None:
    tell(service, idv("created", 7, "Ann Lee", 1))
    tell(service, idv("pending", 7, None, 2), idv("approved", 7, None, 3))

    (row,) = VerifiedName.objects.all()
    assert (row.verified_name, row.profile_name, row.status) == ("Ann Lee", "Ann L", "approved")
    assert (row.source, row.attempt) == ("idv", "7")
    assert history() == [
        ("pending", "counted"),
        ("submitted", "counted"),
        ("approved", "counted"),
    ]
    assert told == ["pending", "submitted", "approved"]
    assert in_force() == ResolvedName("Ann Lee", "verified")


def test_na_2_what_comes_late_is_shown_as_stale(service: Service) -> None:
    tell(service, idv("approved", 7, "Ann Lee", 3), idv("created", 7, "Ann Lee", 1))

    assert names() == [("Ann Lee", "approved")]
    assert told == ["approved"]
    assert history() == [("pending", "stale"), ("approved", "counted")]


def test_na_3_the_same_event_twice_is_one(service: Service) -> None:
    tell(service, idv("approved", 7, "Ann Lee", 3), idv("approved", 7, "Ann Lee", 3))

    assert names() == [("Ann Lee", "approved")]
    assert told == ["approved"]
    assert NameFact.objects.count() == 1


def test_na_4_another_attempt_is_another_name(service: Service) -> None:
    tell(service, idv("denied", 7, "Ann Lee", 1), idv("pending", 8, "Ann Lee", 2))

    rows = VerifiedName.objects.order_by("attempt").values_list("attempt", "status")
    assert list(rows) == [("7", "denied"), ("8", "submitted")]


def test_na_5_another_name_on_the_same_attempt_replaces_it(service: Service) -> None:
    tell(service, idv("created", 7, "Ann Lee", 1), idv("approved", 7, "Anne Lee", 2))

    assert names() == [("Anne Lee", "approved")]
    assert list(NameFact.objects.values_list("name", flat=True)) == ["Ann Lee", "Anne Lee"]


def test_na_5_a_name_that_comes_after_the_approval_is_not_approved(service: Service) -> None:
    tell(service, idv("approved", 7, "Ann Lee", 1), idv("pending", 7, "Queen Ann", 2))

    assert names() == [("Ann Lee", "approved")]
    assert history()[1] == ("submitted", "outranked")


def test_na_6_an_approval_of_no_name_is_consumed(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    tell(service, idv("approved", 9, None, 1))

    assert names() == []
    (warning,) = warnings(caplog)
    assert (warning["attempt"], warning["why"]) == ("9", "no name")
    assert service.state()["inbox"]["accepted"] == 1
    assert service.state()["inbox"]["failed"] == 0


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("   ", ""),
        ("x" * (MAX_LENGTH + 1), "256 characters"),
        ("<b>Ann</b>", "markup"),
        ("Ann\u0007Lee", "control characters"),
        ("Ann\u202eeeL", "control characters"),
        ("Ann https://example.com", "web address"),
    ],
)
def test_na_6_what_is_no_name_is_refused(service: Service, name: str, why: str) -> None:
    tell(service, idv("created", 7, "Ann Lee", 1), idv("approved", 9, name, 2))

    assert names() == [("Ann Lee", "pending")]
    fact = NameFact.objects.get(attempt="9")
    assert (fact.outcome, fact.name) == ("refused" if why else "no name", "")
    assert why in fact.refused


def test_na_7_a_proctored_exam_vouches_for_the_name(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    tell(service, exam("submitted", 1, LEE))
    assert names() == [("Ann Lee", "submitted")]
    tell(service, exam("verified", 2, LEE))
    assert names() == [("Ann Lee", "approved")]
    assert not warnings(caplog)

    for number, kind in enumerate(("timed", "practice", "Proctored")):
        tell(service, exam("verified", 3 + number, LEE, kind=kind, usage_key=f"{UK}{kind}"))

    assert VerifiedName.objects.get().source == "exam"
    (warning,) = warnings(caplog)
    assert warning["exam_type"] == "Proctored"


def test_na_8_an_exam_does_not_change_what_somebody_is_called(service: Service) -> None:
    tell(service, idv("approved", 7, "Ann Lee", 1))

    tell(service, exam("verified", 2, {**ANN, "name": "Bob"}))

    assert names() == [("Ann Lee", "approved")]
    assert history()[1] == ("approved", "mismatch")
    assert NameFact.objects.get(outcome="mismatch").name == "Bob"


@pytest.mark.parametrize(
    ("events", "left"),
    [
        ([exam("verified", 1, LEE), exam("rejected", 2, LEE)], ["denied"]),
        ([exam("errored", 1, LEE), exam("verified", 2, LEE)], ["approved"]),
        ([exam("verified", 2, LEE), exam("submitted", 3, LEE)], ["approved"]),
        ([exam("verified", 2, LEE), exam("reset", 3, LEE)], ["void"]),
        ([exam("reset", 3, LEE), exam("verified", 2, LEE)], ["void"]),
        (
            [
                exam("verified", 2, LEE),
                exam("reset", 3, LEE),
                exam("verified", 1, LEE),
                exam("submitted", 4, LEE),
            ],
            ["void", "submitted"],
        ),
        ([exam("reset", 3, LEE)], []),
    ],
)
def test_na_9_exams_are_reviewed_and_reset(
    service: Service, events: list[dict[str, Any]], left: list[str]
) -> None:
    tell(service, *events)

    assert names() == [("Ann Lee", status) for status in left]
    newest = ExamAttempt.objects.get()
    ledger = {"approved": "verified", "denied": "rejected"}
    last = left[-1] if left else "void"
    assert newest.status == ledger.get(last, last)


def test_na_10_the_newest_valid_approval_is_in_force(service: Service) -> None:
    until = "2027-01-01T00:00:00+00:00"
    tell(service, idv("approved", 1, "Ann A", 1, until=until), idv("approved", 2, "Ann B", 2))
    assert in_force() == ResolvedName("Ann B", "verified")

    tell(service, idv("denied", 2, None, 3))
    assert in_force() == ResolvedName("Ann A", "verified")

    expired = datetime(2027, 1, 1, tzinfo=UTC)
    assert in_force(now=expired) == ResolvedName("Ann L", "profile")
    assert in_force("verified_required", now=expired) is None


ATTEMPT = {
    "attempt_id": 5,
    "user_id": 11,
    "full_name": "Ann Lee",
    "profile_name": "Ann L",
    "is_practice_exam": False,
    "is_proctored": True,
    "backend_supports_onboarding": True,
}


def proctoring(status: str, **changes: Any) -> None:
    results = proctoring_attempt_changed.send_robust(__name__, status=status, **ATTEMPT | changes)
    assert not results.failures


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", list(product([False, True], repeat=3)))
def test_na_13_only_two_kinds_of_exam_have_looked_at_a_face(kind: tuple[bool, bool, bool]) -> None:
    flags = ("is_practice_exam", "is_proctored", "backend_supports_onboarding")
    proctoring("verified", **dict(zip(flags, kind, strict=True)))

    counts = kind in {(True, True, True), (False, True, True)}
    assert names() == ([("Ann Lee", "approved")] if counts else [])
    assert Learner.objects.exists() is counts


@pytest.mark.django_db(transaction=True)
def test_na_13_the_words_of_the_proctoring() -> None:
    seen = []
    words = "created started submitted second_review_required verified rejected declined error"
    for status in [*words.split(), "verified", "no such status", "deleted", "verified"]:
        proctoring(status)
        seen.append(VerifiedName.objects.get().status)

    expected = "pending pending submitted submitted approved denied denied denied"
    assert seen == [*expected.split(), "approved", "approved", "void", "void"]
    assert not HandlerFailure.objects.exists()


def test_na_14_a_third_source_needs_a_line_and_a_handler(
    service: Service, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The app of docs/badges/extending.md, word for word."""
    tell(service, idv("created", 7, "Ann Lee", 1))
    text = (ROOT / "docs/badges/extending.md").read_text().partition("## A source of verified")[2]
    signals, handlers, line = re.findall(
        r"^```python\n(.*?)^```$", text.partition("\n## ")[0], re.DOTALL | re.MULTILINE
    )
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters/__init__.py").touch()
    (tmp_path / "letters/signals.py").write_text(signals)
    (tmp_path / "letters/handlers.py").write_text(handlers)
    monkeypatch.syspath_prepend(tmp_path)
    names_of_line = {"SERVICE_SIGNALS": settings.SERVICE_SIGNALS}
    exec(line, names_of_line)  # noqa: S102 -- the text of the page
    settings.SERVICE_SIGNALS = names_of_line["SERVICE_SIGNALS"]
    router.wire()
    letter_read = import_module("letters.signals").letter_read

    letter = {"letter_id": 3, "full_name": "Ann Letter", "event_id": uuid4(), "at": NOW}
    for _ in range(2):
        sent = letter_read.send_robust(__name__, learner_id=Learner.objects.get().pk, **letter)
        assert not sent.failures

    assert in_force() == ResolvedName("Ann Letter", "verified")
    assert told == ["pending", "approved"]
    for module in ("letters", "letters.signals", "letters.handlers"):
        monkeypatch.delitem(sys.modules, module)


def test_the_facts_say_when_they_happened(service: Service) -> None:
    tell(service, idv("created", 7, "Ann Lee", 5))

    assert NameFact.objects.get().event_time == datetime.fromisoformat(time(5))
