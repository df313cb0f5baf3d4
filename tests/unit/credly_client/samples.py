"""The recorded calls, `tests/samples/credly/calls/<case>.json`: what is sent, what is answered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import attrs

FOLDER = Path(__file__).parents[2] / "samples" / "credly" / "calls"

ORG = "5f1b0cb7-6d0a-4a7e-9d6c-3f0d5d0b8a10"
TEMPLATE = "0d4a7c1e-2b53-4f6f-9a60-6d1b7a3c9e21"
SECOND_TEMPLATE = "7c0e5a92-1f3d-4c88-b1a4-90f2d6e7b345"
BADGE = "a3f1c2d4-5e6f-4a7b-8c9d-0e1f2a3b4c5d"
SECOND_BADGE = "b4a2d3e5-6f70-4b8c-9dae-1f203b4c5d6e"
EVENT = "c9b8a7d6-e5f4-4321-8765-43210fedcba9"
SECOND_EVENT = "d0c9b8a7-f6e5-4432-9876-543210fedcba"


@attrs.frozen(kw_only=True)
class Sample:
    """`body` of the request is JSON, `form` a form. The answer's `document` is None when it is
    empty or `text` instead.
    """

    method: str
    path: str
    query: dict[str, str]
    body: Any
    form: dict[str, str] | None
    status: int
    headers: dict[str, str]
    document: Any
    text: str

    @property
    def answer(self) -> bytes:
        return (json.dumps(self.document) if self.document is not None else self.text).encode()


def cases() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def read(case: str) -> Sample:
    whole = json.loads((FOLDER / f"{case}.json").read_text())
    request, answer = whole["request"], whole["answer"]
    return Sample(
        method=request["method"],
        path=request["path"],
        query=request.get("query", {}),
        body=request.get("body"),
        form=request.get("form"),
        status=answer["status"],
        headers=answer.get("headers", {}),
        document=answer.get("body"),
        text=answer.get("text", ""),
    )
