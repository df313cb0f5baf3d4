"""Tracebacks without personal data."""

import re
import traceback
from collections.abc import Iterable
from typing import Final

from service_signals.arguments import HIDDEN

_EMAIL: Final = re.compile(r"[^\s@'\"<>(),;:=]+@[^\s@'\"<>(),;:=]+")
# PostgreSQL quotes the row: `DETAIL:  Key (name)=(Ann Lee) already exists.`
_DETAIL: Final = re.compile(r"^DETAIL: .*$", re.MULTILINE)


def redacted_traceback(error: BaseException, *, personal: Iterable[str]) -> str:
    """The traceback without local variables, e-mail addresses, the rows that a database quotes,
    and the words of the texts in `personal`.
    """
    text = "".join(traceback.format_exception(error))
    text = _DETAIL.sub(f"DETAIL: {HIDDEN}", _EMAIL.sub(HIDDEN, text))
    words = {word for each in personal for word in (each, *each.split()) if word.strip()}
    if not words:
        return text
    longest_first = sorted(words, key=len, reverse=True)
    pattern = "|".join(re.escape(word) for word in longest_first)
    return re.sub(rf"(?<!\w)(?:{pattern})(?!\w)", HIDDEN, text, flags=re.IGNORECASE)
