"""The event of our own source that asks instead of listening: what a schedule learned of one
learner. It goes through the same flow as the platform's events, and over a bus like them.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

import attrs
import orjson
from openedx_events.learning.data import UserData
from openedx_events.tooling import OpenEdxPublicSignal

EVENT_TYPE: Final = "org.laurel.credentials.eligibility.evaluated.v1"
_PERSONAL: Final = frozenset(
    {"email", "mail", "name", "fullname", "firstname", "lastname", "username", "user", "pii"}
)
_ADDRESS: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_NO_LETTERS: Final = re.compile(r"[^a-z]")


def impersonal(details: str) -> str:
    """JSON text of an object without what says who the learner is: keys that name people, texts
    that hold an e-mail address. Keys are sorted, so that a rule finds the same text for the same
    details. What is no JSON object becomes `{}`.
    """
    if details == "{}":
        return details
    try:
        found = orjson.loads(details)
    except orjson.JSONDecodeError:
        return "{}"
    if not isinstance(found, dict):
        return "{}"
    text = orjson.dumps(found, option=orjson.OPT_SORT_KEYS).decode()
    if not _may_be_personal(text):
        return text
    return orjson.dumps(_impersonal(found), option=orjson.OPT_SORT_KEYS).decode()


def _may_be_personal(text: str) -> bool:
    """A look at the whole, which mostly saves looking at each part."""
    letters = _letters(text)
    return "@" in text or any(each in letters for each in ("mail", "name", "user", "pii"))


def _letters(text: str) -> str:
    return _NO_LETTERS.sub("", text.lower())


def _impersonal(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            key: _impersonal(item)
            for key, item in value.items()
            if _letters(key) not in _PERSONAL and not _ADDRESS.search(key)
        }
    if isinstance(value, list):
        return [_impersonal(item) for item in value]
    return None if isinstance(value, str) and _ADDRESS.search(value) else value


@attrs.frozen
class EligibilityData:
    """`context_key`: the course, lesson or learning path, in canonical form. `details`: what the
    decision rests on, as the retriever tells it; see `impersonal`.
    """

    user: UserData
    context_key: str
    is_eligible: bool
    details: str = attrs.field(default="{}", converter=impersonal)


ELIGIBILITY_EVALUATED: Final = OpenEdxPublicSignal(
    event_type=EVENT_TYPE, data={"eligibility": EligibilityData}
)
