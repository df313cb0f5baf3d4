"""Tracebacks say where and what, and nobody's name."""

import pytest

from service_signals.redaction import redacted_traceback


def fail(message: str) -> None:
    raise LookupError(message)


def traceback_of(message: str, *personal: str) -> str:
    with pytest.raises(LookupError) as raised:
        fail(message)
    return redacted_traceback(raised.value, personal=personal)


def test_place_and_error_stay() -> None:
    text = traceback_of("no row 7")
    assert "test_redaction.py" in text
    assert text.endswith("LookupError: no row 7\n")


def test_addresses_go() -> None:
    assert traceback_of("mail to <ann.lee@example.com>").endswith("mail to <(hidden)>\n")


def test_names_go_in_whole_and_in_parts() -> None:
    last = traceback_of("ANN LEE, Lee; Annex of Ann", "Ann Lee").splitlines()[-1]
    assert last == "LookupError: (hidden), (hidden); Annex of (hidden)"


def test_what_a_database_quotes_goes() -> None:
    text = traceback_of("duplicate\nDETAIL:  Key (name)=(Ann Lee) already exists.")
    assert "Ann" not in text.splitlines()[-1]
    assert "duplicate" in text
