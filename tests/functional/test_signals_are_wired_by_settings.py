"""What the settings say about service signals is checked as a whole when the service starts."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from celery import shared_task
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.dispatch import Signal
from pytest_django import Settings

from credentials.signals import credential_awarded
from service_signals import ServiceSignal, router
from tests.servers import PYTHON, ROOT

told = ServiceSignal("told", provides={"learner_id": int})
another_name = told
plain = Signal()
number = 7

GOOD = f"{__name__}.good"


def good(sender: str, *, learner_id: int, **_kwargs: Any) -> None: ...


same = good


def strict(sender: str, *, learner_id: int) -> None: ...


def other(sender: str, *, credential_id: int, **_kwargs: Any) -> None: ...


async def later(sender: str, **_kwargs: Any) -> None: ...


@shared_task
def task(sender: str, **_kwargs: Any) -> None: ...


def faults(routes: Any, unrouted: Any = ()) -> str:
    """Those that name this file, or that name no signal."""
    found = router.read(routes, list(unrouted) if unrouted == () else unrouted).faults
    return "\n".join(each for each in found if __name__ in each or each.startswith("SERVICE"))


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("nowhere.signals.told", "cannot be imported: ModuleNotFoundError"),
        (f"{__name__}.nothing", "there is no 'nothing' in"),
        ("told", "has no dot"),
        (f"{__name__}.plain", "is a django.dispatch.dispatcher.Signal, not a ServiceSignal"),
        (f"{__name__}.another_name", f"is declared as {__name__}.told"),
        (7, "is 7, not a dotted path"),
    ],
)
def test_sg_3_a_signal_that_is_none(path: Any, fault: str) -> None:
    (found,) = (e for e in router.read({path: [GOOD]}, []).faults if e.startswith(f"{path}: "))
    assert fault in found


@pytest.mark.parametrize(
    ("handlers", "fault"),
    [
        (GOOD, "has to be a list"),
        (None, "has None for its handlers"),
        ([], "has an empty list of handlers"),
        ([GOOD, GOOD], "is named twice"),
        ([GOOD, f"{__name__}.same"], "is named twice"),
        (["nowhere.good"], "'nowhere.good': cannot be imported"),
        ([f"{__name__}.nothing"], "there is no 'nothing'"),
        (["good"], "'good': has no dot"),
        ([None], "None: is None, not a dotted path"),
        ([f"{__name__}.number"], "is a builtins.int, not a function"),
        ([f"{__name__}.strict"], "does not take **kwargs"),
        ([f"{__name__}.task"], "is a Celery task"),
        ([f"{__name__}.later"], "is a coroutine function"),
        ([f"{__name__}.other"], "does not fit what the signal provides"),
    ],
)
def test_sg_3_handlers_that_cannot_work(handlers: Any, fault: str) -> None:
    found = faults({told.path: handlers})
    assert found.startswith(f"{told.path}: ")
    assert fault in found
    assert "\n" not in found


@pytest.mark.parametrize(
    ("routes", "unrouted", "fault"),
    [
        (None, [], "SERVICE_SIGNALS is a NoneType"),
        ([GOOD], [], "SERVICE_SIGNALS is a list"),
        ({}, "x.y", "SERVICE_SIGNALS_UNROUTED is a str"),
        ({}, ["nowhere.told"], "SERVICE_SIGNALS_UNROUTED: nowhere.told: cannot be imported"),
    ],
)
def test_sg_3_settings_of_another_form(routes: Any, unrouted: Any, fault: str) -> None:
    assert fault in faults(routes, unrouted)


def test_sg_3_what_is_right_is_not_reported() -> None:
    assert faults({told.path: [GOOD]}) == ""


SIGNALS_OF_A_BAD_APP = """
from django.dispatch import Signal
from service_signals import ServiceSignal

forgotten = ServiceSignal("forgotten", provides={})
by_hand = ServiceSignal("by_hand", provides={})
plain = Signal()
"""
HANDLERS_OF_A_BAD_APP = """
from celery import shared_task
from django.dispatch import receiver
from bad_app.signals import by_hand

