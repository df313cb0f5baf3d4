"""One unique column tells the rows of the inbox apart, where there were two; and what nearly every
row has is filled in by the database.
"""

from typing import Any

from django.db import migrations, models

from credentials.identity import derived


def derive(apps: Any, _editor: Any) -> None:
    rows = apps.get_model("events", "InboxEvent").objects.filter(event_id__isnull=True)
    for row in rows.only("origin").iterator():
        row.event_id = derived("message", row.origin)
        row.save(update_fields=["event_id"])


class Migration(migrations.Migration):
    dependencies = [
        ("events", "0004_inbox_without_constraint"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="inboxevent", name="inbox_row_is_identified"),
        migrations.RemoveConstraint(model_name="inboxevent", name="inbox_sole_origin"),
        migrations.RemoveField(model_name="inboxevent", name="sole_origin"),
        migrations.RunPython(derive, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="inboxevent",
            name="event_id",
            field=models.UUIDField(unique=True),
        ),
        migrations.AlterField(
            model_name="inboxevent",
            name="origin",
            field=models.CharField(
                blank=True, help_text="Where it came from: topic/entry id.", max_length=255
            ),
        ),
        migrations.AlterField(
            model_name="inboxevent",
            name="claim",
            field=models.UUIDField(editable=False, null=True),
        ),
        migrations.AlterField(
            model_name="inboxevent",
            name="attempts",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AlterField(
            model_name="inboxevent",
            name="duplicates",
            field=models.PositiveIntegerField(
                db_default=0,
                default=0,
                help_text="Further deliveries of the same event, dropped.",
            ),
        ),
        migrations.AlterField(
            model_name="inboxevent",
            name="reason",
            field=models.TextField(
                blank=True,
                db_default="",
                default="",
                help_text="Why it was ignored, or the last error.",
            ),
        ),
    ]
