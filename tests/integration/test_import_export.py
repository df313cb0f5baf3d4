"""badges_import and badges_export against a database."""

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from badges.models import (
    BadgePenalty,
    BadgeProgress,
    BadgeRequirement,
    DataRule,
    Fulfillment,
    RequirementGroup,
)
from credentials.models import (
    BadgeTemplate,
    CredlyOrganization,
    DefinitionsVersion,
    Learner,
    UserCredential,
)

pytestmark = pytest.mark.django_db
NOW: Final = datetime(2026, 3, 1, tzinfo=UTC)
PASSING: Final = "org.openedx.learning.course.passing.status.updated.v1"
CREATED: Final = "org.openedx.learning.certificate.created.v1"
ACME: Final = UUID("5f1b0cb7-0000-4000-8000-000000000001")
ONE: Final = UUID("0d4a0000-0000-4000-8000-000000000001")
TWO: Final = UUID("0d4a0000-0000-4000-8000-000000000002")


def rule(value: str = "true", *, path: str = "is_passing", operator: str = "eq") -> dict[str, str]:
    return {"path": path, "operator": operator, "value": value}


def template(uuid: UUID = ONE, **changes: Any) -> dict[str, Any]:
    """Two requirements, a and b, and a penalty p that resets a."""
    return {
        "uuid": str(uuid),
        "name": "Explorer",
        "organization": str(ACME),
        "providers": ["credly"],
        "is_active": True,
        "requirements": [
            {
                "id": "a",
                "event_type": PASSING,
                "rules": [rule(), rule("x", path="metadata.source")],
            },
            {"id": "b", "event_type": PASSING, "rules": [rule()]},
        ],
        "penalties": [
            {"id": "p", "event_type": PASSING, "resets": ["a"], "rules": [rule("false")]}
        ],
        **changes,
    }


def demanding(uuid: UUID = ONE, **changes: Any) -> dict[str, Any]:
    """Any two of a, b, c, of which c demands three courses in 30 days after a and b."""
    c = {"count": 3, "distinct_by": "course.course_key", "within": "P30D", "after": ["b", "a"]}
    parts: list[tuple[str, dict[str, Any]]] = [("a", {}), ("b", {}), ("c", c)]
    requirements = [{"id": key, "event_type": PASSING, "group": "A", **more} for key, more in parts]
    changes = {"groups": {"A": {"required": 2}}, **changes}
    return template(uuid, requirements=requirements, **changes)


def document(*templates: dict[str, Any], **changes: Any) -> dict[str, Any]:
    acme = {"uuid": str(ACME), "provider": "credly", "name": "Acme"}
    return {"version": 1, "organizations": [acme], "templates": list(templates), **changes}


Run = Callable[..., list[str]]


@pytest.fixture
def load(tmp_path: Path) -> Run:
    """Import a document, or a text; returns the lines that were printed."""

    def run(document: dict[str, Any] | str, *options: str) -> list[str]:
        file = tmp_path / "badges.yaml"
        file.write_text(document if isinstance(document, str) else json.dumps(document, indent=1))
        out = io.StringIO()
        call_command("badges_import", str(file), *options, stdout=out)
        return out.getvalue().splitlines()

    return run


def export(*options: str) -> str:
    out = io.StringIO()
    call_command("badges_export", *options, stdout=out)
    return out.getvalue()


def version() -> int:
    return DefinitionsVersion.current()


def learner(uuid: UUID = ONE) -> tuple[Learner, BadgeTemplate]:
    ann = Learner.objects.create(lms_user_id=11, username="ann", profile_time=NOW)
    return ann, BadgeTemplate.objects.get(uuid=uuid)


def award(uuid: UUID = ONE) -> UserCredential:
    ann, row = learner(uuid)
    return UserCredential.objects.create(learner=ann, template=row, awarded_at=NOW)


def test_a_file_becomes_rows(load: Run) -> None:
    lines = load(document(template()))

    assert lines == [
        f"create    organization {ACME} Acme",
        f"create    template     {ONE} Explorer",
        "done: 2 created, 0 updated, 0 unchanged, 0 deleted",
    ]
    row = BadgeTemplate.objects.get()
    assert (row.uuid, row.is_active, row.providers) == (ONE, True, ["credly"])
    assert row.organization == CredlyOrganization.objects.get(uuid=ACME)
    (penalty,) = BadgePenalty.objects.all()
    assert [each.key for each in penalty.requirements.all()] == ["a"]
    assert [str(each) for each in penalty.rules.all()] == ["is_passing eq false"]
    assert list(DataRule.objects.values_list("requirement__key", "path")) == [
        ("a", "is_passing"),
        ("a", "metadata.source"),
        ("b", "is_passing"),
    ]
    assert version() == 1


