"""Import files named on a command line."""

import sys
from pathlib import Path

from django.core.management.base import CommandError

from badges.portable import importing
from badges.portable.definitions import Document
from badges.portable.importing import ImportRefusedError


def read_text(name: str) -> str:
    """`-` is standard input. Raises CommandError."""
    try:
        return importing.decode(sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes())
    except OSError as error:
        raise CommandError(f"{name}: {error.strerror or error}") from None
    except ImportRefusedError as error:
        raise CommandError(str(error)) from None


def read_document(name: str) -> Document:
    """Raises CommandError with every fault."""
    try:
        return importing.parse(read_text(name), source=name)
    except ImportRefusedError as error:
        raise CommandError(str(error)) from None
