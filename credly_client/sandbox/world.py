"""Everything the sandbox holds, in memory.

Records are plain JSON documents, so that the state file and `GET /sandbox/state` are the same
thing. The caller holds the sandbox's lock; `actions` are the only ones who change records.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

from credly_client.sandbox.messages import Document, not_found, written

MAX_EVENTS = 50_000
LIVE = frozenset({"pending", "accepted"})
Holder = tuple[str, str, str]
"""By what a learner is known, the template, the value."""


class World:
    def __init__(self) -> None:
        self.organizations: dict[str, Document] = {}
        self.templates: dict[str, Document] = {}
        self.badges: dict[str, Document] = {}
        self.events: dict[str, Document] = {}
        self.tokens: dict[str, Document] = {}
        self.access_tokens: dict[str, Document] = {}
        """By value; of OAuth, and forgotten when the sandbox stops."""
        self.history: list[Document] = []
        """Every change of a badge, in order, never cut: see `note`."""
        self.calls: Counter[str] = Counter()
        self.version = 0
        self._person_of: dict[str, str] = {}
        self._held_by: defaultdict[Holder, list[str]] = defaultdict(list)
        self._outgoing: list[str] = []

    # Mutators

    def touch(self) -> None:
        """Something worth saving has changed."""
        self.version += 1

    def add_badge(self, badge: Document) -> None:
        self.badges[badge["id"]] = badge
        for key in self.holders(badge, template_id=badge["template_id"]):
            self._held_by[key].append(badge["id"])
        self.touch()

    def note(self, badge: Document, *, what: str, now: datetime) -> None:
        """Writes down a change that was made. `live`: how many badges of this template its learner
        holds after it, so that a second one can be proved even if it was gone a moment later.
        """
        held = self.badges_held(badge, template_id=badge["template_id"])
        entry = {"at": written(now), "what": what, "state": badge["state"]}
        badge["history"].append(entry)
        self.history.append(
            {
                "number": len(self.history) + 1,
                **entry,
                "live": sum(self.is_live(other) for other in held),
                "badge_id": badge["id"],
                "badge_template_id": badge["template_id"],
                "issuer_earner_id": badge["issuer_earner_id"],
                "recipient_email": badge["recipient_email"],
            }
        )
        self.touch()

    def join_person(self, addresses: Iterable[str]) -> None:
        """These addresses are one Credly user; what was issued before counts as well."""
        lowered = [address.lower() for address in addresses]
        known = next((name for name in map(self._person_of.get, lowered) if name), lowered[0])
        self._person_of.update(dict.fromkeys(lowered, known))
        self._held_by.clear()
        for badge in self.badges.values():
            for key in self.holders(badge, template_id=badge["template_id"]):
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
        for others in (self.tokens, self.access_tokens, self._person_of):
            others.clear()
        self.history.clear()
        self.calls.clear()
        self._held_by.clear()
        self._outgoing.clear()
        self.touch()

    # Queries

    def holders(self, badge: Mapping[str, Any], *, template_id: str) -> set[Holder]:
        """What makes two badges of one template duplicates: the address, or another address of
        the same user, or the `issuer_earner_id`.
        """
        address = str(badge["recipient_email"]).lower()
        keys = {("person", template_id, self._person_of.get(address, address))}
        if badge.get("issuer_earner_id"):
            keys.add(("earner", template_id, str(badge["issuer_earner_id"])))
        return keys

    def badges_held(self, badge: Mapping[str, Any], *, template_id: str) -> list[Document]:
        """Badges of the same learner and template in any state, oldest first, not deleted."""
        return self._found(self.holders(badge, template_id=template_id))

    def badges_of(self, *, template_id: str, earner_id: str) -> list[Document]:
        """As `badges_held`, by the `issuer_earner_id` alone."""
        return self._found({("earner", template_id, earner_id)})

    def _found(self, keys: Iterable[Holder]) -> list[Document]:
        ids = {badge_id for key in keys for badge_id in self._held_by.get(key, ())}
        found = [self.badges[badge_id] for badge_id in ids]
        return sorted(
            (badge for badge in found if not badge["deleted"]), key=lambda it: it["created_at"]
        )

    def is_live(self, badge: Document) -> bool:
        """The learner holds it."""
        return badge["state"] in LIVE and not badge["replacement_badge_id"] and not badge["deleted"]

    def current_badge(self, badge: Document) -> Document:
        """The badge that took its place, and that one's place, to the last."""
        while badge["replacement_badge_id"]:
            badge = self.badges[badge["replacement_badge_id"]]
        return badge

    def person(self, address: str) -> str:
        """The same for every address of one user."""
        return self._person_of.get(address.lower(), address.lower())

    def token_record(self, token: str | None) -> Document | None:
        return next((key for key in self.tokens.values() if key["token"] == token), None)

    def template_of(self, record_id: str, *, organization_id: str = "") -> Document:
        """Raises Refusal 404, also for a template of another organization."""
        return _find(self.templates, record_id, organization_id, what="Badge template")

    def badge_of(self, record_id: str, *, organization_id: str = "") -> Document:
        """Raises Refusal 404, also for a badge of another organization."""
        return _find(self.badges, record_id, organization_id, what="Badge")

    # The state file

    def to_document(self) -> Document:
        return {
            "version": 2,
            "organizations": list(self.organizations.values()),
            "tokens": list(self.tokens.values()),
            "persons": dict(self._person_of),
            "templates": list(self.templates.values()),
            "badges": list(self.badges.values()),
            "events": list(self.events.values()),
            "history": list(self.history),
            "calls": dict(self.calls),
        }

    def load(self, document: Document) -> None:
        """Replaces everything; events that were not delivered are due again."""
        self.clear()
        self.organizations.update(_by_id(document["organizations"]))
        self.tokens.update(_by_id(document["tokens"]))
        self.templates.update(_by_id(document["templates"]))
        self._person_of.update(document["persons"])
        for badge in document["badges"]:
            self.add_badge(badge)
        self.events.update(_by_id(document["events"]))
        self.history.extend(document["history"])
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
