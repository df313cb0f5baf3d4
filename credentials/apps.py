from django.apps import AppConfig
from django.db.backends.signals import connection_created

from credentials.database import prepare


class CredentialsConfig(AppConfig):
    name = "credentials"
    verbose_name = "Credentials"

    def ready(self) -> None:
        # Without it `dispatch` would send tasks by Celery's default application, to nowhere.
        import celery_app  # noqa: F401 -- settings must be ready
        from credentials import checks  # noqa: F401 -- registers the system checks

        connection_created.connect(prepare, dispatch_uid="credentials.database.prepare")
