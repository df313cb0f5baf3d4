"""The line of JSON that an example's row stands for: what the row says nothing about is made up."""

import typing
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

import attrs
from openedx_events.learning.data import UserData

from badges.rules.values import parse_boolean
from events.registry import subscriptions
from tests.functional.worked_examples import Example, Row

_PEOPLE: Final = ("ann", "bob", "cid", "dan")
_MADE_UP: Final = {
    "CourseKey": "course-v1:Acme+D1+2026",
    "UsageKey": "block-v1:Acme+D1+2026+type@sequential+block@final",
    "CCXLocator": "ccx-v1:Acme+D1+2026+ccx@1",
    "datetime": "2026-03-01T00:00:00+00:00",
    "bool": True,
    "int": 1,
    "float": 1.0,
}


def moment(when: str) -> datetime:
    """`1 Mar 10:00` or `1 Mar 10:00:30`, in 2026 and UTC."""
    seconds = ":%S" if when.count(":") == 2 else ""
    return datetime.strptime(f"2026 {when}", f"%Y %d %b %H:%M{seconds}").replace(tzinfo=UTC)


def event_line(example: Example, row: Row) -> dict[str, Any]:
    """Rows that say the same are the same event, delivered again."""
    subscription = subscriptions()[row.event]
    inside = subscription.learner_path.removeprefix(subscription.argument).removeprefix(".")
    values = {"metadata.source": "openedx/lms/web", **row.values}
    own_id = 100_000 + example.number * 10 + _PEOPLE.index(row.who)
    person = {
        "id": int(values.get(f"{inside}.id".lstrip("."), own_id)),
        "is_active": True,
        "pii": {
            "username": example.username(row.who),
            "email": f"{row.who}@example.com",
            "name": row.who.title(),
        },
    }
    payload = _Payload(values, inside, person).record(subscription.payload_type, inside="")
    said = f"{example.number}/{row.when}/{row.who}/{row.event}/{sorted(row.values.items())}"
    return {
        "id": str(uuid5(NAMESPACE_URL, said)),
        "type": row.event,
        "time": moment(row.when).isoformat(),
        "source": values["metadata.source"],
        "sourcehost": values.get("metadata.sourcehost", ""),
        "data": {subscription.argument: payload},
    }


@attrs.frozen
class _Payload:
    values: Mapping[str, str]
    learner: str  # key path of the person whom the event is about
    person: Mapping[str, Any]

    def record(self, declared: type, *, inside: str) -> Any:
        """`inside`: the path of this record, empty for the payload itself."""
        if declared is UserData and inside == self.learner:
            return self.person
        fields = {}
        for field in attrs.fields(declared):
            path = f"{inside}.{field.name}" if inside else field.name
            is_named = any(f"{each}.".startswith(f"{path}.") for each in self.values)
            if is_named or field.default is attrs.NOTHING:
                fields[field.name] = self._value(field.type, path)
        return fields

    def _value(self, declared: Any, path: str) -> Any:
        kinds = [each for each in typing.get_args(declared) if each is not type(None)]
        kind = kinds[0] if typing.get_origin(declared) is typing.Union else declared
        if isinstance(kind, type) and attrs.has(kind):
            return self.record(kind, inside=path)
        text = self.values.get(path)
        if text is None:
            return _MADE_UP.get(kind.__name__, "made up")
        if kind is bool:
            return parse_boolean(text)
        return kind(text) if kind in {int, float} else text
