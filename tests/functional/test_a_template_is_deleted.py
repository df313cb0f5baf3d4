"""A badge template goes, and its picture with it: once that is certain and nobody else shows it."""

import io
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import transaction
from django.test import Client

from credentials import files
from credentials.models import BadgeTemplate

LIST: Final = "/admin/credentials/badgetemplate/"
pytestmark = pytest.mark.django_db(transaction=True)

Prune = Callable[..., None]


@pytest.fixture
def badge() -> BadgeTemplate:
    return pictured("Explorer")


def pictured(name: str) -> BadgeTemplate:
    row = BadgeTemplate(name=name)
    row.image.save(f"badges/{row.uuid}.png", ContentFile(b"\x89PNG"))
    return row


def is_there(template: BadgeTemplate) -> bool:
    return default_storage.exists(str(template.image.name))


@pytest.fixture
def prune(tmp_path: Path) -> Prune:
    """Import a file that names no template."""
    file = tmp_path / "badges.json"
    file.write_text(json.dumps({"version": 1, "organizations": [], "templates": []}))

    def run(*options: str) -> None:
        call_command("badges_import", str(file), "--prune", *options, stdout=io.StringIO())

    return run


def test_on_its_page(admin_client: Client, badge: BadgeTemplate) -> None:
    other = pictured("Other")
    admin_client.post(f"{LIST}{badge.pk}/delete/", {"post": "yes"})
    assert not BadgeTemplate.objects.filter(pk=badge.pk).exists()
    assert not is_there(badge)
    assert is_there(other)


def test_several_in_the_list(admin_client: Client, badge: BadgeTemplate) -> None:
    chosen = [badge, pictured("Other")]
    admin_client.post(
        LIST,
        {
            "action": "delete_selected",
            "_selected_action": [each.pk for each in chosen],
            "post": "yes",
        },
    )
    assert not BadgeTemplate.objects.exists()
    assert not any(map(is_there, chosen))


def test_by_an_import(badge: BadgeTemplate, prune: Prune) -> None:
    prune("--dry-run")
    assert is_there(badge)
    prune()
    assert not is_there(badge)


def test_a_deletion_that_is_taken_back_keeps_it(badge: BadgeTemplate) -> None:
    with suppress(RuntimeError), transaction.atomic():
        BadgeTemplate.objects.all().delete()
        files.discard([badge.image])
        raise RuntimeError
    assert is_there(badge)


def test_it_is_not_removed_before_the_commit(badge: BadgeTemplate) -> None:
    with transaction.atomic():
        BadgeTemplate.objects.all().delete()
        files.discard([badge.image])
        assert is_there(badge)
    assert not is_there(badge)


def test_it_stays_as_long_as_another_template_shows_it(
    admin_client: Client, badge: BadgeTemplate
) -> None:
    BadgeTemplate.objects.create(name="Copy", image=badge.image.name)
    admin_client.post(f"{LIST}{badge.pk}/delete/", {"post": "yes"})
    assert is_there(badge)


def test_a_picture_that_cannot_be_removed_keeps_no_other(badge: BadgeTemplate) -> None:
    other = pictured("Other")
    badge.image.name = "../outside.png"  # no storage removes that
    with transaction.atomic():
        BadgeTemplate.objects.all().delete()
        files.discard([badge.image, other.image])
    assert not is_there(other)