@pytest.mark.parametrize("make", [template, demanding])
def test_the_same_file_again_writes_nothing(load: Run, make: Callable[[], dict[str, Any]]) -> None:
    load(document(make()))
    before = version()

    with CaptureQueriesContext(
        connection,
    ) as queries:
        lines = load(document(make()))

    assert [line.split()[0] for line in lines] == ["unchanged", "unchanged", "done:"]
    assert version() == before
    verbs = {query["sql"].split()[0] for query in queries.captured_queries}
    assert verbs <= {"SELECT", "LOCK", "SAVEPOINT", "RELEASE"}


def test_an_update_keeps_rows_and_what_was_fulfilled(load: Run) -> None:
    load(document(template()))
    ann, row = learner()
    progress = BadgeProgress.objects.create(learner=ann, template=row)
    keys = {each.key: each for each in BadgeRequirement.objects.all()}
    for requirement in keys.values():
        Fulfillment.objects.create(
            progress=progress,
            requirement=requirement,
            key=requirement.key,
            event_id=uuid4(),
            event_time=NOW,
        )

    lines = load(
        document(
            template(
                name="Explorer 2",
                requirements=[
                    {"id": "c", "event_type": CREATED},
                    {"id": "a", "event_type": PASSING, "group": "G", "rules": [rule("false")]},
                ],
                penalties=[{"id": "p", "event_type": PASSING, "resets": ["c", "a"]}],
            )
        )
    )

    assert f"update    template     {ONE} Explorer 2 (name, requirements, penalties)" in lines
    row.refresh_from_db()
    assert row.name == "Explorer 2"
    a = BadgeRequirement.objects.get(key="a")
    assert (a.pk, a.group) == (keys["a"].pk, "G")
    assert [str(each) for each in a.rules.all()] == ["is_passing eq false"]
    assert set(row.requirements.values_list("key", flat=True)) == {"a", "c"}
    # What was fulfilled stays so, pinned to the rules under which it was.
    progress.refresh_from_db()
    assert progress.pins.keys() == {"a"}
    penalty = BadgePenalty.objects.get()
    assert set(penalty.requirements.values_list("key", flat=True)) == {"a", "c"}
    assert not penalty.rules.exists()
    assert version() == 2


def order() -> dict[str, set[str]]:
    """Which requirements come after which."""
    rows = BadgeRequirement.objects.prefetch_related("after")
    return {each.key: {other.key for other in each.after.all()} for each in rows}


def test_groups_repetition_and_order_become_rows(load: Run) -> None:
    load(document(demanding()))

    assert [str(each) for each in RequirementGroup.objects.all()] == ["2 of A"]
    c = BadgeRequirement.objects.get(key="c")
    assert (c.count, c.distinct_by, c.within) == (3, "course.course_key", "P30D")
    assert order() == {"a": set(), "b": set(), "c": {"a", "b"}}


def test_groups_repetition_and_order_are_replaced_where_they_differ(load: Run) -> None:
    load(document(demanding()))
    keys = dict(BadgeRequirement.objects.values_list("key", "pk"))
    RequirementGroup.objects.create(template=BadgeTemplate.objects.get(), label="gone", required=1)
    changed = demanding()
    changed["groups"]["A"]["required"] = 3
    changed["requirements"][1] |= {"after": ["c"], "count": 2}
    changed["requirements"][2] = {"id": "c", "event_type": PASSING, "group": "A", "after": ["a"]}

    lines = load(document(changed))

    assert f"update    template     {ONE} Explorer (requirements, groups)" in lines
    assert [str(each) for each in RequirementGroup.objects.all()] == ["3 of A"]
    assert order() == {"a": set(), "b": {"c"}, "c": {"a"}}
    c = BadgeRequirement.objects.get(key="c")
    assert (c.count, c.distinct_by, c.within) == (1, "", "")
    assert dict(BadgeRequirement.objects.values_list("key", "pk")) == keys

    load(document(template()))
    assert not RequirementGroup.objects.exists()
    assert order() == {"a": set(), "b": set()}


