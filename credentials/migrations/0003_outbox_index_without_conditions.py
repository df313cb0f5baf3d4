from django.db import migrations, models

# MySQL and MariaDB ignore the condition of `outbox_unpublished` and are left with an index on the
# primary key. What waits to be published, oldest first, is found by this one.
_INDEX = models.Index(fields=["published_at", "id"], name="outbox_unpublished_first")


def add(apps, schema_editor):
    if not schema_editor.connection.features.supports_partial_indexes:
        schema_editor.add_index(apps.get_model("credentials", "OutboxEvent"), _INDEX)


def remove(apps, schema_editor):
    if not schema_editor.connection.features.supports_partial_indexes:
        schema_editor.remove_index(apps.get_model("credentials", "OutboxEvent"), _INDEX)


class Migration(migrations.Migration):
    # A database without conditional indexes has no transactional DDL either.
    atomic = False

    dependencies = [("credentials", "0002_outbox_set_aside")]

    operations = [migrations.RunPython(add, remove)]
