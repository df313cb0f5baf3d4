"""Every recorded call put to the sandbox: it answers with the recorded status and all of the
recorded keys, each of the recorded type. So client and sandbox can only agree on what is recorded.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from credly_client.sandbox import Sandbox
from credly_client.sandbox.messages import Call
from tests.unit.credly_client import samples
from tests.unit.credly_client.samples import (
    BADGE,
    EVENT,
    ORG,
    SECOND_EVENT,
    SECOND_TEMPLATE,
    TEMPLATE,
    Sample,
)

NOW = datetime(2026, 3, 1, 10, tzinfo=UTC)
Prepare = Callable[[Sandbox], object]


def founded() -> Sandbox:
    sandbox = Sandbox()
    sandbox.control(
        "organizations",
        {
            "id": ORG,
            "name": "Acme Academy",
            "token": "key",
            "client_id": "acme",
            "client_secret": "secret",
            "webhook_url": "http://127.0.0.1:9/",
            "allowed_webhooks": ["badge.created", "badge.state.changed"],
        },
    )
    for template, name in ((TEMPLATE, "Data Explorer"), (SECOND_TEMPLATE, "Data Explorer II")):
        sandbox.control(
            "templates",
            {
                "id": template,
                "organization_id": ORG,
                "name": name,
                "image_url": "https://images.credly.com/images/1/data-explorer.png",
                "url": "https://www.credly.com/org/acme/badge/data-explorer",
                "vanity_slug": "data-explorer",
                "skills": ["Data Analysis"],
                "reporting_tags": ["data"],
            },
        )
    return sandbox


def put(sandbox: Sandbox, sample: Sample, *, secret: str = "") -> tuple[int, dict[str, str], Any]:
    """The sample's ids of badges and events become those that the sandbox made."""
    world = sandbox._world
    of_badges = [event["id"] for event in world.events.values() if "badge" in event]
    of_templates = [event["id"] for event in world.events.values() if "badge_template" in event]
    ids = {
        BADGE: next(iter(world.badges), BADGE),
        EVENT: of_badges[-1] if of_badges else EVENT,
        SECOND_EVENT: of_templates[-1],
    }
    root = "" if sample.form else "v1/"
    path = f"{root}{sample.path}"
    for recorded, made in ids.items():
        path = path.replace(recorded, made)
    answer = sandbox.answer(
        Call(
            method=sample.method,
            path=path,
            query=sample.query,
            body=sample.form or sample.body or {},
            token="acme" if sample.form else "key",
            password=secret,
            now=NOW,
            url="http://127.0.0.1:8090",
        )
    )
    html = answer.headers.get("Content-Type", "").startswith("text/html")
    text = answer.body.decode()
    return answer.status, dict(answer.headers), text if html else json.loads(text or "null")


def issued(sandbox: Sandbox) -> None:
    assert put(sandbox, samples.read("issue_badge"))[0] == 201


def revoked(sandbox: Sandbox) -> None:
    issued(sandbox)
    assert put(sandbox, samples.read("revoke_badge"))[0] == 200


def accepted(sandbox: Sandbox) -> None:
    issued(sandbox)
    sandbox.control(f"badges/{next(iter(sandbox._world.badges))}/accept")


def replaced(sandbox: Sandbox) -> None:
    issued(sandbox)
    assert put(sandbox, samples.read("replace_badge"))[0] == 201


def archived(sandbox: Sandbox) -> None:
    sandbox.control(f"templates/{TEMPLATE}/archive")


def somebody_elses(sandbox: Sandbox) -> None:
    other = "11111111-1111-4111-8111-111111111111"
    sandbox.control("organizations", {"id": ORG, "name": "Acme Academy", "token": "another"})
    sandbox.control("organizations", {"id": other, "name": "Other", "token": "key"})


def switched(**wanted: Any) -> Prepare:
    return lambda sandbox: sandbox.control("switches", wanted)


PREPARED: dict[str, Prepare] = {
    "get_badge": accepted,
    "list_badges": accepted,
    "find_badges": issued,
    "replace_badge": issued,
    "revoke_badge": issued,
    "delete_badge": issued,
    "list_events": accepted,
    "get_event_of_a_badge": accepted,
    "error_duplicate": issued,
    "error_batch_duplicate": issued,
    "error_archived_template": archived,
    "error_replaced": replaced,
    "error_revoked": revoked,
    "error_unauthorized": lambda sandbox: sandbox.control(
        "organizations", {"id": ORG, "token": "another"}
    ),
    "error_forbidden": somebody_elses,
    "error_gone": switched(gone=1),
    "error_rate_limited": switched(rate_limited={"count": 1, "retry_after": 7}),
    "error_rate_limited_without_wait": switched(rate_limited=1),
    "error_bad_gateway": switched(down={"count": 1, "status": 502}),
    "error_bad_gateway_on_a_list": switched(down={"count": 1, "status": 502}),
}


def uncovered(recorded: Any, answered: Any, *, at: str = "") -> list[str]:
    """Where the answer lacks a recorded key or has another type; null fits every type."""
    if isinstance(recorded, dict) and isinstance(answered, dict):
        missing = [f"{at}.{key}" for key in recorded.keys() - answered.keys()]
        return missing + [
            fault
            for key in recorded.keys() & answered.keys()
            for fault in uncovered(recorded[key], answered[key], at=f"{at}.{key}")
        ]
    if isinstance(recorded, list) and isinstance(answered, list):
        if recorded and not answered:
            return [f"{at} is empty"]
        return uncovered(recorded[0], answered[0], at=f"{at}[0]") if recorded else []
    if recorded is None or answered is None or type(recorded) is type(answered):
        return []
    return [f"{at}: {type(answered).__name__} for {type(recorded).__name__}"]


@pytest.mark.parametrize("case", samples.cases())
def test_the_sandbox_answers_as_recorded(case: str) -> None:
    sample = samples.read(case)
    sandbox = founded()
    if case in PREPARED:
        PREPARED[case](sandbox)
    secret = "wrong" if case == "error_access_token" else "secret"
    status, headers, document = put(sandbox, sample, secret=secret)
    assert status == sample.status
    assert sample.headers.items() <= headers.items()
    if sample.text:
        assert document == sample.text
    elif status >= 400:
        assert told(document) == told(sample.document)
    assert uncovered(sample.document, None if sample.text else document) == []


def told(document: dict[str, Any]) -> object:
    """Of an error: all that a client reads, but for ids."""
    data = document.get("data", {})
    return data.get("message"), data.get("errors"), data.get("error_index"), document.get("error")


@pytest.mark.parametrize(
    ("answered", "faults"),
    [
        ({"a": 1, "b": [{"c": "x", "d": 1}], "e": True}, []),
        ({"b": [{"c": "x"}]}, [".a"]),
        ({"a": "1", "b": [{"c": "x"}]}, [".a: str for int"]),
        ({"a": 1, "b": []}, [".b is empty"]),
        ({"a": 1, "b": [{}]}, [".b[0].c"]),
        ({"a": None, "b": None}, []),
    ],
)
def test_what_is_not_covered_is_found(answered: dict[str, Any], faults: list[str]) -> None:
    assert uncovered({"a": 1, "b": [{"c": "y"}]}, answered) == faults
