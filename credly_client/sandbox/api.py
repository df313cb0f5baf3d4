"""Credly's own calls, under `/v1/`.

Source: https://www.credly.com/docs/web_service_api
"""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

from credly_client.sandbox import actions, documents
from credly_client.sandbox.actions import IssueRules
from credly_client.sandbox.listing import (
    BADGE_FILTERS,
    EVENT_FILTERS,
    TEMPLATE_FILTERS,
    list_reply,
    parse_filter,
)
from credly_client.sandbox.messages import (
    BLANK,
    Call,
    Document,
    Handler,
    Refusal,
    Reply,
    Route,
    invalid,
    not_found,
)
from credly_client.sandbox.switches import Switchboard
from credly_client.sandbox.world import World

ORGANIZATION = "organizations/<id>"


class Api:
    """Handlers over one world. Each route's first id is the organization."""

    def __init__(self, world: World, *, switches: Switchboard) -> None:
        self._world = world
        self._switches = switches
        self.routes: Sequence[Route] = tuple(
            Route(method, pattern, self._authorized(handler))
            for method, pattern, handler in (
                ("GET", ORGANIZATION, self._organization),
                ("GET", f"{ORGANIZATION}/badge_templates", self._templates),
                ("GET", f"{ORGANIZATION}/badge_templates/<id>", self._template),
                ("GET", f"{ORGANIZATION}/badges", self._badges),
                ("POST", f"{ORGANIZATION}/badges", self._issue),
                ("GET", f"{ORGANIZATION}/badges/<id>", self._badge),
                ("PUT", f"{ORGANIZATION}/badges/<id>/revoke", self._revoke),
                ("GET", f"{ORGANIZATION}/events", self._events),
                ("GET", f"{ORGANIZATION}/events/<id>", self._event),
            )
        )

    def _authorized(self, handler: Handler) -> Handler:
        def check(call: Call, ids: tuple[str, ...]) -> Reply:
            owner = self._world.organization_of_token(call.token)
            if call.token is None or owner is None:
                raise Refusal(HTTPStatus.UNAUTHORIZED, "Invalid authorization token")
            if ids[0] not in self._world.organizations:
                raise not_found("Organization")
            if owner["id"] != ids[0]:
                raise Refusal(HTTPStatus.FORBIDDEN, "Not allowed for this organization")
            return handler(call, ids)

        return check

    def _organization(self, _call: Call, ids: tuple[str, ...]) -> Reply:
        return _one(documents.organization(self._world.organizations[ids[0]]))

    def _templates(self, call: Call, ids: tuple[str, ...]) -> Reply:
        shown = (
            documents.template(record, world=self._world)
            for record in self._world.templates.values()
            if record["organization_id"] == ids[0] and not record["deleted"]
        )
        return list_reply(shown, call=call, tests=TEMPLATE_FILTERS)

    def _template(self, _call: Call, ids: tuple[str, ...]) -> Reply:
        record = self._world.template_of(ids[1], organization_id=ids[0])
        return _one(documents.template(record, world=self._world))

    def _badges(self, call: Call, ids: tuple[str, ...]) -> Reply:
        filters = parse_filter(call)
        earners, templates = filters.get("issuer_earner_id"), filters.get("badge_template_id")
        if earners and templates:
            # The look-up after a lost answer: by index, so that it stays fast with many badges.
            records = [
                record
                for template_id in templates
                for earner_id in earners
                for record in self._world.badges_of(template_id=template_id, earner_id=earner_id)
            ]
        else:
            records = list(reversed(self._world.badges.values()))
        shown = (
            documents.badge(record, world=self._world, url=call.url)
            for record in records
            if record["organization_id"] == ids[0] and not record["deleted"]
        )
        return list_reply(shown, call=call, tests=BADGE_FILTERS)

    def _badge(self, call: Call, ids: tuple[str, ...]) -> Reply:
        record = self._world.badge_of(ids[1], organization_id=ids[0])
        return self._shown(record, call=call)

    def _issue(self, call: Call, ids: tuple[str, ...]) -> Reply:
        rules = IssueRules(
            accepted_at_once=self._switches.is_on("new_badges_accepted"),
            revoked_block=self._switches.is_on("revoked_count_as_duplicates"),
        )
        record = actions.issue_badge(self._world, organization_id=ids[0], call=call, rules=rules)
        return self._shown(record, call=call, status=HTTPStatus.CREATED)

    def _revoke(self, call: Call, ids: tuple[str, ...]) -> Reply:
        record = self._world.badge_of(ids[1], organization_id=ids[0])
        reason = call.body.get("reason")
        if not isinstance(reason, str) or not reason.strip():
            raise invalid({"reason": BLANK})
        actions.revoke_badge(self._world, record, call=call, reason=reason)
        return self._shown(record, call=call)

    def _events(self, call: Call, ids: tuple[str, ...]) -> Reply:
        shown = (
            documents.event(record)
            for record in reversed(self._world.events.values())
            if record["organization_id"] == ids[0]
        )
        return list_reply(shown, call=call, tests=EVENT_FILTERS)

    def _event(self, _call: Call, ids: tuple[str, ...]) -> Reply:
        record = self._world.events.get(ids[1])
        if record is None or record["organization_id"] != ids[0]:
            raise not_found("Event")
        return _one(documents.event(record))

    def _shown(self, record: Document, *, call: Call, status: int = HTTPStatus.OK) -> Reply:
        return _one(documents.badge(record, world=self._world, url=call.url), status=status)


def _one(data: Document, *, status: int = HTTPStatus.OK) -> Reply:
    return Reply(status=status, document={"data": data, "metadata": {}})
