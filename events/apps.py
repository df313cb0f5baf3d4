from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "events"
    verbose_name = "Events"

    def ready(self) -> None:
        from events import checks, receivers  # noqa: F401 -- the import registers the checks

        receivers.connect()
