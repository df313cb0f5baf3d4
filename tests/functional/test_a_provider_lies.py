"""A provider answers what cannot be true, or cannot even be stored. Only the badge that it says it
of is the worse for it, and a person can see why.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from credentials import names, worker
from credentials.models import BadgeTemplate, Issuance, Learner
from credentials.names import ResolvedName
from credentials.providers.base import Retryable
from tests.awards import decide, enroll
from tests.fakes.liar import LyingInBatches, LyingProvider
from tests.functional.conftest import Service
from tests.functional.stories import explorer, passes
from verified_names.resolver import resolve_names

State = Issuance.State
WHO = ("ann", "bob", "cid")


@pytest.fixture(autouse=True)
def _liar(settings: Settings) -> Iterator[None]:
    settings.PROVIDERS = {"liar": "tests.fakes.liar.LyingProvider"}
    yield
    LyingProvider.clear()


@pytest.fixture
def earned(service: Service) -> Service:
    template = explorer()["templates"][0]
    del template["organization"]
    service.load({"version": 1, "templates": [{**template, "providers": ["liar"]}]})
    service.publish([passes(who, n, minute=n) for who in WHO for n in (1, 2)])
    service.consume()
    return service


def of(username: str) -> Issuance:
    return Issuance.objects.get(credential__learner__username=username)


def states() -> dict[str, str]:
    return {who: of(who).state for who in WHO}


def later(hours: int) -> None:
    worker.carry_out_due(clock=lambda: timezone.now() + timedelta(hours=hours))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"id": "x" * 256}, "an id that cannot be kept"),
        ({"id": "a\0b"}, "an id that cannot be kept"),
        ({"id": ""}, "an id that cannot be kept"),
        ({"id": None}, "an id that cannot be kept"),
        ({"state": "a state that is much too long"}, "a state that no badge has there"),
        ({"state": State.ERROR}, "a state that no badge has there"),
        ({"state": []}, "unhashable"),
        ("a badge", "answered with str"),
        (Retryable("no \0"), "no"),
        (RuntimeError("no \0"), "RuntimeError"),
    ],
)
def test_nonsense_about_ann(earned: Service, answer: Any, said: str) -> None:
    LyingProvider.answers["bob"] = answer
    earned.issue()
    assert states() == {"ann": "available", "bob": "error", "cid": "available"}
    assert said in of("bob").last_error
    # It is honest from now on.
    LyingProvider.answers.clear()
    later(1)
    assert of("bob").state == State.AVAILABLE
    assert LyingProvider.badges.count("bob") <= 1 + isinstance(answer, Retryable)


@pytest.mark.parametrize(
    "answer",
    [
        {"url": "https://liar/" + "x" * 1000},
        {"url": "https://liar/\0"},
        {"as_of": datetime(2026, 3, 1)},  # noqa: DTZ001 -- the lie: nobody knows when that was
    ],
)
def test_what_is_left_out(earned: Service, answer: Any) -> None:
    LyingProvider.answers["bob"] = answer
    earned.issue()
    assert states() == dict.fromkeys(WHO, "available")
    bob = of("bob")
    assert (bob.external_url, bob.provider_state_at) in {("", None), ("https://liar/badge", None)}


def test_revoked_and_still_there(earned: Service) -> None:
    """Taken for done, the badge would stay for good."""
    earned.issue()
    LyingProvider.answers["bob"] = {"state": State.PENDING}
    earned.publish([passes("bob", 1, minute=9, passing=False)])
    earned.consume()
    earned.issue()
    assert of("bob").state == State.ERROR
    assert "still pending" in of("bob").last_error
    LyingProvider.answers.clear()
    later(1)
    assert of("bob").state == State.REVOKED


def test_a_badge_that_is_somebody_elses(earned: Service) -> None:
    LyingProvider.answers |= {who: {"id": "the same"} for who in WHO}
    earned.issue()
    assert sorted(states().values()) == ["available", "error", "error"]


@pytest.mark.parametrize("told", [0, 7])
def test_a_batch_is_answered_for_fewer(
    transactional_db: None, settings: Settings, told: int
) -> None:
    settings.PROVIDERS = {"liar": "tests.fakes.liar.LyingInBatches"}
    LyingInBatches.told = told
    template = BadgeTemplate.objects.create(name="Badge", providers=["liar"], is_active=True)
    decide(template, enroll(8))
    worker.carry_out_due(clock=timezone.now)
    assert "answered for" in Issuance.objects.first().last_error  # type: ignore[union-attr]
    later(1)
    assert set(Issuance.objects.values_list("state", flat=True)) == {State.AVAILABLE}
    assert len(LyingProvider.badges) == len(set(LyingProvider.badges))


def test_nobody_knows_whether_it_is_paused(earned: Service) -> None:
    LyingProvider.answers["bob"] = OSError
    earned.issue()
    assert states() == {"ann": "available", "bob": "error", "cid": "available"}
    assert "Nobody can tell" in of("bob").last_error
    LyingProvider.answers.clear()
    later(1)
    assert of("bob").state == State.AVAILABLE


@pytest.fixture
def _no_name_for_bob(settings: Settings) -> Iterator[None]:
    settings.NAME_RESOLVER = f"{__name__}.no_name_for_bob"
    names.resolver.cache_clear()
    yield
    names.resolver.cache_clear()


@pytest.mark.usefixtures("_no_name_for_bob")
def test_no_name_can_be_found(earned: Service) -> None:
    earned.issue()
    assert states() == {"ann": "available", "bob": "error", "cid": "available"}
    assert "Who is that?" in of("bob").last_error


def no_name_for_bob(
    asked: Sequence[tuple[Learner, str]], *, now: datetime
) -> Sequence[ResolvedName | None]:
    if any(learner.username == "bob" for learner, _ in asked):
        raise LookupError("Who is that?")
    return resolve_names(asked, now=now)
