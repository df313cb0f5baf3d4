"""What the service prints of an error."""

import io
import logging
import logging.config
from typing import Any

import pytest
import structlog
from django.conf import settings


def _fails_with(secret: str) -> None:
    raise ValueError(f"{len(secret)} characters")


@pytest.mark.parametrize("log_name", ["credentials.worker", "consumer.bus"])
def test_the_local_variables_of_a_traceback_stay_out(log_name: str) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logging_settings: Any = settings.LOGGING
    formatter = logging_settings["formatters"]["default"]
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=formatter["processors"], foreign_pre_chain=formatter["foreign_pre_chain"]
        )
    )
    logger = logging.getLogger(log_name)
    logger.addHandler(handler)
    try:
        _fails_with("the-key-of-acme")
    except ValueError:
        structlog.get_logger(log_name).exception("provider failed")
    finally:
        logger.removeHandler(handler)
    assert "15 characters" in stream.getvalue()
    # Once as source code in the traceback's own line at most, never as a value.
    assert "secret = " not in stream.getvalue()
