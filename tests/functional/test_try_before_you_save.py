"""A draft template is tried on a sample event and on the past, and nothing changes."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from badges.models import BadgeProgress, Decision
from credentials.models import BadgeTemplate, OutboxEvent, UserCredential
from tests.functional.conftest import Service
from tests.functional.stories import EXPLORER, PASSING, explorer, passes, rules


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    return _written(tmp_path, explorer())


def _written(folder: Path, document: dict[str, Any]) -> Path:
    file = folder / "draft.json"
    file.write_text(json.dumps(document))
    return file


def preview(*arguments: str | Path) -> str:
    output = io.StringIO()
    call_command("badges_preview", *map(str, arguments), stdout=output)
    return output.getvalue()


def data(*arguments: str | Path) -> Any:
    return json.loads(preview(*arguments, "--json"))


def sample(folder: Path, event: dict[str, Any]) -> Path:
    file = folder / "event.jsonl"
    file.write_text(json.dumps(event))
    return file


def past(service: Service) -> None:
    """Before the template exists: ann does all of it, bob one half, cid all and then fails."""
    service.publish(
        [
            passes("ann", 1, minute=1),
            passes("cid", 1, minute=1),
            passes("cid", 2, minute=2),
            passes("bob", 1, minute=2),
            passes("ann", 2, minute=3),
            passes("cid", 1, minute=4, passing=False),
        ]
    )
    service.consume()


@pytest.mark.django_db
def test_which_rule_holds_for_a_sample_event_and_which_not(draft: Path, tmp_path: Path) -> None:
    event = sample(tmp_path, passes("ann", 1, minute=1))
    answer = data("--file", draft, "--event", event)
    one, two, penalty = answer["owners"]
    assert (one["id"], one["matches"], one["outcome"]) == ("one", True, "fulfilled 1/1")
    assert (two["id"], two["matches"]) == ("two", False)
    assert two["outcome"] == "1 of 2 rules do not hold"
    assert two["rules"][0] == {
        "path": "course.course_key",
        "operator": "eq",
        "expected": "course-v1:Acme+D2+2026",
        "seen": "course-v1:Acme+D1+2026",
        "holds": False,
    }
    assert (penalty["is_penalty"], penalty["matches"]) == (True, False)
    assert (answer["groups_met"], answer["groups_required"], answer["complete"]) == (1, 2, False)
    text = preview("--file", draft, "--event", event)
    assert "yes requirement one: fulfilled 1/1" in text
    assert "fails course.course_key eq course-v1:Acme+D2+2026 (is course-v1:Acme+D1+2026)" in text
    assert not BadgeTemplate.objects.exists()


@pytest.mark.django_db
def test_a_sample_event_of_another_type(tmp_path: Path) -> None:
    requirement = {"id": "hello", "event_type": "org.openedx.learning.certificate.created.v1"}
    file = _written(tmp_path, explorer(requirements=[requirement], penalties=[]))
    event = sample(tmp_path, passes("ann", 1, minute=1))
    (answer,) = data("--file", file, "--event", event)["owners"]
    assert not answer["matches"]
    assert answer["outcome"] == "looks for org.openedx.learning.certificate.created.v1"


def test_what_a_draft_would_do_to_everybody(service: Service, draft: Path) -> None:
    past(service)
    before = service.state()
    answer = data("--file", draft)
    assert answer["award"] == {"count": 1, "reasons": {}, "learners": ["ann"]}
    assert answer["award_and_revoke"] == {
        "count": 1,
        "reasons": {"failed-one": 1},
        "learners": ["cid"],
    }
    assert answer["nearly"] == {"count": 1, "reasons": {"misses two": 1}, "learners": ["bob"]}
    assert (answer["events"], answer["learners_changed"], answer["learners_known"]) == (6, 2, 3)
    assert answer["not_evaluable"] == []
    text = preview("--file", draft)
    assert "would be awarded: 1 (ann)" in text
    assert "nearly there: 1 (bob)\n    1: misses two" in text
    assert service.state() == before
    for model in (BadgeTemplate, BadgeProgress, UserCredential, Decision, OutboxEvent):
        assert not model.objects.exists()


def test_what_an_edit_would_do_to_those_who_have_the_badge(
    service: Service, tmp_path: Path
) -> None:
    service.load(explorer())
    past(service)
    before = service.state()
    three = {"id": "three", "event_type": PASSING, "rules": rules(3, "true")}
    stricter = explorer()["templates"][0]["requirements"] + [three]
    answer = data("--file", _written(tmp_path, explorer(requirements=stricter)))
    # An edit takes no badge away: ann keeps hers.
    assert answer["kept"] == {"count": 1, "reasons": {"misses three": 1}, "learners": ["ann"]}
    assert (answer["award"]["count"], answer["revoke"]["count"]) == (0, 0)

    only_two = [{"id": "two", "event_type": PASSING, "rules": rules(2, "true")}]
    answer = data("--file", _written(tmp_path, explorer(requirements=only_two, penalties=[])))
    assert answer["blocked"]["learners"] == ["cid"]  # revoked before
    assert answer["learners_changed"] == 0

    undo = {"id": "late", "event_type": PASSING, "resets": ["two"], "rules": rules(2, "true")}
    answer = data("--file", _written(tmp_path, explorer(penalties=[undo])))
    assert answer["revoke"] == {"count": 1, "reasons": {"late": 1}, "learners": ["ann"]}
    assert service.state() == before


def test_a_stored_template(service: Service) -> None:
    past(service)
    service.load(explorer(is_active=False))
    assert data("--template", EXPLORER)["award"]["learners"] == ["ann"]


def test_what_the_archive_cannot_answer_is_said(service: Service, tmp_path: Path) -> None:
    past(service)
    staff = {"path": "user.pii.email", "operator": "ends_with", "value": "@example.com"}
    nameless = {"path": "user.pii.name", "operator": "is_missing"}
    requirements = [
        {"id": "one", "event_type": PASSING, "rules": [*rules(1, "true"), staff]},
        {"id": "two", "event_type": PASSING, "rules": rules(2, "true")},
        {"id": "none", "event_type": PASSING, "rules": [nameless]},
        {"id": "many", "event_type": PASSING, "count": 2, "distinct_by": "user.pii.username"},
    ]
    penalty = {"id": "p", "event_type": PASSING, "resets": ["two"], "rules": [staff]}
    file = _written(tmp_path, explorer(requirements=requirements, penalties=[penalty]))
    answer = data("--file", file)
    assert answer["not_evaluable"] == [
        "many: the archive does not keep user.pii.username",
        "none: the archive does not keep user.pii.name",
        "one: the archive does not keep user.pii.email",
        "two: its penalty p: the archive does not keep user.pii.email",
    ]
    assert answer["learners_changed"] == 0


@pytest.mark.django_db
def test_what_cannot_be_tried_is_refused_in_words(draft: Path, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="--file FILE or --template UUID"):
        preview()
    with pytest.raises(CommandError, match="No template has the uuid"):
        preview("--template", EXPLORER)
    with pytest.raises(CommandError, match=r"nothing there\.json: No such file"):
        preview("--file", tmp_path / "nothing there.json")
    with pytest.raises(CommandError, match="has 0 events; exactly one"):
        preview("--file", draft, "--event", _empty(tmp_path))
    with pytest.raises(CommandError, match=r"line 1: .*id: missing"):
        preview("--file", draft, "--event", sample(tmp_path, {"type": "no"}))
    unwanted = {**passes("ann", 1, minute=1), "type": "org.openedx.learning.xblock.skill.v1"}
    with pytest.raises(CommandError, match="is no public event"):
        preview("--file", draft, "--event", sample(tmp_path, unwanted))
    other = "11111111-1111-4111-8111-111111111111"
    with pytest.raises(CommandError, match=f"has no template {other}"):
        preview("--file", draft, "--template", other)


def _empty(folder: Path) -> Path:
    file = folder / "empty.jsonl"
    file.write_text("\n")
    return file
