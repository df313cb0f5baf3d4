"""Logging, as Django's setting LOGGING wants it: one line per event, for people or for programs."""

from typing import Any, Final

import structlog
from structlog.typing import Processor

_SHARED: Final[list[Processor]] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
# Plain tracebacks: where the package `rich` is installed, structlog's default prints the local
# variables of every frame, and with them keys, names and addresses.
_RENDERERS: Final[dict[str, list[Processor]]] = {
    "json": [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()],
    "console": [
        structlog.dev.ConsoleRenderer(
            colors=False, exception_formatter=structlog.dev.plain_traceback
        )
    ],
}


def logging_of(log_format: str, *, level: str) -> dict[str, Any]:
    """`log_format`: json or console. Configures structlog, whose lines go the same way."""
    structlog.configure(
        # A line that nobody will see costs one comparison.
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "default": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": _SHARED,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    *_RENDERERS[log_format],
                ],
            },
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "default"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django": {"handlers": [], "level": level, "propagate": True},
            # These two log a line per message, with the responses of every receiver.
            "openedx_events.tooling": {"level": "WARNING"},
            "edx_event_bus_redis": {"level": "WARNING"},
            # These three log each task, also the sweep that finds nothing every five seconds.
            "celery.beat": {"level": "WARNING"},
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.app.trace": {"level": "WARNING"},
        },
    }
