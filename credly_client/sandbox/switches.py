"""Faults on demand, one table. A new fault is a function and a line of `SWITCHES`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto
from http import HTTPStatus
from typing import Any

from credly_client.sandbox.messages import Document, Reply, invalid

HOLD = 60.0
EXTRA = {"sandbox_extra_key": {"any": ["thing"]}}
Options = Mapping[str, Any]


class Phase(Enum):
    """When a switch acts: instead of the call, on its answer, or inside the rules."""

    BEFORE = auto()
    AFTER = auto()
    RULE = auto()


def _down(_options: Options, _reply: Reply) -> Reply:
    page = "<html><body><h1>503 Service Temporarily Unavailable</h1></body></html>"
    return Reply(status=HTTPStatus.SERVICE_UNAVAILABLE, html=page)


def _rate_limited(options: Options, _reply: Reply) -> Reply:
    wait = options.get("retry_after")
    return Reply(
        status=HTTPStatus.TOO_MANY_REQUESTS,
        document={"data": {"message": "Rate limit exceeded"}, "metadata": {}},
        headers={} if wait is None else {"Retry-After": str(wait)},
    )


def _held(options: Options, reply: Reply) -> Reply:
    return replace(reply, hold=float(options.get("seconds", HOLD)), end="close")


def _reset(_options: Options, reply: Reply) -> Reply:
    return replace(reply, end="reset")


def _malformed(_options: Options, reply: Reply) -> Reply:
    return replace(reply, cut=True)


def _extra_keys(_options: Options, reply: Reply) -> Reply:
    return replace(reply, document=with_extra_keys(reply.document))


def with_extra_keys(value: Any) -> Any:
    """The same JSON with one more key in every object."""
    if isinstance(value, dict):
        return {key: with_extra_keys(item) for key, item in value.items()} | EXTRA
    if isinstance(value, list):
        return [with_extra_keys(item) for item in value]
    return value


@dataclass(frozen=True)
class Switch:
    phase: Phase
    effect: Callable[[Options, Reply], Reply] | None = None


SWITCHES: Mapping[str, Switch] = {
    "down": Switch(Phase.BEFORE, _down),
    "rate_limited": Switch(Phase.BEFORE, _rate_limited),
    "timeout_before": Switch(Phase.BEFORE, _held),
    "extra_keys": Switch(Phase.AFTER, _extra_keys),
    "malformed": Switch(Phase.AFTER, _malformed),
    "timeout_after": Switch(Phase.AFTER, _held),
    "reset": Switch(Phase.AFTER, _reset),
    "new_badges_accepted": Switch(Phase.RULE),
    "revoked_count_as_duplicates": Switch(Phase.RULE),
}
OPTIONS = frozenset({"count", "calls", "retry_after", "seconds"})


@dataclass(frozen=True, kw_only=True)
class Setting:
    """`left`: calls still to be hit, None until cleared. `calls`: how a call's name begins."""

    left: int | None = None
    calls: str = ""
    options: Options


class Switchboard:
    """Which switches are set. The caller holds the sandbox's lock."""

    def __init__(self) -> None:
        self._set: dict[str, Setting] = {}

    def is_on(self, name: str) -> bool:
        return name in self._set

    def apply(self, phase: Phase, *, name: str, reply: Reply) -> Reply | None:
        """What the switches of a phase make of a call; None when none of them acts.

        Before a call the first one decides; on an answer all of them add up.
        """
        acted = None
        for key, switch in SWITCHES.items():
            setting = self._set.get(key)
            hit = setting is not None and name.startswith(setting.calls)
            if switch.phase is phase and switch.effect and setting and hit:
                self._use(key, setting)
                acted = switch.effect(setting.options, acted or reply)
                if phase is Phase.BEFORE:
                    return acted
        return acted

    def _use(self, key: str, setting: Setting) -> None:
        if setting.left is None:
            return
        if setting.left <= 1:
            del self._set[key]
        else:
            self._set[key] = replace(setting, left=setting.left - 1)

    def change(self, wanted: Mapping[str, Any]) -> None:
        """`{name: true | false | N | {"count": N, ...}}`; Refusal 422 changes nothing."""
        errors = {name: "is no switch" for name in wanted if name not in SWITCHES}
        parsed: dict[str, Setting | None] = {}
        for name, value in wanted.items():
            try:
                parsed[name] = _setting(value)
            except ValueError as error:
                errors.setdefault(name, str(error))
        if errors:
            raise invalid(errors)
        for name, setting in parsed.items():
            if setting is None:
                self._set.pop(name, None)
            else:
                self._set[name] = setting

    def clear(self) -> None:
        self._set.clear()

    def to_document(self) -> Document:
        return {
            name: {"count": setting.left, "calls": setting.calls, **setting.options}
            for name, setting in self._set.items()
        }


def _setting(value: Any) -> Setting | None:
    """None when the value switches off; ValueError when it is not understood."""
    if value is None or value is False or value == 0:
        return None
    if value is True:
        return Setting(options={})
    if isinstance(value, int) and value > 0:
        return Setting(left=value, options={})
    if not isinstance(value, dict) or not set(value) <= OPTIONS:
        raise ValueError(f"takes true, false, a count or an object of {', '.join(sorted(OPTIONS))}")
    options = {key: item for key, item in value.items() if key not in ("count", "calls")}
    count = value.get("count")
    if count is not None and (not isinstance(count, int) or count < 1):
        raise ValueError("count is not a number above 0")
    if not all(isinstance(item, int | float | None) for item in options.values()):
        raise ValueError("seconds and retry_after are numbers")
    return Setting(left=count, calls=str(value.get("calls") or ""), options=options)
