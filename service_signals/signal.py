"""The signal: declared by the app that tells, wired to handlers by the settings."""

import logging
import sys
from collections.abc import Iterable, Mapping
from typing import Any, Final, NoReturn
from uuid import uuid4
from weakref import WeakValueDictionary

import structlog
from django.apps import apps
from django.db import transaction

from service_signals.arguments import Arguments
from service_signals.delivery import Handler, News, Results, deliver

log = structlog.get_logger(__name__)

_CURE: Final = "name the handler in the setting SERVICE_SIGNALS"


class ServiceSignal:
    """News of one kind, told once it is in the database: `name` is the name of the variable, and
    `provides` what each piece of news says, for example `{"learner_id": int, "event_id": UUID}`.

    Which handlers it has is said by the setting SERVICE_SIGNALS alone. Their order is not defined.
    """

    def __init__(self, name: str, *, provides: Mapping[str, Any]) -> None:
        # Where it is declared, found as `typing.NewType` does: it is how the settings name it.
        module = sys._getframe(1).f_globals["__name__"]  # noqa: SLF001
        self.path = f"{module}.{name}"
        self.title = name.replace("_", " ")
        try:
            self.arguments = Arguments.declared(provides)
        except TypeError as error:
            raise TypeError(f"{self.path} {error}") from None
        self.handlers: tuple[Handler, ...] = ()
        self.is_wired = False  # by the router, also when it has no handlers
        self.strays: list[object] = []
        _declared[self.path] = self

    def __repr__(self) -> str:
        return f"<ServiceSignal {self.path}>"

    def send_robust(self, sender: object = None, **arguments: Any) -> Results:
        """Run each handler after the commit, or at once outside a transaction. A handler that
        fails is logged and stored; it disturbs neither the others nor the sender.

        The results are filled when the handlers have run. TypeError when the arguments are not
        those that the signal provides. Handlers get `sender` as a text.
        """
        if not self.handlers:
            log.warning("signal has no handler", signal=self.path)
        return self.tell(sender, [arguments])

    def tell(self, sender: object, news: Iterable[Mapping[str, Any]]) -> Results:
        """`send_robust` for all the news of one step at once, silent when nobody listens. What
        nobody listens to and no log shows is not even read from `news`.

        Each handler runs for all of them in one transaction; when one fails, for each in a
        transaction of its own.
        """
        results = Results()
        if not (self.handlers or log.isEnabledFor(logging.INFO)):
            return results
        told = [self._news(sender, each) for each in news]
        if told:
            # Robust: whatever goes wrong in here, the sender's other work after the commit goes on.
            transaction.on_commit(lambda: deliver(told, self.handlers, results), robust=True)
        return results

    def _news(self, sender: object, arguments: Mapping[str, Any]) -> News:
        fault = self.arguments.fault(arguments)
        if fault is not None:
            raise TypeError(f"{self.path}: {fault}")
        return News(
            signal=self.path,
            title=self.title,
            declared=self.arguments,
            sender=_text(sender),
            arguments=arguments,
            correlation_id=_correlation_id(arguments),
        )

    def wire(self, handlers: Iterable[Handler]) -> None:
        """By the router only."""
        self.handlers = tuple(handlers)
        self.is_wired = True

    def connect(self, receiver: object, *_args: Any, **_kwargs: Any) -> None:
        """Refused. While Django starts it is only noted, so that the router can report it together
        with every other fault.
        """
        if self.is_wired or apps.ready:
            raise RuntimeError(f"{self.path} is not connected by hand: {_CURE}")
        self.strays.append(receiver)

    def disconnect(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise RuntimeError(f"{self.path} is not disconnected by hand: {_CURE}")

    # Not unfinished: Django's other ways to send let one handler's error stop the sender and the
    # handlers behind it, so they do not exist here.
    def send(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise NotImplementedError(f"{self.path} is sent by send_robust only")

    async def asend(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise NotImplementedError(f"{self.path} is sent by send_robust only")

    async def asend_robust(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise NotImplementedError(f"{self.path} is sent by send_robust only")


_declared: WeakValueDictionary[str, ServiceSignal] = WeakValueDictionary()


def declared() -> dict[str, ServiceSignal]:
    """Every signal of the modules that are imported, by its path."""
    return dict(sorted(_declared.items()))


def _text(sender: object) -> str:
    if sender is None:
        return ""
    if isinstance(sender, str):
        return sender
    owner = sender if isinstance(sender, type) else type(sender)
    return f"{owner.__module__}.{owner.__qualname__}"


def _correlation_id(arguments: Mapping[str, Any]) -> str:
    """The event that caused the news; else what the log lines of this work carry; else a new id."""
    event_id = arguments.get("event_id")
    bound = structlog.contextvars.get_contextvars().get("correlation_id")
    return str(event_id or bound or uuid4())
