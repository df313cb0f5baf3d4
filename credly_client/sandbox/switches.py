"""Which faults are set, for how many calls, and whose turn it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from random import Random
from typing import Any

from credly_client.sandbox.faults import AT_RANDOM, RANDOM, SWITCHES, Options, Phase
from credly_client.sandbox.messages import Document, Reply, invalid

FAILURES = (
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
)


_ABOUT_THE_CALL = ("count", "calls", "organization")


@dataclass(frozen=True, kw_only=True)
class Setting:
    """`left`: calls still to be hit, None until cleared. `calls`: how a call's name begins.
    `organization`: whose calls; empty: everybody's.
    """

    left: int | None = None
    calls: str = ""
    organization: str = ""
    options: Options
    dice: Random

    def concerns(self, *, name: str, organization: str) -> bool:
        return name.startswith(self.calls) and self.organization in ("", organization)


class Switchboard:
    """Which switches are set, and how often each one struck. The caller holds the lock."""

    def __init__(self) -> None:
        self._set: dict[str, Setting] = {}
        self._drawn: dict[str, Options] = {}
        """What fell to the call under way, by the switch `random`."""
        self.struck: Counter[str] = Counter()

    def take(self, name: str) -> Options | None:
        """The options of a switch of the rules or of webhooks that is on; one use is counted."""
        setting = self._set.get(name)
        if setting is None:
            return None
        self._use(name, setting)
        return setting.options

    def dice(self, name: str) -> Random:
        """The switch's own, so that one seed gives one sequence; of no use when it is off."""
        setting = self._set.get(name)
        return setting.dice if setting else Random()

    def apply(
        self, phase: Phase, *, name: str, reply: Reply, organization: str = ""
    ) -> Reply | None:
        """What the switches of a phase make of a call; None when none of them acts.

        Before a call the first one decides; on an answer all of them add up.
        """
        if phase is Phase.BEFORE:
            self._drawn = self._draw(name, organization=organization)
        acted = None
        for key, switch in SWITCHES.items():
            if switch.phase is not phase or not switch.effect or not switch.fits(acted or reply):
                continue
            options = self._hit(key, name=name, organization=organization)
            if options is not None:
                self.struck[key] += 1
                acted = switch.effect(options, acted or reply)
                if phase is Phase.BEFORE:
                    return acted
        return acted

    def _hit(self, key: str, *, name: str, organization: str) -> Options | None:
        if key in self._drawn:
            return self._drawn[key]
        setting = self._set.get(key)
        if setting is None or not setting.concerns(name=name, organization=organization):
            return None
        self._use(key, setting)
        return setting.options

    def _draw(self, name: str, *, organization: str) -> dict[str, Options]:
        setting = self._set.get(RANDOM)
        if setting is None or not setting.concerns(name=name, organization=organization):
            return {}
        dice, options = setting.dice, setting.options
        if dice.random() * float(options.get("one_in", 3)) >= 1:
            return {}
        self._use(RANDOM, setting)
        own = {key: options[key] for key in ("seconds",) if key in options}
        if "retry_after" in options and dice.random() < 1 / 2:
            own["retry_after"] = options["retry_after"]
        fault = dice.choice(options.get("faults") or AT_RANDOM)
        return {fault: {**own, "status": dice.choice(FAILURES)}}

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
        for name in [name for name in wanted if name not in errors]:
            try:
                parsed[name] = _setting(wanted[name], takes=SWITCHES[name].takes)
            except ValueError as error:
                errors[name] = str(error)
        if errors:
            raise invalid(errors)
        for name, setting in parsed.items():
            if setting is None:
                self._set.pop(name, None)
            else:
                self._set[name] = setting

    def clear(self) -> None:
        self._set.clear()
        self.struck.clear()

    def to_document(self) -> Document:
        return {
            name: {
                "count": setting.left,
                "calls": setting.calls,
                **({"organization": setting.organization} if setting.organization else {}),
                **setting.options,
            }
            for name, setting in self._set.items()
        }


def _setting(value: Any, *, takes: frozenset[str]) -> Setting | None:
    """None when the value switches off; ValueError when it is not understood."""
    if value is None or value is False or value == 0:
        return None
    if value is True:
        return Setting(options={}, dice=Random())
    if isinstance(value, int) and value > 0:
        return Setting(left=value, options={}, dice=Random())
    known = {*_ABOUT_THE_CALL, *takes}
    if not isinstance(value, dict) or not set(value) <= known:
        raise ValueError(f"takes true, false, a count or an object of {', '.join(sorted(known))}")
    options = {key: item for key, item in value.items() if key not in _ABOUT_THE_CALL}
    count = value.get("count")
    if count is not None and (not isinstance(count, int) or count < 1):
        raise ValueError("count is not a number above 0")
    _check(options)
    return Setting(
        left=count,
        calls=str(value.get("calls") or ""),
        organization=str(value.get("organization") or ""),
        options=options,
        dice=Random(options.get("seed")),
    )


def _check(options: Options) -> None:
    faults = options.get("faults")
    may_fall = {
        name
        for name, switch in SWITCHES.items()
        if switch.effect and switch.phase is not Phase.RULE
    }
    if faults is not None and not (isinstance(faults, list) and faults and set(faults) <= may_fall):
        raise ValueError(f"faults is not a list of {', '.join(sorted(may_fall))}")
    others = [item for key, item in options.items() if key != "faults"]
    if not all(isinstance(item, int | float | None) for item in others):
        raise ValueError(f"{', '.join(sorted(set(options) - {'faults'}))}: numbers are expected")
    if options.get("status") not in (None, *range(500, 600)):
        raise ValueError("status is not one of 500 to 599")
    if options.get("one_in") is not None and options["one_in"] < 1:
        raise ValueError("one_in is less than 1")
