"""Types that arrived are known at once, also those that arrived before."""

from typing import Any

from django.db import migrations, models
from django.db.models import Min


def take_from_inbox(apps: Any, _editor: Any) -> None:
    inbox = apps.get_model("events", "InboxEvent").objects.exclude(event_type="").order_by()
    arrival = apps.get_model("events", "EventArrival")
    first = inbox.values_list("event_type").annotate(first=Min("received_at"))
    arrival.objects.bulk_create(
        [arrival(event_type=event_type, first_at=first_at) for event_type, first_at in first]
    )


class Migration(migrations.Migration):
    dependencies = [
        ("events", "0002_fewer_indexes"),
    ]

    operations = [
        migrations.CreateModel(
            name="EventArrival",
            fields=[
                ("event_type", models.CharField(max_length=255, primary_key=True, serialize=False)),
                ("first_at", models.DateTimeField()),
            ],
        ),
        migrations.RunPython(take_from_inbox, migrations.RunPython.noop),
    ]
