"""Handlers that failed, in the admin: what stands open comes first; replay and dismiss."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from service_signals import ServiceSignal, router
from service_signals.models import HandlerFailure

LIST = "admin:service_signals_handlerfailure_changelist"
told = ServiceSignal("told", provides={"learner_id": int})
fits: set[int] = set()


def picky(sender: str, *, learner_id: int, **_kwargs: Any) -> None:
    if learner_id not in fits:
        raise ValueError(f"learner {learner_id} does not fit")


@pytest.fixture
def failures(settings: Settings, transactional_db: None) -> Iterator[list[HandlerFailure]]:
    fits.clear()
    settings.SERVICE_SIGNALS = {**settings.SERVICE_SIGNALS, told.path: [f"{__name__}.picky"]}
    router.wire()
    told.tell(__name__, [{"learner_id": 11}, {"learner_id": 12}])
    yield list(HandlerFailure.objects.order_by("id"))
    told.wire(())


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("prof", "prof@example.com", "x"))
    return client


def act(staff: Client, action: str, *rows: HandlerFailure) -> str:
    data = {"action": action, "_selected_action": [row.pk for row in rows]}
    return staff.post(reverse(LIST), data, follow=True).content.decode()


def test_replay_and_dismiss(failures: list[HandlerFailure], staff: Client) -> None:
    first, second = failures
    fits.add(11)
    page = act(staff, "replay", first, second)
    assert "picky replayed" in page
    assert "picky failed again: ValueError: learner 12 does not fit" in page
    act(staff, "dismiss", first, second)
    assert [each.state for each in HandlerFailure.objects.order_by("id")] == [
        "replayed",
        "dismissed",
    ]


def test_what_is_open_comes_first(failures: list[HandlerFailure], staff: Client) -> None:
    fits.add(12)
    act(staff, "replay", failures[1])
    page = staff.get(reverse(LIST))
    assert [row.pk for row in page.context["cl"].result_list] == [each.pk for each in failures]


def test_one_failure_shows_why(failures: list[HandlerFailure], staff: Client) -> None:
    url = reverse("admin:service_signals_handlerfailure_change", args=[failures[0].pk])
    page = staff.get(url).content.decode()
    assert "learner 11 does not fit" in page
    assert "&quot;learner_id&quot;: 11" in page


def test_whoever_may_only_look_cannot_act(failures: list[HandlerFailure], client: Client) -> None:
    from django.contrib.auth.models import Permission

    user = User.objects.create_user("aud", password="x", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_handlerfailure"))
    client.force_login(user)
    fits.update((11, 12))
    act(client, "replay", *failures)
    assert client.get(reverse(LIST)).status_code == 200
    assert {each.state for each in HandlerFailure.objects.all()} == {"open"}
