"""Everything the sandbox holds, in memory.

Records are plain JSON documents, so that the state file and `GET /sandbox/state` are the same
thing. The caller holds the sandbox's lock; `actions` are the only ones who change records.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from uuid import uuid4

from credly_client.sandbox.messages import Document, not_found, written

MAX_EVENTS = 50_000


class World:
    def __init__(self) -> None:
        self.organizations: dict[str, Document] = {}
        self.templates: dict[str, Document] = {}
        self.badges: dict[str, Document] = {}
        self.events: dict[str, Document] = {}
        self.calls: Counter[str] = Counter()
        self.version = 0
        self._held_by: defaultdict[tuple[str, str, str], list[str]] = defaultdict(list)
        self._outgoing: list[str] = []

    # Mutators

    def touch(self) -> None:
        """Something worth saving has changed."""
        self.version += 1

    def add_badge(self, badge: Document) -> None:
        self.badges[badge["id"]] = badge
        for key in _holders(badge):
            self._held_by[key].append(badge["id"])
        self.touch()

    def record_event(
        self, event_type: str, *, organization_id: str, resource: Document, now: datetime
    ) -> None:
        """`resource`: the badge or template as Credly would show it at this moment."""
        key = "badge_template" if event_type.startswith("badge_template.") else "badge"
        event: Document = {
            "id": str(uuid4()),
            "organization_id": organization_id,
            "event_type": event_type,
            "occurred_at": written(now),
            key: resource,
            "delivery": {"state": "waiting", "attempts": 0, "last_status": None},
        }
        self.events[event["id"]] = event
        while len(self.events) > MAX_EVENTS:
            del self.events[next(iter(self.events))]
        self._outgoing.append(event["id"])
        self.touch()

    def take_outgoing(self) -> list[str]:
        """Ids of the events since the last call: their webhooks are due."""
        taken, self._outgoing = self._outgoing, []
        return taken

    def clear(self) -> None:
        for records in (self.organizations, self.templates, self.badges, self.events):
            records.clear()
        self.calls.clear()
        self._held_by.clear()
        self._outgoing.clear()
        self.touch()

    # Queries

    def badges_of(
        self, *, template_id: str, email: str = "", earner_id: str = ""
    ) -> Iterator[Document]:
        """Badges of one template for an e-mail address or an `issuer_earner_id`, not deleted."""
        found: dict[str, None] = {}
        for kind, value in (("email", email.lower()), ("earner", earner_id)):
            if value:
                found.update(dict.fromkeys(self._held_by.get((kind, template_id, value), ())))
        for badge_id in found:
            if not self.badges[badge_id]["deleted"]:
                yield self.badges[badge_id]

    def template_of(self, record_id: str, *, organization_id: str = "") -> Document:
        """Raises Refusal 404, also for a template of another organization."""
        return _find(self.templates, record_id, organization_id, what="Badge template")

    def badge_of(self, record_id: str, *, organization_id: str = "") -> Document:
        """Raises Refusal 404, also for a badge of another organization."""
        return _find(self.badges, record_id, organization_id, what="Badge")

    def organization_of_token(self, token: str | None) -> Document | None:
        return next((org for org in self.organizations.values() if org["token"] == token), None)

    # The state file

    def to_document(self) -> Document:
        return {
            "version": 1,
            "organizations": list(self.organizations.values()),
            "templates": list(self.templates.values()),
            "badges": list(self.badges.values()),
            "events": list(self.events.values()),
            "calls": dict(self.calls),
        }

    def load(self, document: Document) -> None:
        """Replaces everything; events that were not delivered are due again."""
        self.clear()
        self.organizations.update(_by_id(document["organizations"]))
        self.templates.update(_by_id(document["templates"]))
        for badge in document["badges"]:
            self.add_badge(badge)
        self.events.update(_by_id(document["events"]))
        self.calls.update(document["calls"])
        self._outgoing = [
            event["id"] for event in self.events.values() if event["delivery"]["state"] == "waiting"
        ]


def _find(
    records: Mapping[str, Document], record_id: str, organization_id: str, *, what: str
) -> Document:
    record = records.get(record_id)
    if record is None or record["deleted"]:
        raise not_found(what)
    if organization_id and record["organization_id"] != organization_id:
        raise not_found(what)
    return record


def _by_id(records: Iterable[Document]) -> dict[str, Document]:
    return {record["id"]: record for record in records}


def _holders(badge: Document) -> Iterator[tuple[str, str, str]]:
    yield "email", badge["template_id"], badge["recipient_email"].lower()
    if badge["issuer_earner_id"]:
        yield "earner", badge["template_id"], badge["issuer_earner_id"]
