"""docs/badges/schedules.md, tried word for word in an empty system: commands, labels, outcomes.

The processes are those of `./dev up`, but for the consumer and beat, which this story needs not.
"""

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Final

import attrs
import pytest
from playwright.sync_api import Page, expect

from certificates.platform.sandbox.command import DEFAULT_PORT
from tests import service
from tests.browser.conftest import PASSWORD
from tests.forks import Forks, forks
from tests.processes import HOST, PYTHON, Process, free_port
from tests.servers import ROOT, redis_server

DOCS: Final = ROOT / "docs/badges"
TEXT: Final = (DOCS / "schedules.md").read_text(encoding="utf-8")
SECTION: Final = TEXT.partition("## From nothing to the first credential\n")[2].partition("\n## ")[
    0
]
STEPS: Final = re.findall(r"^\d\. (.*)$", SECTION, re.MULTILINE)
PLATFORM, UP, ACCOUNT, BY_HAND, SAID = re.findall(
    r"^```\w*\n(.*?)^```$", SECTION, re.DOTALL | re.MULTILINE
)
_PLATFORM: Final = "-m certificates.platform.sandbox"


@attrs.frozen
class Up:
    url: str
    manage: Forks

    def say(self, commands: str) -> str:
        """What the `./dev manage` lines print."""
        lines = re.findall(r"^\./dev manage (.*)$", commands, re.MULTILINE)
        return "".join(self.manage.run(*line.split()) for line in lines)


def exports(text: str) -> Mapping[str, str]:
    return dict(re.findall(r"^export (\w+)=(.*)$", text, re.MULTILINE))


def academy() -> str:
    """What docs/badges/retrievers.md says to save as academy.json."""
    manual = (DOCS / "retrievers.md").read_text(encoding="utf-8")
    found = re.search(r"`academy.json`:\n\n```json\n(.*?)^```$", manual, re.DOTALL | re.MULTILINE)
    assert found
    return found[1]


@pytest.fixture
def up(tmp_path: Path, migrated: Path) -> Iterator[Up]:
    """The three terminals, on free ports."""
    shutil.copy(migrated, tmp_path / "laurel.sqlite3")
    web, platform = free_port(), free_port()
    told = exports(UP)
    assert told == exports(BY_HAND)
    address = told["PLATFORM_API_BASE_URL"]
    assert address.endswith(f":{DEFAULT_PORT}")
    env = {
        **told,
        "PLATFORM_API_BASE_URL": address.replace(str(DEFAULT_PORT), str(platform)),
        "DJANGO_SETTINGS_MODULE": "settings",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'laurel.sqlite3'}",
        "STORAGE_URL": (tmp_path / "media").as_uri(),
        "PUBLIC_BASE_URL": f"http://{HOST}:{web}",
        "GUNICORN_CMD_ARGS": "--preload",
        "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
        "DJANGO_SUPERUSER_EMAIL": "prof@example.com",
    }
    started: list[Process] = []
    with redis_server(tmp_path / "redis") as redis, ExitStack() as running:
        env["REDIS_URL"] = redis.url

        def start(name: str, *command: str | Path) -> None:
            log = tmp_path / f"{name}.log"
            each = Process(command, log=log, env=env)
            started.append(running.enter_context(each))

        file = tmp_path / "academy.json"
        file.write_text(academy())
        # Django, which it does not need, would take longer to start than the rest of it.
        without_django = PLATFORM.replace("./dev manage platform_sandbox", _PLATFORM)
        words = without_django.replace(file.name, str(file)).split()
        start("platform", PYTHON, *words, "--port", str(platform))
        manage = running.enter_context(forks(tmp_path, env=env))
        commands = service.commands(str(web))
        start("web", *commands["web"])
        start("worker", *commands["worker"], "--concurrency", "1")
        up = Up(f"http://{HOST}:{web}", manage)
        up.say(ACCOUNT.replace("\n", " --noinput --username prof\n"))
        for process, port in zip(started, (platform, web), strict=False):
            process.wait_for(partial(service.answers, port))
        yield up


def code(step: int) -> list[str]:
    """What the step tells to enter or to expect."""
    return re.findall(r"`([^`]+)`", STEPS[step - 1])


