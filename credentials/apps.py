from django.apps import AppConfig
from django.db.backends.signals import connection_created

from credentials.database import lift_sqlite_parameter_limit


class CredentialsConfig(AppConfig):
    name = "credentials"
    verbose_name = "Credentials"

    def ready(self) -> None:
        from credentials import checks  # noqa: F401 -- registers the system checks

        connection_created.connect(
            lift_sqlite_parameter_limit, dispatch_uid="lift_sqlite_parameter_limit"
        )
