"""From nothing to the first credential by schedule, as docs/badges/schedules.md tells it."""

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from django.core.management import call_command
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from certificates import runs
from certificates.models import ScheduleRun
from certificates.platform.sandbox import Running, World, serve
from credentials.models import UserCredential

DOCS: Final = Path(__file__).parents[2] / "docs/badges"
TEXT: Final = (DOCS / "schedules.md").read_text(encoding="utf-8")
STEPS: Final = re.findall(r"^\d\. (.*)$", TEXT, re.MULTILINE)
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def platform(settings: Settings) -> Iterator[Running]:
    """The academy of docs/badges/retrievers.md."""
    manual = (DOCS / "retrievers.md").read_text(encoding="utf-8")
    found = re.search(r"^```json\n(\{\s+\"people\".*?)^```$", manual, re.DOTALL | re.MULTILINE)
    assert found
    with serve(World.from_document(json.loads(found[1]))) as running:
        settings.PLATFORM_API_BASE_URL = running.url
        settings.PLATFORM_API_CLIENT_ID = settings.PLATFORM_API_CLIENT_SECRET = "anything"
        yield running


def code(step: int) -> list[str]:
    """What the step tells to enter or to expect."""
    return re.findall(r"`([^`]+)`", STEPS[step - 1])


def carry_out() -> None:
    """As a worker does."""
    (waiting,) = runs.due(timezone.now())
    assert runs.work(waiting, clock=timezone.now)


def save(page: Page) -> None:
    page.locator("button[name=_save]").click()
    expect(page.locator("body")).to_contain_text("successfully")


@pytest.mark.usefixtures("platform")
def test_lc_3_the_first_credential_by_schedule(prof: Page, live_server: LiveServer) -> None:
    def go(path: str) -> None:
        prof.goto(f"{live_server.url}/admin/{path}")

    badge, *_ = code(1)
    go("credentials/badgetemplate/add/")
    prof.locator("[name=name]").fill(badge)
    save(prof)

    retriever, kind = code(2)
    go("certificates/credentialtype/add/")
    prof.get_by_role("link", name=retriever, exact=True).click()
    expect(prof.locator("body")).to_contain_text("If empty: 0.9.")
    prof.locator("[name=name]").fill(kind)
    save(prof)

    kind, badge, context = code(3)
    go("certificates/eligibilityschedule/add/")
    prof.get_by_role("link", name=kind).click()
    prof.locator(".select2-selection").first.click()
    prof.locator(".select2-search__field").fill(badge)
    prof.locator(".select2-results__option", has_text=badge).click()
    prof.locator("[name=context_key]").fill(context)
    expect(prof.locator("[name=requires]")).to_be_checked()
    save(prof)

    go("credentials/badgetemplate/")
    prof.get_by_role("link", name=badge).click()
    prof.get_by_role("button", name="Activate").click()
    expect(prof.locator("body")).to_contain_text("is active")

    counts, learner = code(5)
    go("certificates/eligibilityschedule/")
    prof.get_by_role("link", name=context).click()
    schedule = prof.url
    prof.get_by_role("button", name="Who would get it?").click()
    expect(prof.locator("body")).to_contain_text("Waits for a worker")
    carry_out()
    expect(prof.locator("body")).to_contain_text(counts)  # the page reloads by itself
    expect(prof.locator("table")).to_contain_text(learner)
    assert not UserCredential.objects.exists()

    (counts,) = code(6)
    prof.goto(schedule)
    prof.get_by_role("button", name="Run now").click()
    carry_out()
    expect(prof.locator("body")).to_contain_text(counts)
    assert [str(each.learner) for each in UserCredential.objects.all()] == ["ann"]

    prof.goto(schedule)
    prof.locator("[name=enabled]").check()
    save(prof)
    expect(prof.locator("table")).to_contain_text("Every day")
    assert prof.script_failures == []  # type: ignore[attr-defined]

    _at_the_command_line()


def _at_the_command_line() -> None:
    """It was awarded before: ann is known already."""
    (expected,) = re.findall(r"^```text\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
    output = io.StringIO()
    call_command("run_schedules", stdout=output)
    again = re.sub(r"^\d+", "1", output.getvalue())
    assert again == expected.replace("1 awarded, 0 known", "0 awarded, 1 known")
    assert ScheduleRun.objects.count() == 3