@receiver(by_hand)
def decorated(sender, **kwargs): ...
def good(sender, **kwargs): ...
def strict(sender): ...
@shared_task
def task(sender, **kwargs): ...
"""
SETTINGS_OF_A_BAD_APP = """
from settings import *
INSTALLED_APPS = [*INSTALLED_APPS, "bad_app"]
good = "bad_app.handlers.good"
SERVICE_SIGNALS = {
    "bad_app.nowhere.signal": [good],
    "bad_app.signals.nothing": [good],
    "nodot": [good],
    "bad_app.signals.plain": [good],
    "bad_app.signals.by_hand": [good, good, "bad_app.handlers.strict", "bad_app.handlers.task"],
    "badges.signals.progress_completed": [],
    "badges.signals.progress_regressed": good,
    "badges.signals.requirement_fulfilled": None,
}
"""


def test_sg_3_the_service_does_not_start_and_names_every_fault(tmp_path: Path) -> None:
    app = tmp_path / "bad_app"
    app.mkdir()
    (app / "__init__.py").touch()
    (app / "signals.py").write_text(SIGNALS_OF_A_BAD_APP)
    (app / "handlers.py").write_text(HANDLERS_OF_A_BAD_APP)
    (tmp_path / "bad_settings.py").write_text(SETTINGS_OF_A_BAD_APP)
    done = subprocess.run(
        [PYTHON, "manage.py", "check"],
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONPATH": str(tmp_path),
            "DJANGO_SETTINGS_MODULE": "bad_settings",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    told_of = done.stderr.partition("ImproperlyConfigured: ")[2]
    for signal, fault in (
        ("bad_app.nowhere.signal", "cannot be imported"),
        ("bad_app.signals.nothing", "there is no 'nothing'"),
        ("nodot", "has no dot"),
        ("bad_app.signals.plain", "not a ServiceSignal"),
        ("bad_app.signals.by_hand", "'bad_app.handlers.good' is named twice"),
        ("bad_app.signals.by_hand", "'bad_app.handlers.strict': does not take **kwargs"),
        ("bad_app.signals.by_hand", "'bad_app.handlers.task': is a Celery task"),
        ("bad_app.signals.by_hand", "bad_app.handlers.decorated is connected to it by hand"),
        ("badges.signals.progress_completed", "empty list"),
        ("badges.signals.progress_regressed", "has to be a list"),
        ("badges.signals.requirement_fulfilled", "None"),
        ("bad_app.signals.forgotten", "declared, but without a handler"),
    ):
        lines = [line for line in told_of.splitlines() if line.startswith(f"- {signal}: ")]
        assert any(fault in line for line in lines), (signal, fault, told_of)


def test_sg_4_a_signal_that_nobody_routes(
    settings: Settings, caplog: pytest.LogCaptureFixture, transactional_db: None
) -> None:
    path = credential_awarded.path
    allowed = [each for each in settings.SERVICE_SIGNALS_UNROUTED if each != path]
    settings.SERVICE_SIGNALS_UNROUTED = allowed
    with pytest.raises(ImproperlyConfigured, match=rf"{path}: declared, but without a handler"):
        router.wire()
    settings.SERVICE_SIGNALS_UNROUTED = [*allowed, path]
    router.wire()
    assert faults({}, [told.path]) == ""
    assert told.send_robust(__name__, learner_id=11) == []
    (warning,) = [each.msg for each in caplog.records if each.levelname == "WARNING"]
    assert isinstance(warning, dict)
    assert warning["signal"] == told.path


def test_sg_11_starting_twice_connects_once(settings: Settings) -> None:
    settings.SERVICE_SIGNALS = {**settings.SERVICE_SIGNALS, told.path: [GOOD]}
    try:
        for _ in range(2):
            apps.get_app_config("service_signals").ready()
            assert [each.function for each in told.handlers] == [good]
    finally:
        told.wire(())