def test_an_import_leaves_what_a_file_does_not_say(load: Run) -> None:
    load(document(template()))
    BadgeTemplate.objects.update(image_url="https://example.com/i.png", provider_state="active")

    load(document(template(description="New")))

    row = BadgeTemplate.objects.get()
    assert (row.image_url, row.provider_state) == ("https://example.com/i.png", "active")


def test_a_template_that_is_activated_again_loses_its_note(load: Run) -> None:
    load(document(template()))
    BadgeTemplate.objects.update(is_active=False, note="Deactivated by the service: why.")

    load(document(template()))

    row = BadgeTemplate.objects.get()
    assert (row.is_active, row.note) == (True, "")


def test_another_key_resumes_an_organization_and_is_no_change_of_rules(load: Run) -> None:
    load(document(template()))
    organization = CredlyOrganization.objects.get()
    organization.set_api_key("secret-key")
    organization.paused_reason = "refused"
    organization.save()
    before = version()
    acme = {"uuid": str(ACME), "provider": "credly", "name": "Acme", "api_key_env": "ACME_KEY"}

    lines = load(document(template(), organizations=[acme]))

    assert lines[0] == f"update    organization {ACME} Acme (api_key_env)"
    organization.refresh_from_db()
    assert (organization.api_key_env, organization.paused_reason) == ("ACME_KEY", "")
    assert organization.stored_api_key() == "secret-key"
    assert version() == before


def test_an_organization_of_the_database_can_be_named(load: Run) -> None:
    load(document())

    load(document(template(), organizations=[]))

    assert BadgeTemplate.objects.get().organization == CredlyOrganization.objects.get()


def test_a_dry_run_writes_nothing(load: Run) -> None:
    lines = load(document(template()), "--dry-run")

    assert lines[-1].startswith("dry run, nothing was written; would be: 2 created")
    assert not BadgeTemplate.objects.exists()
    assert not CredlyOrganization.objects.exists()
    assert version() == 0


def test_a_bad_file_changes_nothing_and_names_every_fault(load: Run) -> None:
    load(document(template()))
    bad = document(template(name="Other"), template(TWO, is_active="x", colour="red"))

    with pytest.raises(CommandError) as caught:
        load(bad)

    head, *faults = str(caught.value).splitlines()
    assert head.endswith("badges.yaml: 2 faults; nothing was changed")
    assert [each.split(": ")[1] for each in faults] == [
        "templates[1].is_active",
        "templates[1].colour",
    ]
    assert all(each.startswith("line ") for each in faults)
    assert BadgeTemplate.objects.get().name == "Explorer"


def test_what_cannot_be_read_is_named(load: Run, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No such file"):
        call_command("badges_import", str(tmp_path / "none.yaml"))
    (tmp_path / "latin.yaml").write_bytes("version: 1\nname: é\n".encode("latin-1"))
    with pytest.raises(CommandError, match="line 2: not UTF-8"):
        call_command("badges_import", str(tmp_path / "latin.yaml"))


def test_standard_input_is_a_file_too(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = json.dumps(document(template())).encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(raw)))

    call_command("badges_import", "-", stdout=io.StringIO())

    assert BadgeTemplate.objects.get().uuid == ONE


def test_without_prune_nothing_is_removed(load: Run) -> None:
    load(document(template(), template(TWO)))

    load(document(template()))

    assert BadgeTemplate.objects.count() == 2


def test_prune_deletes_what_the_file_does_not_name(load: Run) -> None:
    load(document(template(), template(TWO, name="Old")))
    ann, row = learner(TWO)
    BadgeProgress.objects.create(learner=ann, template=row)
    before = version()

    lines = load(document(template(organization=None, providers=[]), organizations=[]), "--prune")

    assert lines[:3] == [
        f"delete    organization {ACME} Acme",
        f"update    template     {ONE} Explorer (organization, providers)",
        f"delete    template     {TWO} Old",
    ]
    assert [each.uuid for each in BadgeTemplate.objects.all()] == [ONE]
    assert not CredlyOrganization.objects.exists()
    assert not BadgeProgress.objects.exists()
    assert version() == before + 1


