"""What a name may look like. Pure."""

import re
import unicodedata
from typing import Final

MAX_LENGTH: Final = 255
# Control characters, surrogates, private use, line and paragraph separators.
_HIDDEN: Final = frozenset({"Cc", "Cs", "Co", "Zl", "Zp"})
# Of the format characters only those that turn text around; joiners belong to some scripts.
_TURNING: Final = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_MARKUP: Final = re.compile(r"[<>]|&#?\w+;")
_URL: Final = re.compile(r"\w+:/|\bwww\.|\bmailto:", re.IGNORECASE)


class NameRefusedError(ValueError):
    """A name cannot be used. The message says why, without the name."""


def clean(text: str | None) -> str:
    """Trimmed; empty when there is none. Raises NameRefusedError."""
    name = (text or "").strip()
    if any(unicodedata.category(c) in _HIDDEN or c in _TURNING for c in name):
        raise NameRefusedError("it contains control characters")
    if len(name) > MAX_LENGTH:
        raise NameRefusedError(f"it has {len(name)} characters; at most {MAX_LENGTH} are allowed")
    if _MARKUP.search(name):
        raise NameRefusedError("it contains markup")
    if _URL.search(name):
        raise NameRefusedError("it contains a web address")
    return name


def same(one: str, other: str) -> bool:
    """Is it one name, but for case, spaces and the way accents are encoded?"""
    return _folded(one) == _folded(other)


def _folded(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
