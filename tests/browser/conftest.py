"""A real browser against a live server of this process."""

import os
import shutil
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

# Playwright's synchronous interface runs an event loop in this thread, and Django would then
# refuse the database; nothing asynchronous of ours runs there.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="session")
def base_url() -> str:
    """Addresses are written in full. (Replaces a fixture that warns with pytest 9.)"""
    return ""


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """The system's Chromium where there is one, else the one that Playwright installed."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    more = {"executable_path": found} if found else {}
    return {**browser_type_launch_args, "args": ["--no-sandbox"], **more}


@pytest.fixture
def prof(page: Page, live_server: LiveServer, transactional_db: None) -> Page:
    """The badge admin prof, signed in; the page fails the test when its script fails."""
    User.objects.create_superuser("prof", "prof@example.com", PASSWORD)
    failures: list[str] = []
    page.on("pageerror", lambda error: failures.append(str(error)))
    page.set_default_timeout(10_000)
    page.goto(f"{live_server.url}/admin/login/")
    page.fill("#id_username", "prof")
    page.fill("#id_password", PASSWORD)
    page.press("#id_password", "Enter")
    page.wait_for_url("**/admin/")
    page.script_failures = failures  # type: ignore[attr-defined]
    return page
