"""The wiring: what the settings say, checked as a whole, then put into effect."""

import inspect
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any, Final

import attrs
from celery import Task
from celery.local import Proxy
from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import module_has_submodule

from service_signals.delivery import Handler
from service_signals.signal import ServiceSignal, declared

_MODULE: Final = "signals"  # where an app declares its signals


class _FaultError(Exception):
    """One thing that is wrong, in words."""


@attrs.frozen
class Wiring:
    """What the settings say: the handlers of each signal, and every fault found on the way."""

    handlers: Mapping[str, tuple[Handler, ...]]
    faults: tuple[str, ...]


def wire() -> None:
    """Put SERVICE_SIGNALS into effect. Doing it again changes nothing.

    ImproperlyConfigured names every fault of the wiring, and then nothing is wired.
    """
    _import_declarations()
    wiring = read(settings.SERVICE_SIGNALS, settings.SERVICE_SIGNALS_UNROUTED)
    if wiring.faults:
        lines = "\n".join(f"- {each}" for each in wiring.faults)
        raise ImproperlyConfigured(f"The wiring of the service signals cannot work:\n{lines}")
    for path, signal in declared().items():
        signal.wire(wiring.handlers.get(path, ()))


def _import_declarations() -> None:
    """The `signals` module of each app, so that a signal nobody routes is known, too."""
    for app in apps.get_app_configs():
        if app.module is not None and module_has_submodule(app.module, _MODULE):
            import_module(f"{app.name}.{_MODULE}")


def read(routes: object, unrouted: object) -> Wiring:
    """Check the two settings against each other and against what is declared."""
    handlers: dict[str, tuple[Handler, ...]] = {}
    faults: list[str] = []
    for setting, value, types in (
        ("SERVICE_SIGNALS", routes, Mapping),
        ("SERVICE_SIGNALS_UNROUTED", unrouted, list | tuple | set | frozenset),
    ):
        if not isinstance(value, types):
            faults.append(f"{setting} is a {type(value).__name__}, it has to be {_FORMS[setting]}")
    for path, paths in routes.items() if isinstance(routes, Mapping) else ():
        try:
            signal = _signal(path)
        except _FaultError as fault:
            faults.append(f"{path}: {fault}")
            signal = None
        found = list(_handlers(signal, paths))
        faults += [f"{path}: {each}" for each in found if isinstance(each, str)]
        handlers[path] = tuple(each for each in found if isinstance(each, Handler))
    allowed = set(unrouted) if isinstance(unrouted, list | tuple | set | frozenset) else set()
    faults += [f"SERVICE_SIGNALS_UNROUTED: {each}" for each in _unknown(allowed)]
    for path, signal in declared().items():
        if path not in handlers and path not in allowed and _is_installed(signal):
            faults.append(
                f"{path}: declared, but without a handler in SERVICE_SIGNALS; give it one, or "
                "list it in SERVICE_SIGNALS_UNROUTED"
            )
        faults += [
            f"{path}: {_name(each)} is connected to it by hand; name it in SERVICE_SIGNALS instead"
            for each in signal.strays
        ]
    return Wiring(handlers, tuple(faults))


_FORMS: Final = {
    "SERVICE_SIGNALS": "a dict of signals and lists of handlers",
    "SERVICE_SIGNALS_UNROUTED": "a list of signals",
}


def _unknown(paths: set[Any]) -> Iterator[str]:
    for path in sorted(paths, key=str):
        try:
            _signal(path)
        except _FaultError as fault:
            yield f"{path}: {fault}"


def _is_installed(signal: ServiceSignal) -> bool:
    return apps.get_containing_app_config(signal.path) is not None


def _signal(path: object) -> ServiceSignal:
    found = _imported(path)
    if not isinstance(found, ServiceSignal):
        raise _FaultError(f"is a {_kind(found)}, not a ServiceSignal")
    if found.path != path:
        raise _FaultError(f"is declared as {found.path}; use that path")
    return found


def _handlers(signal: ServiceSignal | None, paths: object) -> Iterator[Handler | str]:
    """The handlers, and a sentence for each fault."""
    if not isinstance(paths, list | tuple):
        yield f"has {_name(paths)} for its handlers, it has to be a list of dotted paths"
        return
    if not paths:
        yield "has an empty list of handlers; give it one, or remove the line"
    seen: list[object] = []
    for path in paths:
        try:
            function = _handler(signal, path)
        except _FaultError as fault:
            yield f"handler {path!r}: {fault}"
            continue
        if function in seen:
            yield f"handler {path!r} is named twice"
            continue
        seen.append(function)
        yield Handler(str(path), function)


def _handler(signal: ServiceSignal | None, path: object) -> Any:
    found = _imported(path)
    if isinstance(found, Proxy | Task):
        raise _FaultError("is a Celery task; name a function that starts the task on commit")
    if not callable(found):
        raise _FaultError(f"is a {_kind(found)}, not a function")
    if inspect.iscoroutinefunction(found):
        raise _FaultError("is a coroutine function, which nobody would await")
    signature = inspect.signature(found)
    if all(each.kind is not each.VAR_KEYWORD for each in signature.parameters.values()):
        raise _FaultError("does not take **kwargs, so a new argument of the signal would break it")
    if signal is not None:
        try:
            signature.bind("sender", **dict.fromkeys(signal.arguments.types))
        except TypeError as error:
            raise _FaultError(f"does not fit what the signal provides: {error}") from None
    return found


def _imported(path: object) -> Any:
    if not isinstance(path, str):
        raise _FaultError(f"is {_name(path)}, not a dotted path")
    module_path, dot, attribute = path.rpartition(".")
    if not dot or not module_path or not attribute:
        raise _FaultError("has no dot: write module.name")
    try:
        module = import_module(module_path)
    except Exception as error:  # noqa: BLE001 -- whatever the module does when it is imported
        raise _FaultError(f"cannot be imported: {error!r}") from None
    try:
        return getattr(module, attribute)
    except AttributeError:
        raise _FaultError(f"there is no {attribute!r} in {module_path}") from None


def _kind(found: object) -> str:
    return f"{type(found).__module__}.{type(found).__qualname__}"


def _name(value: object) -> str:
    if inspect.isroutine(value) or isinstance(value, type):
        return f"{value.__module__}.{value.__qualname__}"
    return repr(value)
