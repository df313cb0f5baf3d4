"""The calls of a test or of the page, under `/sandbox/`: no key, this machine only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from http import HTTPStatus

from credly_client.sandbox import actions, catalog, documents, keys
from credly_client.sandbox.messages import (
    Call,
    Document,
    Handler,
    Reply,
    Route,
    invalid,
    not_found,
)
from credly_client.sandbox.switches import Switchboard
from credly_client.sandbox.world import World

Change = Callable[[World, Document, Call], Document]


def _revoke(world: World, record: Document, call: Call) -> Document:
    reason = str(call.body.get("reason") or "Revoked by the issuer")
    return actions.revoke_badge(world, record, call=call, reason=reason)


BADGE_ACTIONS: Mapping[str, Change] = {
    "accept": lambda world, it, call: actions.answer_badge(world, it, call=call, state="accepted"),
    "reject": lambda world, it, call: actions.answer_badge(world, it, call=call, state="rejected"),
    "private": lambda world, it, call: actions.set_public(world, it, call=call, public=False),
    "public": lambda world, it, call: actions.set_public(world, it, call=call, public=True),
    "revoke": _revoke,
    "remind": lambda world, it, call: actions.remind(world, it, call=call),
    "delete": lambda world, it, call: actions.delete_badge(world, it, call=call),
}


class Control:
    def __init__(self, world: World, *, switches: Switchboard) -> None:
        self._world = world
        self._switches = switches
        plain: tuple[tuple[str, str, Handler], ...] = (
            ("POST", "organizations", self._put_organization),
            ("POST", "organizations/<id>/expire", self._expire),
            ("POST", "persons", self._put_person),
            ("POST", "templates", self._put_template),
            ("POST", "templates/<id>/archive", self._archive),
            ("POST", "templates/<id>/delete", self._delete),
            ("GET", "state", self._state),
            ("GET", "history", self._history),
            ("GET", "duplicates", self._duplicates),
            ("GET", "switches", self._show_switches),
            ("POST", "switches", self._set_switches),
            ("POST", "switches/clear", self._clear_switches),
            ("POST", "reset", self._reset),
        )
        self.routes: Sequence[Route] = tuple(
            Route(method, f"sandbox/{pattern}", handler) for method, pattern, handler in plain
        ) + tuple(
            Route("POST", f"sandbox/badges/<id>/{name}", partial(self._change_badge, change))
            for name, change in BADGE_ACTIONS.items()
        )

    def _put_organization(self, call: Call, _ids: tuple[str, ...]) -> Reply:
        return _done(
            documents.organization(catalog.put_organization(self._world, call=call)), call=call
        )

    def _expire(self, call: Call, ids: tuple[str, ...]) -> Reply:
        if ids[0] not in self._world.organizations:
            raise not_found("Organization")
        return _done(keys.expire_tokens(self._world, organization_id=ids[0], call=call), call=call)

    def _put_person(self, call: Call, _ids: tuple[str, ...]) -> Reply:
        addresses = call.body.get("emails")
        if not isinstance(addresses, list) or not addresses:
            raise invalid({"emails": "is not a list of e-mail addresses"})
        self._world.join_person(str(address) for address in addresses)
        return _done({"emails": addresses}, call=call)

    def _put_template(self, call: Call, _ids: tuple[str, ...]) -> Reply:
        return _done(catalog.put_template(self._world, call=call), call=call)

    def _archive(self, call: Call, ids: tuple[str, ...]) -> Reply:
        return _done(catalog.archive_template(self._world, ids[0], call=call), call=call)

    def _delete(self, call: Call, ids: tuple[str, ...]) -> Reply:
        return _done(catalog.delete_template(self._world, ids[0], call=call), call=call)

    def _change_badge(self, change: Change, call: Call, ids: tuple[str, ...]) -> Reply:
        record = self._world.badge_of(ids[0])
        return _done(change(self._world, record, call), call=call)

    def _state(self, _call: Call, _ids: tuple[str, ...]) -> Reply:
        state = self._world.to_document()
        del state["history"]
        state["organizations"] = [documents.organization(org) for org in state["organizations"]]
        state["tokens"] = [
            {key: value for key, value in record.items() if key != "token"}
            for record in state["tokens"]
        ]
        return Reply(
            document=state
            | {"switches": self._switches.to_document(), "faults": dict(self._switches.struck)}
        )

    def _history(self, call: Call, _ids: tuple[str, ...]) -> Reply:
        after = call.query.get("after", "0")
        if not after.isdecimal():
            raise invalid({"after": "is not a number"})
        return Reply(document={"history": self._world.history[int(after) :]})

    def _duplicates(self, _call: Call, _ids: tuple[str, ...]) -> Reply:
        """The moments at which a learner held more than one badge of a template."""
        found = [entry for entry in self._world.history if entry["live"] > 1]
        return Reply(document={"duplicates": found, "changes": len(self._world.history)})

    def _show_switches(self, _call: Call, _ids: tuple[str, ...]) -> Reply:
        return Reply(document=self._switches.to_document())

    def _set_switches(self, call: Call, ids: tuple[str, ...]) -> Reply:
        self._switches.change(call.body)
        return self._show_switches(call, ids)

    def _clear_switches(self, call: Call, _ids: tuple[str, ...]) -> Reply:
        self._switches.clear()
        return _done({}, call=call)

    def _reset(self, call: Call, _ids: tuple[str, ...]) -> Reply:
        self._world.clear()
        self._switches.clear()
        return _done({}, call=call)


def _done(document: Document, *, call: Call) -> Reply:
    """A browser that pressed a button goes back to the page."""
    if call.wants_html:
        return Reply(status=HTTPStatus.SEE_OTHER, headers={"Location": "/"}, html="")
    return Reply(document=document)
