"""A fresh installation has the groups; from then on they are the operator's."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command

from staff.groups import AUDITOR, BADGE_ADMIN, SUPPORT, groups
from staff.models import HandedOut

pytestmark = pytest.mark.django_db


def migrate() -> None:
    """As after every update; `migrate` itself would do the same."""
    call_command("migrate", "staff", verbosity=0)


def held(group: Group) -> set[str]:
    rows = group.permissions.values_list("content_type__app_label", "codename")
    return {f"{app}.{codename}" for app, codename in rows}


def test_a_fresh_installation_has_them_with_all_they_need() -> None:
    assert {each.name: held(each) for each in Group.objects.all()} == groups()
    assert set(groups()) == {BADGE_ADMIN, SUPPORT, AUDITOR}


def test_nobody_may_edit_users_keys_or_tasks() -> None:
    given = set().union(*groups().values())
    assert not {each for each in given if each.startswith(("authtoken.", "admin.", "sessions."))}
    assert {each for each in given if each.startswith(("auth.", "django_celery_beat."))} == {
        each for each in groups()[AUDITOR] if each.startswith(("auth.", "django_celery_beat."))
    }
    assert not given & {
        "credentials.change_credlyorganization",
        "credentials.add_credlyorganization",
        "credentials.delete_credlyorganization",
    }
    assert all(".view_" in each for each in groups()[AUDITOR])


def test_what_an_operator_changed_stays() -> None:
    support = Group.objects.get(name=SUPPORT)
    taken = Permission.objects.get(codename="change_usercredential")
    added = Permission.objects.get(codename="change_verifiedname")
    support.permissions.remove(taken)
    support.permissions.add(added)
    migrate()
    assert taken not in support.permissions.all()
    assert added in support.permissions.all()


def test_a_renamed_or_deleted_group_does_not_come_back() -> None:
    Group.objects.filter(name=SUPPORT).update(name="Help desk")
    Group.objects.get(name=AUDITOR).delete()
    migrate()
    assert set(Group.objects.values_list("name", flat=True)) == {BADGE_ADMIN, "Help desk"}


def test_what_a_release_brings_along_is_given_to_the_group_by_whatever_name() -> None:
    """As if the model were new: nobody was given its permission yet."""
    group = Group.objects.get(name=AUDITOR)
    group.permissions.remove(Permission.objects.get(codename="view_incident"))
    Group.objects.filter(pk=group.pk).update(name="Inspection")
    row = HandedOut.objects.get(name=AUDITOR)
    row.permissions.remove("consumer.view_incident")
    row.save()
    migrate()
    assert held(group) == groups()[AUDITOR]


def test_a_group_that_was_there_before_is_left_alone() -> None:
    HandedOut.objects.all().delete()
    Group.objects.all().delete()
    own = Group.objects.create(name=SUPPORT)
    migrate()
    migrate()
    assert held(own) == set()
    assert held(Group.objects.get(name=AUDITOR)) == groups()[AUDITOR]
