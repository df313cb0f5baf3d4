"""An organization in a sandbox that listens, and what a test needs to look at both."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import attrs
import requests as http

from credly_client.client import CredlyClient
from credly_client.sandbox import Running
from credly_client.types import BadgeRequest

TOKEN = "acme-key"


@attrs.frozen(kw_only=True)
class Academy:
    """One organization with one template."""

    running: Running
    organization_id: str = attrs.field(factory=lambda: str(uuid4()))
    template_id: str = attrs.field(factory=lambda: str(uuid4()))

    @classmethod
    def founded(cls, running: Running) -> Academy:
        academy = cls(running=running)
        academy.call_me_back(None)
        academy.put_template(name="Data Explorer", description="Passed the two data courses.")
        return academy

    def call_me_back(self, url: str | None) -> None:
        self.control(
            "organizations",
            id=self.organization_id,
            name="Acme Academy",
            token=TOKEN,
            webhook_url=url,
        )

    def put_template(self, **values: Any) -> None:
        keys = {"id": self.template_id, "organization_id": self.organization_id}
        self.control("templates", **keys | values)

    def control(self, path: str, **body: Any) -> dict[str, Any]:
        return self.running.sandbox.control(path, body)

    def switch(self, **wanted: Any) -> None:
        self.control("switches", **wanted)

    def state(self) -> dict[str, Any]:
        return self.running.sandbox.control("state", method="GET")

    def web(self, path: str, **query: Any) -> dict[str, Any]:
        """A reading control call, as another process makes it."""
        answer = http.get(f"{self.running.url}/sandbox/{path}", params=query, timeout=5)
        answer.raise_for_status()
        return dict(answer.json())

    def calls(self, name: str) -> int:
        return int(self.state()["calls"].get(name, 0))

    def client(self, **changes: Any) -> CredlyClient:
        settings: dict[str, Any] = {
            "base_url": self.running.api_url,
            "organization_id": self.organization_id,
            "token": TOKEN,
            "timeout": (5.0, 5.0),
        }
        return CredlyClient(**settings | changes)

    def badge_for(self, name: str, **changes: Any) -> BadgeRequest:
        values: dict[str, Any] = {
            "template_id": self.template_id,
            "recipient_email": f"{name}@example.com",
            "first_name": name.capitalize(),
            "last_name": "Lee",
            "issued_at": datetime(2026, 3, 1, 10, tzinfo=UTC),
            "issuer_earner_id": f"learner-{name}",
        }
        return BadgeRequest(**values | changes)
