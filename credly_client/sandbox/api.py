"""Credly's own calls, under `/v1/`, and `/oauth/token`.

Source: https://www.credly.com/docs/web_service_api
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import partial
from http import HTTPStatus

from credly_client.sandbox import actions, catalog, documents, issuing, keys
from credly_client.sandbox.issuing import IssueRules
from credly_client.sandbox.listing import (
    BADGE_FILTERS,
    EVENT_FILTERS,
    TEMPLATE_FILTERS,
    TOKEN_FILTERS,
    list_reply,
    parse_filter,
)
from credly_client.sandbox.messages import (
    BLANK,
    Call,
    Document,
    Handler,
    Reply,
    Route,
    invalid,
    not_found,
    read_moment,
)
from credly_client.sandbox.switches import Switchboard
from credly_client.sandbox.world import World

ORGANIZATION = "organizations/<id>"
TOKEN = "oauth/token"  # noqa: S105  (a path)


class Api:
    """Handlers over one world. Each route's first id is the organization, but for OAuth's."""

    def __init__(self, world: World, *, switches: Switchboard) -> None:
        self._world = world
        self._switches = switches
        self.routes: Sequence[Route] = (
            Route("POST", TOKEN, self._access_token),
            *(
                Route(method, f"{ORGANIZATION}{below}", self._authorized(handler))
                for method, below, handler in (
                    ("GET", "", self._organization),
                    ("PUT", "", self._change_organization),
                    ("GET", "/authorization_tokens", self._tokens),
                    ("POST", "/authorization_tokens", self._create_token),
                    ("POST", "/authorization_tokens/rotate", self._rotate_token),
                    ("GET", "/badge_templates", self._templates),
                    ("GET", "/badge_templates/<id>", self._template),
                    ("GET", "/badges", self._badges),
                    ("POST", "/badges", self._issue),
                    ("POST", "/badges/batch", self._issue_batch),
                    ("GET", "/badges/<id>", self._badge),
                    ("DELETE", "/badges/<id>", self._delete),
                    ("POST", "/badges/<id>/replace", self._replace),
                    ("PUT", "/badges/<id>/revoke", self._revoke),
                    ("GET", "/events", self._events),
                    ("GET", "/events/<id>", self._event),
                )
            ),
        )

    def _authorized(self, handler: Handler) -> Handler:
        def check(call: Call, ids: tuple[str, ...]) -> Reply:
            keys.authorize(self._world, call=call, organization_id=ids[0])
            return handler(call, ids)

        return check

    # The organization and its keys

    def _access_token(self, call: Call, _ids: tuple[str, ...]) -> Reply:
        options = self._switches.take("access_token_life") or {}
        life = int(options.get("seconds", keys.ACCESS_LIFE))
        return keys.access_token(self._world, call=call, life=life)

    def _organization(self, _call: Call, ids: tuple[str, ...]) -> Reply:
        return _one(documents.organization(self._world.organizations[ids[0]]))

    def _change_organization(self, call: Call, ids: tuple[str, ...]) -> Reply:
        return _one(
            documents.organization(catalog.change_organization(self._world, ids[0], call=call))
        )

    def _tokens(self, call: Call, ids: tuple[str, ...]) -> Reply:
        return list_reply(
            _owned(self._world.tokens.values(), owner=ids[0]),
            call=call,
            tests=TOKEN_FILTERS,
            show=partial(documents.authorization_token, world=self._world),
        )

    def _create_token(self, call: Call, ids: tuple[str, ...]) -> Reply:
        record = keys.create_token(self._world, organization_id=ids[0], call=call)
        shown = documents.authorization_token(record, world=self._world)
        return _one(shown, status=HTTPStatus.CREATED)

    def _rotate_token(self, call: Call, ids: tuple[str, ...]) -> Reply:
        record = keys.rotate_token(self._world, organization_id=ids[0], call=call)
        return _one(documents.authorization_token(record, world=self._world))

    # Badge templates

    def _templates(self, call: Call, ids: tuple[str, ...]) -> Reply:
        return list_reply(
            _owned(self._world.templates.values(), owner=ids[0]),
            call=call,
            tests=TEMPLATE_FILTERS,
            show=partial(documents.template, world=self._world),
        )

    def _template(self, _call: Call, ids: tuple[str, ...]) -> Reply:
        record = self._world.template_of(ids[1], organization_id=ids[0])
        return _one(documents.template(record, world=self._world))

    # Badges

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
        return list_reply(
            _owned(records, owner=ids[0]),
            call=call,
            tests={**BADGE_FILTERS, "recipient_email_all": self._is_person},
            show=partial(documents.badge, world=self._world, url=call.url),
        )

    def _is_person(self, shown: Document, values: tuple[str, ...]) -> bool:
        person = self._world.person
        return person(shown["recipient_email"]) in {person(value) for value in values}

    def _badge(self, call: Call, ids: tuple[str, ...]) -> Reply:
        record = self._world.badge_of(ids[1], organization_id=ids[0])
        return self._shown(record, call=call)

    def _issue(self, call: Call, ids: tuple[str, ...]) -> Reply:
        record = issuing.issue_badge(
            self._world, organization_id=ids[0], body=call.body, call=call, rules=self._rules()
        )
        return self._shown(record, call=call, status=HTTPStatus.CREATED)

    def _issue_batch(self, call: Call, ids: tuple[str, ...]) -> Reply:
        records = issuing.issue_batch(
            self._world, organization_id=ids[0], call=call, rules=self._rules()
        )
        shown = [documents.badge(it, world=self._world, url=call.url) for it in records]
        return Reply(status=HTTPStatus.CREATED, document={"data": shown, "metadata": {}})

    def _replace(self, call: Call, ids: tuple[str, ...]) -> Reply:
        replaced = self._world.badge_of(ids[1], organization_id=ids[0])
        record = issuing.replace_badge(self._world, replaced, call=call, rules=self._rules())
        return self._shown(record, call=call, status=HTTPStatus.CREATED)

    def _rules(self) -> IssueRules:
        return IssueRules(
            accepted_at_once=self._switches.take("new_badges_accepted") is not None,
            revoked_block=self._switches.take("revoked_count_as_duplicates") is not None,
            batch_stops_in_the_middle=self._switches.take("batch_stops_in_the_middle") is not None,
        )

    def _revoke(self, call: Call, ids: tuple[str, ...]) -> Reply:
        record = self._world.badge_of(ids[1], organization_id=ids[0])
        reason = call.body.get("reason")
        if not isinstance(reason, str) or not reason.strip():
            raise invalid({"reason": BLANK})
        actions.revoke_badge(self._world, record, call=call, reason=reason)
        return self._shown(record, call=call)

    def _delete(self, call: Call, ids: tuple[str, ...]) -> Reply:
        record = self._world.badge_of(ids[1], organization_id=ids[0])
        actions.delete_badge(self._world, record, call=call)
        return Reply(status=HTTPStatus.NO_CONTENT)

    # Events

    def _events(self, call: Call, ids: tuple[str, ...]) -> Reply:
        return list_reply(
            _owned(reversed(self._world.events.values()), owner=ids[0]),
            call=call,
            tests=EVENT_FILTERS,
            show=documents.event,
        )

    def _event(self, call: Call, ids: tuple[str, ...]) -> Reply:
        record = self._world.events.get(ids[1])
        if record is None or record["organization_id"] != ids[0]:
            raise not_found("Event")
        late = self._switches.take("events_appear_late")
        if late is not None:
            occurred_at = read_moment(record["occurred_at"])
            after = timedelta(seconds=float(late.get("seconds", 1)))
            if occurred_at is not None and call.now < occurred_at + after:
                raise not_found("Event")
        return _one(documents.event(record))

    def _shown(self, record: Document, *, call: Call, status: int = HTTPStatus.OK) -> Reply:
        return _one(documents.badge(record, world=self._world, url=call.url), status=status)


def _owned(records: Iterable[Document], *, owner: str) -> list[Document]:
    return [it for it in records if it["organization_id"] == owner and not it.get("deleted")]


def _one(data: Document, *, status: int = HTTPStatus.OK) -> Reply:
    return Reply(status=status, document={"data": data, "metadata": {}})
