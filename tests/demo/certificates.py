"""What people get to see of the certificates: pages and files, fetched over HTTP, and mails."""

from __future__ import annotations

import http.client
import json
import mailbox
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from typing import Any

from pypdf import PdfReader

from tests.demo.findings import Certificate
from tests.demo.reckoning import Pair
from tests.processes import HOST


def look_at_certificates(
    state: Mapping[str, Any], *, port: int, mails: Path
) -> dict[Pair, Certificate]:
    """`state`: of `badges_state`; `port`: of the web server; `mails`: a Maildir. A credential
    without one is left out, as is one that was never drawn.
    """
    told = _told(mails)
    with closing(http.client.HTTPConnection(HOST, port, timeout=10)) as web:
        return {
            pair: _look(issuance, web=web, told=told)
            for pair, issuance in _issuances(state)
            if issuance["external_id"]
        }


def _told(mails: Path) -> dict[str, list[str]]:
    """Whom the mails about each certificate went to, by its key."""
    found: dict[str, list[str]] = defaultdict(list)
    for mail in mailbox.Maildir(mails, create=False):
        key = mail["Message-ID"].strip("<>").partition("@")[0]
        found[key].append(mail["To"])
    return found


def _issuances(state: Mapping[str, Any]) -> Iterator[tuple[Pair, Mapping[str, Any]]]:
    for learner in state["learners"]:
        for each in learner["templates"]:
            for issuance in (each["credential"] or {"issuances": []})["issuances"]:
                if issuance["provider"] == "pdf":
                    yield (learner["lms_user_id"], each["template"]), issuance


def _look(
    issuance: Mapping[str, Any],
    *,
    web: http.client.HTTPConnection,
    told: Mapping[str, Sequence[str]],
) -> Certificate:
    key = issuance["external_id"]
    page = json.loads(_get(web, f"/verify/{key}.json") or b"{}")
    file = _get(web, f"/certificates/{key}.pdf")
    return Certificate(
        key=key,
        state=issuance["state"],
        status=page.get("status", ""),
        name=page.get("name", ""),
        told=told.get(key, ()),
        text=None if file is None else PdfReader(BytesIO(file)).pages[0].extract_text(),
    )


def _get(web: http.client.HTTPConnection, path: str) -> bytes | None:
    """None: it is not given out."""
    web.request("GET", path)
    answer = web.getresponse()
    body = answer.read()
    return body if answer.status == HTTPStatus.OK else None
