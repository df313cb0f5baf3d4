"""Import files named on a command line."""

import sys
from pathlib import Path

from django.core.management.base import CommandError

from badges.definitions import stored_needs
from badges.portable import stored
from badges.portable.definitions import Document, Faults
from badges.portable.reader import read


def read_text(name: str) -> str:
    """`-` is standard input. Raises CommandError."""
    try:
        raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise CommandError(f"{name}: {error.strerror or error}") from None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise CommandError(f"line {line}: not UTF-8; nothing was changed") from None


def read_document(text: str, *, source: str, alone: bool = False) -> Document:
    """`alone`: no other template will be active beside those of the file. Three queries at most.

    Raises CommandError with every fault.
    """
    document = read(
        text,
        organizations=stored.organization_uuids(),
        needs={} if alone else stored_needs(),
    )
    if isinstance(document, Faults):
        count = len(document.faults)
        lines = [str(fault) for fault in document.faults]
        head = f"{source}: {count} fault{'s' if count > 1 else ''}; nothing was changed"
        raise CommandError("\n".join([head, *lines]))
    return document
