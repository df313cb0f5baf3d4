"""Every scenario file through the real path: import, publish, consume, state."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.functional.conftest import Service

FOLDER = Path(__file__).parent.parent / "scenarios"


def _cases() -> list[Any]:
    cases = []
    for file in sorted(FOLDER.glob("*.json")):
        scenario = json.loads(file.read_text())
        cases += [
            pytest.param(scenario, size, id=f"{scenario['name']}-{size}")
            for size in scenario["batch_sizes"]
        ]
    return cases


@pytest.mark.parametrize(("scenario", "batch_size"), _cases())
def test_scenario(service: Service, scenario: dict[str, Any], batch_size: int) -> None:
    service.load(scenario["import"])
    service.publish(scenario["events"])

    assert service.consume(batch_size=batch_size) == 0

    state = service.state()
    usernames = {learner["username"] for learner in state["learners"]}
    assert not usernames & set(scenario["expect"]["absent_learners"])
    for name, count in scenario["expect"]["inbox"].items():
        assert state["inbox"][name] == count, name
    for expected in scenario["expect"]["states"]:
        _compare(service.badge(expected["learner"], expected["template"]), expected)


def _compare(found: dict[str, Any] | None, expected: dict[str, Any]) -> None:
    if found is None:  # nothing ever matched: no progress, no credential
        assert expected["complete"] is False
        assert expected["status"] is None
        assert not any(expected.get("requirements", {}).values())
        return
    credential = found["credential"]
    assert found["complete"] == expected["complete"]
    assert (credential and credential["status"]) == expected["status"]
    for key in ("groups_met", "groups_required"):
        assert found[key] == expected.get(key, found[key])
    if "blocked" in expected:
        assert credential["blocked_by_revocation"] == expected["blocked"]
    by_id = {each["id"]: each for each in found["requirements"]}
    for key, fulfilled in expected.get("requirements", {}).items():
        assert by_id[key]["fulfilled"] == fulfilled
    for key, count in expected.get("counts", {}).items():
        assert by_id[key]["count"] == count
