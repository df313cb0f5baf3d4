from django.apps import AppConfig


class ServiceSignalsConfig(AppConfig):
    name = "service_signals"
    verbose_name = "Service signals"

    def ready(self) -> None:
        from service_signals import router  # handlers may import models

        router.wire()
