"""The platform fails in every way it may: the run fails with a reason, or goes on as if nothing
had been. Nothing is half-told: whoever reads the results to their end knows that they are all.
"""

import time
from typing import Any

import pytest
from pytest_django import Settings

from certificates.platform.api import Platform
from certificates.platform.client import Patience, PlatformClient
from certificates.platform.errors import Unreachable
from certificates.platform.sandbox import Running, World
from certificates.retrievers.asking import evaluate
from certificates.retrievers.base import RetrievalError
from tests.functional.platform.academy import CK, ask, course, eligible, section, world


@pytest.fixture
def many(platform: Running) -> Running:
    """250 learners, on three pages."""
    platform.sandbox.world = World.of_many(250, eligible=50, course=CK)
    return platform


@pytest.mark.parametrize(
    ("slug", "api"),
    [
        ("completions", "completion"),
        ("completions", "accounts"),
        ("grades", "policy"),
        ("grades", "gradebook"),
        ("completions_and_grades", "completion"),
        ("learning_path", "completion"),
    ],
)
def test_lc_11_a_page_that_cannot_be_had(many: Running, slug: str, api: str) -> None:
    options: dict[str, Any] = {"required_grades": {"total": 0.9}} if "grades" in slug else {}
    options |= {"steps": {CK: {}}} if slug == "learning_path" else {}
    page = 2 if api in ("completion", "gradebook") else 0
    many.sandbox.fault("status", api=api, page=page, status=500, retry_after="0")
    with pytest.raises(RetrievalError, match=r"The platform: GET /api/.*: 500"):
        ask(slug, **options)
    many.sandbox.reset()
    results = ask(slug, **options)
    assert (len(results), len(eligible(results))) == (250, 50)


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({"kind": "status", "status": 403}, "403"),
        ({"kind": "status", "status": 404}, "404"),
        ({"kind": "status", "status": 301}, "301"),
        ({"kind": "status", "status": 429, "retry_after": "3600"}, "429"),
        ({"kind": "cut"}, "not JSON"),
        ({"kind": "html"}, "not JSON"),
        ({"kind": "surprise"}, "no list of results"),
        ({"kind": "huge"}, "more than 16777216 bytes"),
        ({"kind": "endless"}, "leads back"),
    ],
)
def test_lc_11_garbage_is_reported(many: Running, fault: dict[str, Any], told: str) -> None:
    many.sandbox.fault(api="completion", **fault)
    with pytest.raises(RetrievalError, match=f"^The platform: GET /api/completion/.*: .*{told}"):
        ask("completions")
    assert many.sandbox.calls["completion"] <= 2  # no use in trying again


def test_the_odd_data_of_one_learner_is_that_learners(platform: Running) -> None:
    platform.sandbox.load(
        world(
            course(
                ann={"completion": 1.0, "grades": [section("hw", 1.0)]},
                bob={"completion": "all", "grades": "none"},
                cid={"completion": None, "grades": [section("hw", None)]},
                dan={"completion": 7, "grades": ["hw"]},
            )
        )
    )
    for results in (
        ask("completions"),
        ask("completions", required_completion=0),
        ask("grades", required_grades={"hw": 0.5}),
        ask("grades", required_grades={"hw": 0}),
    ):
        assert eligible(results) == {"ann"}
        assert [name for name, each in results.items() if each.fault] == ["bob", "cid", "dan"]


def test_a_hiccup_is_tried_again(many: Running) -> None:
    many.sandbox.fault("status", api="token", status=503, retry_after="0", count=1)
    many.sandbox.fault("status", api="completion", page=1, status=502, count=1)
    many.sandbox.fault("status", api="completion", page=2, status=429, retry_after="0", count=3)
    many.sandbox.fault("reset", api="accounts", count=1)
    many.sandbox.fault("hangup", api="completion", page=3, count=1)
    assert len(ask("completions")) == 250
    assert many.sandbox.calls["completion"] == 3 + 1 + 3 + 1


def test_a_token_that_is_over_is_asked_for_again(many: Running) -> None:
    results = evaluate("completions", context_key=CK, options={})
    told = [next(results)]
    many.sandbox.expire_tokens()
    told += results
    assert len(told) == 250
    assert many.sandbox.calls["token"] == 2
    assert many.sandbox.calls["refused"] == 1


@pytest.mark.parametrize("kind", ["slow", "drip"])
def test_a_platform_that_is_too_slow(many: Running, kind: str) -> None:
    many.sandbox.fault(kind, api="policy", seconds=0.15 if kind == "drip" else 5.0)
    once = Patience(seconds=0.2, attempts=1)
    begun = time.monotonic()
    with (
        PlatformClient(many.url, client_id="a", client_secret="b", patience=once) as client,
        pytest.raises(Unreachable),
    ):
        Platform(client).grading_policy(CK)
    assert time.monotonic() - begun < 1.5


def test_a_client_that_is_refused(many: Running, settings: Settings) -> None:
    settings.PLATFORM_API_CLIENT_SECRET = "wrong"
    with pytest.raises(RetrievalError, match="POST /oauth2/access_token: 401"):
        ask("completions")


def test_no_platform(settings: Settings) -> None:
    settings.PLATFORM_API_BASE_URL = ""
    with pytest.raises(RetrievalError, match="PLATFORM_API_BASE_URL is not set"):
        ask("completions")


def test_an_unknown_course(many: Running) -> None:
    with pytest.raises(RetrievalError, match=r"P2.*: 404"):
        ask("completions", "course-v1:edX+P2+2024")
