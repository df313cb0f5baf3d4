from django.apps import AppConfig


class CertificatesConfig(AppConfig):
    name = "certificates"
    verbose_name = "Schedules and certificates"

    def ready(self) -> None:
        # Registers the system checks.
        from certificates import checks  # noqa: F401
