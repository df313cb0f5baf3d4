"""Settings that cannot work: `manage.py check` says which, and how to mend them."""

from typing import Any

import pytest

from certificates import checks as certificates_checks
from credentials import checks as credentials_checks
from events import checks as events_checks

EXAM = "org.openedx.learning.exam.attempt.verified.v1"


def test_an_ambiguous_learner_path_names_the_choices(settings: Any) -> None:
    settings.BADGES_CONFIG = {"events": [{"type": EXAM, "learner": "exam_attempt"}]}
    (message,) = events_checks.event_entries_work()
    assert "exam_attempt.student_user, exam_attempt.requesting_user" in message.msg
    assert message.hint


@pytest.mark.parametrize("entries", [None, [], "org.x"])
def test_no_events_at_all(settings: Any, entries: Any) -> None:
    settings.BADGES_CONFIG = {"events": entries}
    assert [each.id for each in events_checks.event_entries_work()] == ["events.E001"]


@pytest.mark.parametrize("path", ["nowhere.process", "badges.flow.nothing", "settings.BASE_DIR"])
def test_a_handler_that_is_none(settings: Any, path: str) -> None:
    settings.EVENT_HANDLERS = [path]
    assert [each.id for each in events_checks.handlers_exist()] == ["events.E003"]


def test_a_provider_that_is_none(settings: Any) -> None:
    settings.PROVIDERS = {"mine": "nowhere.Provider"}
    assert [each.id for each in credentials_checks.providers_work()] == ["credentials.E001"]


def test_an_encryption_key_that_is_none(settings: Any) -> None:
    settings.LAUREL_ENCRYPTION_KEYS = ["short"]
    (message,) = credentials_checks.encryption_keys_fit()
    assert message.id == "credentials.E002"
    assert "Fernet" in str(message.hint)


@pytest.mark.parametrize("url", ["credly", "ftp://credly", "https://"])
def test_an_address_that_is_none(settings: Any, url: str) -> None:
    settings.CREDLY_API_BASE_URL = url
    assert [each.id for each in credentials_checks.providers_work()] == ["credentials.E003"]


def test_what_a_deployment_has_to_set() -> None:
    assert {each.id for each in credentials_checks.secrets_are_set()} >= {
        "credentials.E004",
        "credentials.W001",
    }


@pytest.mark.parametrize("url", ["lms", "ftp://lms", "https://", "https://ann@lms", "http://l?x=1"])
def test_a_platform_that_is_none(settings: Any, url: str) -> None:
    settings.PLATFORM_API_BASE_URL = url
    settings.PLATFORM_API_CLIENT_ID = settings.PLATFORM_API_CLIENT_SECRET = "x"
    assert [each.id for each in certificates_checks.platform_is_named()] == ["certificates.E002"]


def test_a_platform_without_a_client(settings: Any) -> None:
    assert certificates_checks.platform_is_named() == []
    settings.PLATFORM_API_BASE_URL = "https://lms.example.com"
    settings.PLATFORM_API_CLIENT_ID = "laurel"
    (message,) = certificates_checks.platform_is_named()
    assert "PLATFORM_API_CLIENT_SECRET is not" in str(message.msg)
