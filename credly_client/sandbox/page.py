"""The page for people: what there is, and the buttons that a learner would press at Credly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from html import escape
from itertools import islice
from string import Template

from credly_client.sandbox.messages import Document
from credly_client.sandbox.world import World

NEWEST = 200
NEWEST_EVENTS = 20
STATES = ("pending", "accepted", "rejected", "revoked")

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 1200px; padding: 1.5rem; }
h1 { font-size: 1.4rem; margin: 0; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
p.note { color: #777; margin: .25rem 0; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .4rem .6rem; border-bottom: 1px solid var(--line);
  vertical-align: top; }
th { font-weight: 600; background: var(--soft); white-space: nowrap; }
code { font-size: .85em; overflow-wrap: anywhere; }
td code { display: inline-block; min-width: 9em; }
.state { border-radius: 1em; padding: .1em .6em; font-size: .85em; white-space: nowrap;
  color: #fff; background: #666; }
.state.pending { background: #8a5a00; } .state.accepted, .state.active { background: #176f3a; }
.state.rejected, .state.revoked, .state.archived { background: #a02334; }
form { display: inline; }
button { font: inherit; font-size: .85em; padding: .15em .6em; cursor: pointer; }
.actions { white-space: nowrap; }
.warning { border: 1px solid #a02334; border-radius: .4em; padding: .4rem .8rem; }
summary { cursor: pointer; font-size: .85em; color: #777; }
ol { margin: .25rem 0; padding-left: 1.5rem; font-size: .85em; }
"""

_PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Credly sandbox</title>
<style>$style</style>
</head>
<body>
$content
</body>
</html>
""")


def render(world: World, *, query: Mapping[str, str], switches: Document, now: datetime) -> str:
    """`query`: `state` shows only the badges in that state. `switches`: those that are on."""
    kept = [badge for badge in world.badges.values() if not badge["deleted"]]
    state = query.get("state", "")
    return _whole(
        "<h1>Credly sandbox</h1>"
        '<p class="note">A local stand-in for Credly. Nothing here leaves this machine.</p>'
        f"{_switches(switches)}{_organizations(world)}{_templates(world, kept)}"
        f"{_badges(world, kept, state=state, today=now.date())}{_webhooks(world)}"
    )


def refused(message: str) -> str:
    return _whole(
        f'<h1>Not possible</h1><p>{escape(message)}</p><p><a href="/">Back to the list</a></p>'
    )


def _whole(content: str) -> str:
    return _PAGE.substitute(style=_STYLE, content=content)


def _switches(switches: Document) -> str:
    if not switches:
        return ""
    names = ", ".join(f"<code>{escape(name)}</code>" for name in switches)
    buttons = _button("switches/clear", "Switch all off")
    return f'<div class="warning">This Credly misbehaves on purpose: {names}. {buttons}</div>'


def _organizations(world: World) -> str:
    waiting = Counter(
        event["organization_id"]
        for event in world.events.values()
        if event["delivery"]["state"] == "waiting"
    )
    rows = (
        (
            escape(org["name"]),
            _code(org["id"]),
            _code(org["webhook_url"] or "none"),
            str(waiting[org["id"]]),
        )
        for org in world.organizations.values()
    )
    heads = ("Name", "Id", "Webhook", "Webhooks waiting")
    return "<h2>Organizations</h2>" + _table(heads, rows, empty="No organization yet.")


def _templates(world: World, kept: list[Document]) -> str:
    issued = Counter(badge["template_id"] for badge in kept)
    shown = [template for template in world.templates.values() if not template["deleted"]]
    rows = (
        (
            escape(template["name"]),
            _state(template["state"]),
            escape(world.organizations[template["organization_id"]]["name"]),
            _code(template["id"]),
            str(issued[template["id"]]),
            _button(f"templates/{template['id']}/archive", "Archive")
            if template["state"] == "active"
            else "",
        )
        for template in islice(reversed(shown), NEWEST)
    )
    heads = ("Name", "State", "Organization", "Id", "Badges", "")
    return (
        "<h2>Badge templates</h2>"
        + _limit_note(len(shown))
        + _table(heads, rows, empty="No template yet.")
    )


def _badges(world: World, kept: list[Document], *, state: str, today: date) -> str:
    counts = Counter(badge["state"] for badge in kept)
    links = " · ".join(f'<a href="/?state={name}">{name}</a> {counts[name]}' for name in STATES)
    chosen = [badge for badge in kept if state in ("", badge["state"])]
    rows = (
        _badge_row(badge, world=world, today=today) for badge in islice(reversed(chosen), NEWEST)
    )
    heads = ("Learner", "Badge", "State", "Issued", "Badge id", "Earner id", "")
    return (
        "<h2>Issued badges</h2>"
        f'<p class="note"><a href="/">all</a> {len(kept)} · {links}</p>'
        + _limit_note(len(chosen))
        + _table(heads, rows, empty="No badge here.")
    )


def _badge_row(badge: Document, *, world: World, today: date) -> tuple[str, ...]:
    name = f"{badge['issued_to_first_name']} {badge['issued_to_last_name']}"
    address = escape(badge["recipient_email"])
    learner = f'<span id="{escape(badge["id"])}">{escape(name)}</span><br><small>{address}</small>'
    state = _state(badge["state"])
    if not badge["public"]:
        state += " <small>private</small>"
    if badge["replacement_badge_id"]:
        state += " <small>replaced</small>"
    if badge["expires_at"] and date.fromisoformat(badge["expires_at"]) < today:
        state += " <small>expired</small>"
    if badge["revocation_reason"]:
        state += f"<br><small>{escape(badge['revocation_reason'])}</small>"
    return (
        learner,
        escape(world.templates[badge["template_id"]]["name"]),
        state,
        _time(badge["issued_at"]) + _history(badge),
        _code(badge["id"]),
        _code(badge["issuer_earner_id"] or ""),
        f'<span class="actions">{_actions(badge)}</span>',
    )


def _actions(badge: Document) -> str:
    names = {"pending": ["accept", "reject"]}.get(badge["state"], [])
    if badge["state"] in ("pending", "accepted"):
        names = [*names, "private" if badge["public"] else "public"]
        names += [] if badge["replacement_badge_id"] else ["revoke"]
    words = {"private": "Make private", "public": "Make public"}
    return " ".join(
        _button(f"badges/{badge['id']}/{name}", words.get(name, name.capitalize()))
        for name in names
    )


def _history(badge: Document) -> str:
    entries = "".join(
        f"<li>{_time(entry['at'])}: {escape(entry['what'])}</li>" for entry in badge["history"]
    )
    return f"<details><summary>history</summary><ol>{entries}</ol></details>"


def _webhooks(world: World) -> str:
    newest = islice(reversed(world.events.values()), NEWEST_EVENTS)
    rows = (
        (
            _time(event["occurred_at"]),
            escape(event["event_type"]),
            _code(event["id"]),
            escape(event["delivery"]["state"]),
            f"{event['delivery']['attempts']} ({event['delivery']['last_status'] or 'no answer'})"
            if event["delivery"]["attempts"]
            else "",
        )
        for event in newest
    )
    heads = ("Occurred", "Type", "Id", "Webhook", "Tries (last answer)")
    return f'<h2>Events</h2><p class="note">The newest {NEWEST_EVENTS} at most.</p>' + _table(
        heads, rows, empty="No event yet."
    )


def _time(written: str) -> str:
    return escape(written[:19].replace("T", " ")) + " UTC"


def _button(path: str, label: str) -> str:
    return (
        f'<form method="post" action="/sandbox/{escape(path)}">'
        f"<button>{escape(label)}</button></form>"
    )


def _state(state: str) -> str:
    return f'<span class="state {escape(state)}">{escape(state)}</span>'


def _code(text: str) -> str:
    return f"<code>{escape(text)}</code>"


def _limit_note(total: int) -> str:
    return f'<p class="note">The newest {NEWEST} of {total}.</p>' if total > NEWEST else ""


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]], *, empty: str) -> str:
    """Heads are plain words; cells are ready HTML."""
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    if not body:
        return f'<p class="note">{escape(empty)}</p>'
    head = "".join(f"<th>{escape(word)}</th>" for word in heads)
    return f'<div class="scroll"><table><tr>{head}</tr>{body}</table></div>'