def labels(step: int) -> list[str]:
    """What it tells to look for, without its own title."""
    found = re.findall(r"\*\*([^*]+)\*\*", STEPS[step - 1])
    return [part for label in found[1:] for part in label.split(" → ")]


@attrs.frozen
class Admin:
    page: Page

    def sign_in(self, url: str) -> None:
        self.page.goto(f"{url}/admin/login/")
        self.page.fill("#id_username", "prof")
        self.page.fill("#id_password", PASSWORD)
        self.page.press("#id_password", "Enter")
        self.page.wait_for_url("**/admin/")

    def menu(self, group: str, entry: str) -> None:
        """**Group → Entry** of the sidebar."""
        heading = self.page.get_by_role("heading", name=group, exact=True)
        part = self.page.locator("#nav-sidebar div", has=heading).last
        part.locator("a").get_by_text(entry, exact=True).click()

    def add(self, *choices: str) -> None:
        """The round button with the plus, and what the page before the form asks."""
        self.page.locator("a.addlink").click()
        for choice in choices:
            self.page.get_by_role("link", name=choice, exact=True).click()

    def fill(self, **values: str) -> None:
        for name, value in values.items():
            self.page.locator(f"[name={name}]").fill(value)

    def open(self, row: str) -> None:
        self.page.get_by_role("link", name=row).first.click()

    def press(self, button: str) -> None:
        self.page.get_by_role("button", name=button, exact=True).click()

    def save(self) -> None:
        self.press("Save")
        expect(self.page.locator("body")).to_contain_text("successfully")

    def says(self, *texts: str) -> None:
        """In time: workers are at it, and pages of runs reload by themselves."""
        for text in texts:
            expect(self.page.locator("#content")).to_contain_text(text, timeout=30_000)


def test_lc_3_from_nothing_to_the_first_credential(page: Page, up: Up) -> None:
    page.set_default_timeout(10_000)
    page.set_viewport_size({"width": 1400, "height": 900})
    admin = Admin(page)
    admin.sign_in(up.url)
    prepare(admin)
    earn(admin, up)
    assert up.say(BY_HAND) == SAID
    assert learners_of(up) == ["ann"]


def prepare(admin: Admin) -> None:
    """Steps 1 to 4: the badge, the type, the schedule; activate the badge."""
    page = admin.page
    (badge, provider), templates = code(1), labels(1)
    admin.menu(*templates)
    admin.add()
    admin.fill(name=badge)
    page.get_by_label(provider).check()
    admin.save()

    (retriever, kind), (*types, options) = code(2), labels(2)
    admin.menu(*types)
    admin.add(retriever)
    admin.fill(name=kind)
    admin.says(options, "If empty: 0.9.")
    admin.save()

    (_, badge, context), (*schedules, ticked) = code(3), labels(3)
    admin.menu(*schedules)
    admin.add(kind)
    page.locator(".select2-selection").first.click()
    page.locator(".select2-search__field").fill(badge)
    page.locator(".select2-results__option", has_text=badge).click()
    admin.fill(context_key=context)
    expect(page.get_by_label(ticked)).to_be_checked()
    admin.save()

    admin.menu(*templates)
    admin.open(badge)
    admin.press(*labels(4))
    expect(page.locator("body")).to_contain_text("is active")


def earn(admin: Admin, up: Up) -> None:
    """Steps 5 to 7: look before anything happens, run now, switch it on."""
    page = admin.page
    *_, context = code(3)
    (counts, learner), (who, learners) = code(5), labels(5)
    admin.menu(*labels(3)[:2])
    admin.open(context)
    schedule = page.url
    admin.press(who)
    admin.says(counts, learners, learner)
    assert not learners_of(up)

    counts, name = code(6)
    page.goto(schedule)
    admin.press("Run now")
    admin.says(counts)
    assert learners_of(up) == ["ann"]
    admin.menu(*labels(6))
    page.reload()
    admin.open(name)
    file, vouched = page.locator("a[href$='.pdf']"), page.locator("a[href*='/verify/']")
    assert file.get_attribute("href")
    vouched.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)

    page.goto(schedule)
    page.get_by_label(*labels(7)).check()
    admin.save()
    admin.says("Every day")


def learners_of(up: Up) -> list[str]:
    """Who holds a badge."""
    return [
        each["username"]
        for each in json.loads(up.manage.run("badges_state"))["learners"]
        if any(template["credential"] for template in each["templates"])
    ]
