from django.apps import AppConfig
from django.db.models.signals import post_migrate


class StaffConfig(AppConfig):
    name = "staff"
    verbose_name = "Staff"

    def ready(self) -> None:
        from staff import handing_out

        # By Django's own signal: the permissions themselves are made by it, after each `migrate`.
        post_migrate.connect(handing_out.after_migrate, sender=self)
