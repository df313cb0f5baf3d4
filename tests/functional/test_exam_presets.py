"""Exam badges ready made: by file and in the admin."""

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from badges.models import BadgePenalty, BadgeRequirement
from credentials.models import BadgeTemplate
from tests.functional.conftest import Service
from tests.functional.exam_stories import (
    CK,
    PROCTORED,
    UK,
    exam,
    exam_type,
    penalty,
    proctored,
    requirement,
)
from tests.integration.admin.pages import all_errors, messages, rows, rule, send

EXAM = {"course_key": CK, "usage_key": UK}


def with_preset(name: str, **changes: Any) -> dict[str, Any]:
    requirement = {"id": "passed", "preset": name, **EXAM, **changes}
    return proctored(requirements=[requirement], penalties=[])


def exported() -> str:
    output = io.StringIO()
    call_command("badges_export", stdout=output)
    return output.getvalue()


def status(service: Service) -> str | None:
    badge = service.badge("ann", PROCTORED)
    return None if badge is None or badge["credential"] is None else badge["credential"]["status"]


def test_the_proctored_exam_is_passed_and_reset(service: Service) -> None:
    service.load(with_preset("proctored_exam"))

    service.publish([exam("submitted", 1), exam("verified", 2, kind="timed")])
    service.consume()
    assert status(service) is None
    service.publish([exam("verified", 3)])
    service.consume()
    assert status(service) == "awarded"
    service.publish([exam("errored", 4), exam("reset", 5)])
    service.consume()
    assert status(service) == "revoked"


def test_the_timed_exam_is_taken(service: Service) -> None:
    service.load(with_preset("timed_exam"))

    service.publish([exam("submitted", 1)])
    service.consume()
    assert status(service) is None
    service.publish([exam("submitted", 2, kind="timed")])
    service.consume()
    assert status(service) == "awarded"


def test_a_preset_is_written_out_by_the_export(service: Service) -> None:
    service.load(with_preset("proctored_exam"))
    first = exported()
    assert "preset" not in first
    assert {"passed-rejected", "passed-reset"} == set(
        BadgePenalty.objects.values_list("key", flat=True)
    )

    file = service.folder / "again.yaml"
    file.write_text(first)
    output = io.StringIO()
    call_command("badges_import", str(file), stdout=output)

    assert "0 updated" in output.getvalue()
    assert exported() == first


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"preset": "oral_exam"}, "choose one of: proctored_exam, timed_exam"),
        ({"exam_type": "timed"}, "requirements[0].exam_type: 'timed' does not fit this preset"),
        ({"course_key": "P1"}, "requirements[0].course_key: "),
        ({"usage_key": "final"}, "requirements[0].usage_key: "),
        ({"usage_key": UK.replace("P1", "P2")}, "usage_key: is no part of the course"),
        ({"usage_key": None}, "requirements[0].usage_key: missing"),
        ({"rules": []}, "requirements[0].rules: unknown key"),
        ({"id": "x" * 95}, "requirements[0].id: too long"),
    ],
)
def test_a_preset_that_cannot_work_is_refused(
    service: Service, changes: dict[str, Any], told: str
) -> None:
    document = with_preset("proctored_exam")
    document["templates"][0]["requirements"][0] |= changes

    with pytest.raises(CommandError) as refused:
        service.load(document)

    assert told in str(refused.value)
    assert not BadgeTemplate.objects.exists()


def test_a_preset_does_not_collide_with_a_penalty(service: Service) -> None:
    document = with_preset("proctored_exam")
    document["templates"][0]["penalties"] = [{**penalty("reset"), "id": "passed-reset"}]

    with pytest.raises(CommandError, match="'passed-reset' is the id of a penalty"):
        service.load(document)


def test_a_requirement_on_an_error_is_refused_by_file(service: Service) -> None:
    with pytest.raises(CommandError, match="errored fulfils nothing"):
        service.load(proctored(requirements=[requirement(verb="errored")], penalties=[]))


@pytest.fixture
def template(db: None) -> BadgeTemplate:
    return BadgeTemplate.objects.create(name="Final")


def page(template: BadgeTemplate, view: str = "change") -> str:
    return f"/admin/credentials/badgetemplate/{template.pk}/{view}/"


def test_staff_add_a_preset(admin_client: Client, template: BadgeTemplate) -> None:
    opened = admin_client.post(page(template, "do/add_preset"))
    assert opened["Location"] == page(template, "preset")
    form = admin_client.get(page(template, "preset"))
    assert form.status_code == 200

    entered = {"preset": "proctored_exam", "key": "passed", **EXAM, "exam_type": ""}
    admin_client.post(page(template, "preset"), entered)

    passed = BadgeRequirement.objects.get()
    assert passed.event_type == exam_type("verified")
    assert [str(each) for each in passed.rules.all()] == [
        f"course_key eq {CK}",
        f"usage_key eq {UK}",
        "exam_type eq proctored",
    ]
    assert [(each.key, each.event_type) for each in BadgePenalty.objects.all()] == [
        ("passed-rejected", exam_type("rejected")),
        ("passed-reset", exam_type("reset")),
    ]
    assert all(list(each.requirements.all()) == [passed] for each in BadgePenalty.objects.all())

    again = admin_client.post(page(template, "preset"), {**entered, "usage_key": "final"})
    assert "Another requirement of this template has this id" in again.content.decode()
    assert "usage_key" in again.context["form"].errors
    assert BadgeRequirement.objects.count() == 1


def test_a_preset_needs_the_right_to_change(client: Client, template: BadgeTemplate) -> None:
    assert client.get(page(template, "preset")).status_code == 302
    assert not BadgeRequirement.objects.exists()


def test_staff_are_told_of_a_timed_exam_that_is_never_verified(
    admin_client: Client, template: BadgeTemplate
) -> None:
    timed = {"key": "r", "event_type": exam_type("verified"), "count": "1"}
    changes = rows("requirements", timed) | rows(
        "requirements-0-rules", rule("exam_type", "in", "proctored, timed")
    )

    sent = send(admin_client, page(template), changes)

    assert sent.status_code == 302
    listed = admin_client.get(sent["Location"])
    assert "nobody reviews a timed exam" in messages(listed)
    assert "nobody reviews a timed exam" in admin_client.get(page(template)).content.decode()


def test_a_requirement_on_an_error_is_refused_in_the_admin(
    admin_client: Client, template: BadgeTemplate
) -> None:
    errored = {"key": "r", "event_type": exam_type("errored"), "count": "1"}

    answer = send(admin_client, page(template), rows("requirements", errored))

    assert "errored fulfils nothing" in all_errors(answer)["requirements-0-event_type"][0]


def test_one_that_is_stored_already_is_not_activated(
    admin_client: Client, template: BadgeTemplate
) -> None:
    BadgeRequirement.objects.create(template=template, key="r", event_type=exam_type("errored"))

    sent = admin_client.post(page(template, "do/activate"))

    assert "errored fulfils nothing" in messages(admin_client.get(sent["Location"]))
    template.refresh_from_db()
    assert not template.is_active
