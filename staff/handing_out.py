"""Making the groups of staff, and giving them what a new release brings along.

Note [Given once]
    A fresh installation has the groups. From then on they are the operator's: `migrate` only gives
    what a group was never given before, because its model is new. A permission that somebody took
    from a group, a group that was renamed or deleted, a group of the same name that was there
    before: all stay as they are. `HandedOut` remembers.
"""

from typing import Any

from django.apps import apps as installed_apps
from django.apps.registry import Apps
from django.db import transaction

from staff.groups import groups


def after_migrate(*, using: str, apps: Apps = installed_apps, **_kwargs: Any) -> None:
    """See Note [Given once]. Receives `post_migrate`, after the permissions were made."""
    try:
        apps.get_model("staff", "HandedOut")
    except LookupError:  # migrated to a state without it
        return
    with transaction.atomic(using=using):
        existing = _permissions(using, apps)
        for name, wanted in groups().items():
            made = {each: existing[each] for each in wanted if each in existing}
            _hand_out(name, made, using, apps)


def _permissions(using: str, apps: Apps) -> dict[str, int]:
    """Key of each by `app.codename`."""
    rows = apps.get_model("auth", "Permission").objects.using(using)
    return {
        f"{app}.{codename}": pk
        for pk, app, codename in rows.values_list("pk", "content_type__app_label", "codename")
    }


def _hand_out(name: str, wanted: dict[str, int], using: str, apps: Apps) -> None:
    """`wanted`: keys of permissions by `app.codename`."""
    model = apps.get_model("staff", "HandedOut")
    groups_of = apps.get_model("auth", "Group").objects.using(using)
    row = model.objects.using(using).select_related("group").filter(name=name).first()
    if row is None:
        foreign = groups_of.filter(name=name).exists()
        row = model(name=name, group=None if foreign else groups_of.create(name=name))
    missing = wanted.keys() - row.permissions
    if row.group is not None:
        row.group.permissions.add(*(wanted[each] for each in missing))
    if missing or row.pk is None:
        row.permissions = sorted(missing.union(row.permissions))
        row.save(using=using)
