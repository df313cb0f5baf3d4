"""In which language a visitor is spoken to: the one chosen on the page, else what the browser
prefers. Not Django's LocaleMiddleware: it would translate half of the admin, too.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from django.http import HttpRequest
from django.utils.translation.trans_real import parse_accept_lang_header

# Each needs certificates/locale/<code>/LC_MESSAGES; English is in the source.
LANGUAGES: Final[Mapping[str, str]] = MappingProxyType(
    {"en": "English", "de": "Deutsch", "es": "Español"}
)
_DEFAULT: Final = "en"


def language_of(request: HttpRequest) -> str:
    """A key of LANGUAGES."""
    chosen = request.GET.get("lang", "")
    if chosen in LANGUAGES:
        return chosen
    accepted = parse_accept_lang_header(request.headers.get("Accept-Language", "").lower())
    preferred = (code.partition("-")[0] for code, _ in accepted)
    return next((code for code in preferred if code in LANGUAGES), _DEFAULT)
