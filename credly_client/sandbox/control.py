"""The calls of a test or of the page, under `/sandbox/`: no key, this machine only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from http import HTTPStatus

from credly_client.sandbox import actions, catalog, documents
from credly_client.sandbox.messages import Call, Document, Handler, Reply, Route
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
    "delete": lambda world, it, call: actions.delete_badge(world, it, call=call),
}


class Control:
    def __init__(self, world: World, *, switches: Switchboard) -> None:
        self._world = world
        self._switches = switches
        plain: tuple[tuple[str, str, Handler], ...] = (
            ("POST", "organizations", self._put_organization),
            ("POST", "templates", self._put_template),
            ("POST", "templates/<id>/archive", self._archive),
            ("POST", "templates/<id>/delete", self._delete),
            ("GET", "state", self._state),
            ("GET", "switches", self._show_switches),
            ("POST", "switches", self._set_switches),
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
        state["organizations"] = [documents.organization(org) for org in state["organizations"]]
        return Reply(document=state | {"switches": self._switches.to_document()})

    def _show_switches(self, _call: Call, _ids: tuple[str, ...]) -> Reply:
        return Reply(document=self._switches.to_document())

    def _set_switches(self, call: Call, ids: tuple[str, ...]) -> Reply:
        self._switches.change(call.body)
        return self._show_switches(call, ids)

    def _reset(self, call: Call, _ids: tuple[str, ...]) -> Reply:
        self._world.clear()
        self._switches.clear()
        return _done({}, call=call)


def _done(document: Document, *, call: Call) -> Reply:
    """A browser that pressed a button goes back to the page."""
    if call.wants_html:
        return Reply(status=HTTPStatus.SEE_OTHER, headers={"Location": "/"}, html="")
    return Reply(document=document)
