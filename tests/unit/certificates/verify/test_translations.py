"""Every text of the page and of the mail is there in every language, compiled."""

import re
from io import BytesIO
from pathlib import Path
from typing import Final

import pytest
from babel.messages import Catalog
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

from certificates.verify.languages import LANGUAGES
from tests.processes import ROOT

APP: Final = ROOT / "certificates"
_SIMPLE: Final = re.compile(r'\{% translate "(.*?)" %\}')
_BLOCK: Final = re.compile(r"\{% blocktranslate .*?%\}(.*?)\{% endblocktranslate %\}", re.DOTALL)
_PYTHON: Final = re.compile(r'gettext\("(.*?)"\)')
_FILLED: Final = re.compile(r"%\(\w+\)s")


def texts() -> set[str]:
    """What the sources want translated."""
    found: set[str] = set()
    for template in (APP / "templates/certificates").glob("*.*"):
        source = template.read_text()
        found |= set(_SIMPLE.findall(source))
        for block in _BLOCK.findall(source):
            found.add(re.sub(r"\{\{ (\w+) \}\}", r"%(\1)s", " ".join(block.split())))
    for module in APP.rglob("*.py"):
        found |= set(_PYTHON.findall(module.read_text()))
    return found


def catalog(language: str) -> tuple[Path, Catalog]:
    file = APP / "locale" / language / "LC_MESSAGES" / "django.po"
    with file.open("rb") as source:
        return file, read_po(source, locale=language)


OTHERS: Final = [language for language in LANGUAGES if language != "en"]


@pytest.mark.parametrize("language", OTHERS)
def test_nothing_is_missing_and_nothing_is_left_over(language: str) -> None:
    _, translated = catalog(language)
    assert {str(message.id) for message in translated if message.id} == texts()
    assert len(texts()) > 15
    for message in translated:
        if message.id:
            assert message.string
            assert not message.fuzzy
            placeholders = [sorted(_FILLED.findall(str(t))) for t in (message.id, message.string)]
            assert placeholders[0] == placeholders[1]


@pytest.mark.parametrize("language", OTHERS)
def test_the_compiled_file_is_that_of_the_source(language: str) -> None:
    file, translated = catalog(language)
    compiled = read_mo(BytesIO(file.with_suffix(".mo").read_bytes()))
    assert {m.id: m.string for m in compiled if m.id} == {
        m.id: m.string for m in translated if m.id
    }