def test_prune_only_deactivates_what_has_credentials(load: Run) -> None:
    load(document(template()))
    award()

    lines = load(document(organizations=[]), "--prune")

    assert [line.split()[:2] for line in lines[:2]] == [
        ["unchanged", "organization"],
        ["update", "template"],
    ]
    row = BadgeTemplate.objects.get()
    assert not row.is_active
    assert "--prune" in row.note
    assert row.requirements.count() == 2
    before = version()
    again = load(document(organizations=[]), "--prune")
    assert again[-1] == "done: 0 created, 0 updated, 2 unchanged, 0 deleted"
    assert version() == before


def test_the_number_of_statements_does_not_grow(load: Run) -> None:
    DefinitionsVersion.bump()  # the very first also makes the row
    counts = []
    for size in (60, 90):  # on SQLite lists of more than a hundred rows take two statements
        many = [demanding(UUID(int=number)) for number in range(1, size + 1)]
        requirements = [
            {"id": "c", "event_type": CREATED, "group": "A", "after": ["b"]},
            {"id": "b", "event_type": CREATED, "group": "A", "count": 2},
        ]
        for change in ({}, {"requirements": requirements, "penalties": []}):
            with CaptureQueriesContext(connection) as queries:
                load(document(*({**each, **change} for each in many)), "--prune")
            counts.append(len(queries))
        load(document(organizations=[]), "--prune")

    assert counts[:2] == counts[2:]
    assert counts[0] < 45


ODD: Final = [
    "007", "yes", "1e3", "0.90", "", "a, b", "[a", "a: b", "- a", "#", "null", "a\nb\n", " x ",
    "Ünï 😀", "\u2028", '"', "'", "\\", "2026-03-01",
]  # fmt: skip


def test_export_import_export_is_byte_identical(load: Run) -> None:
    load(
        document(
            *(
                template(
                    UUID(int=number),
                    name=odd or "empty",
                    description=odd,
                    requirements=[
                        {
                            "id": key,
                            "event_type": CREATED,
                            "description": odd,
                            "group": odd,
                            "rules": [
                                rule(odd, path="mode"),
                                {"path": "grade", "operator": "exists"},
                                {"path": "mode", "operator": "in", "value": [odd, "a, b"]},
                            ],
                        }
                        for key in ("yes", "1e3", "007")
                    ],
                    penalties=[{"id": "1.0", "event_type": CREATED, "resets": ["yes", "007"]}],
                )
                for number, odd in enumerate(ODD, start=1)
            )
        )
    )
    first = export()

    lines = load(first, "--prune")
    assert lines[-1].startswith(f"done: 0 created, 0 updated, {len(ODD) + 1} unchanged")
    assert export() == first

    BadgeTemplate.objects.all().delete()
    CredlyOrganization.objects.all().delete()
    load(first)
    assert export() == first


def test_what_an_export_says_of_groups_repetition_and_order_survives(load: Run) -> None:
    load(document(demanding(), demanding(TWO, groups={"A": {"required": 1}})))
    first = export()

    assert first.count("groups: {A: {required: 2}}") == first.count("groups:") == 1
    assert "after: [a, b]" in first
    assert first.count("count: ") == 2
    assert load(first, "--prune")[-1] == "done: 0 created, 0 updated, 3 unchanged, 0 deleted"
    assert export() == first

    BadgeTemplate.objects.all().delete()
    load(first)
    assert export() == first


def test_the_order_of_an_export_does_not_depend_on_the_history(load: Run) -> None:
    a, b = template()["requirements"]
    load(document(template(TWO, requirements=[b, a]), template(ONE)))
    history = export()
    BadgeTemplate.objects.all().delete()
    load(document(template(ONE, requirements=[b, a]), template(TWO)))

    assert export() == history


def test_one_template_is_exported_with_its_organization(load: Run) -> None:
    load(document(template(), template(TWO, organization=None, providers=[])))

    assert str(ACME) in export("--template", str(ONE))
    alone = export("--template", str(TWO))
    assert "organizations: []" in alone
    assert str(ONE) not in alone


@pytest.mark.parametrize("uuid", ["x", str(TWO)])
def test_an_unknown_template_is_an_error(uuid: str) -> None:
    with pytest.raises(CommandError, match=r"not a UUID|no template"):
        export("--template", uuid)


def test_keys_are_not_exported(load: Run) -> None:
    load(document(template()))
    organization = CredlyOrganization.objects.get()
    organization.set_api_key("secret-key")
    organization.save()

    text = export()

    assert "secret-key" not in text
    assert organization.api_key_encrypted not in text
