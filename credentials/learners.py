"""Finding the learner of an event, and keeping the profile current.

Note [One person, two ways to be known]
    "ann" without an id and "ann" under id 11 are one person, whichever is heard of first. No
    constraint says so, because the rows have nothing in common that is unique; so two transactions
    at the same moment must not both look, find nobody, and add one. Events without an id are rare,
    the Redis bus cannot even carry them: where others can wait for them, they do. On PostgreSQL
    such a batch has the table to itself from before it looks. SQLite has one writer at a time. On
    MariaDB and MySQL a locking read sees what others have not committed, so there everybody who
    added somebody looks again; who finds the other row does the work again, and uses it.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from functools import cache
from operator import attrgetter
from typing import Any, Final, NamedTuple, Protocol, cast
from uuid import UUID, uuid4

import attrs
from django.conf import settings
from django.db import IntegrityError, OperationalError, connection
from django.utils.module_loading import import_string

from credentials import bulk
from credentials.identity import derived
from credentials.models import Learner

_COLUMNS: Final = (
    "lms_user_id",
    "sole_username",
    "username",
    "email",
    "name",
    "is_active",
    "profile_time",
)
_NEW: Final = ("uuid", "created", *_COLUMNS)
_NAME: Final = _COLUMNS.index("name")
_MAX_LENGTH: Final = 255


class AddedMeanwhileError(OperationalError):
    """Another transaction has just added the same person under what this one does not know. Do
    the whole transaction again, as after a deadlock: `credentials.database.with_retries` does.
    """


class SomeAreThereError(Exception):
    """Not all who were not found are new. Roll back, and `upsert` without `suppose_new`."""


class LearnerFacts(NamedTuple):
    """What one event says of its learner. `lms_user_id` or `username` is there."""

    lms_user_id: int | None
    username: str
    email: str
    name: str
    is_active: bool
    as_of: datetime


@attrs.define(eq=False)
class _Person:
    """A learner's row in memory. Not a model instance: that costs ten times as much, and there is
    one for every event.
    """

    lms_user_id: int | None
    sole_username: str | None
    username: str
    email: str
    name: str
    is_active: bool
    profile_time: datetime
    id: int | None = None
    stored: tuple[Any, ...] | None = None  # the columns as they were read; None: a new row

    @property
    def identity(self) -> tuple[int | None, str | None]:
        return self.lms_user_id, self.sole_username


_columns = attrgetter(*_COLUMNS)


def upsert(facts: Sequence[LearnerFacts], *, now: datetime, suppose_new: bool = False) -> list[int]:
    """Find or create the learner of each of `facts`, applied in their order.

    Requires a transaction; locks the rows found, in the order of their keys, so that two
    consumers never work on one learner at once. Returns the key of the learner's row for each of
    `facts`. A learner is found by LMS user id, by username only when there is no id. A learner
    known by username only takes the first id that comes with that username. Ten statements at
    most, two when all are known and nothing but the time is new, and what AFTER_RENAMING costs
    when somebody has another name.

    With `suppose_new`, who is not found is inserted without a look at each row, which on
    PostgreSQL costs half. Raises SomeAreThereError when that was wrong, and AddedMeanwhileError.
    """
    if not facts:
        return []
    # See Note [One person, two ways to be known].
    if connection.vendor == "postgresql" and any(each.lms_user_id is None for each in facts):
        _exclude_others()
    roll = _Roll(_load(facts))
    people = [roll.apply(each) for each in facts]
    fresh = [each for each in roll.people if each.stored is None]
    renamed = _rewrite(each for each in roll.people if each.stored is not None)
    _create(fresh, now=now, suppose_new=suppose_new)
    if connection.vendor == "mysql":
        _look_again(fresh, known={each.id for each in roll.people})
    if renamed:
        after_renaming()(renamed, now=now)
    return [each.id for each in people if each.id is not None]


def _load(facts: Sequence[LearnerFacts]) -> list[_Person]:
    """Everybody who could be one of `facts`, locked."""
    ids = {each.lms_user_id for each in facts if each.lms_user_id is not None}
    people = _locked("lms_user_id", ids)
    known = {each.lms_user_id for each in people}
    there = {each.id for each in people}
    for column, names in (
        ("sole_username", {each.username for each in facts if each.lms_user_id not in known}),
        ("username", {each.username for each in facts if each.lms_user_id is None}),
    ):
        fresh = [each for each in _locked(column, names - {""}) if each.id not in there]
        there |= {each.id for each in fresh}
        people += fresh
    return people


def _locked(column: str, values: Collection[Any]) -> list[_Person]:
    among = ((each,) for each in values)
    rows = bulk.select(Learner, (*_COLUMNS, "id"), where=(column,), among=among, lock=True)
    return [_person(row) for row in rows]


def _person(row: tuple[Any, ...]) -> _Person:
    person = _Person(*row)
    person.stored = row[:-1]
    return person


class AfterRenaming(Protocol):
    def __call__(self, learner_ids: Sequence[int], *, now: datetime) -> None:
        """The profiles of these learners have another name now. In the same transaction."""


@cache
def after_renaming() -> AfterRenaming:
    return cast("AfterRenaming", import_string(settings.AFTER_RENAMING))


def _rewrite(known: Iterable[_Person]) -> list[int]:
    """Most events confirm what is known and move only its time: that is a statement of its own.
    Returns who has another name.
    """
    changed: list[tuple[Any, ...]] = []
    confirmed: list[tuple[Any, ...]] = []
    renamed: list[int] = []
    for each in sorted(known, key=attrgetter("id")):
        columns = _columns(each)
        if columns == each.stored:
            continue
        if columns[:-1] == (each.stored or ())[:-1]:
            confirmed.append((each.id, each.profile_time))
        else:
            changed.append((each.id, *columns))
            if each.id is not None and each.stored and each.name != each.stored[_NAME]:
                renamed.append(each.id)
    bulk.update(Learner, _COLUMNS, changed)
    bulk.update(Learner, ("profile_time",), confirmed)
    return renamed


def _exclude_others() -> None:
    """Conflicts with the row locks of `_load`, which every batch takes."""
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE credentials_learner IN EXCLUSIVE MODE")


def _look_again(fresh: Sequence[_Person], *, known: Collection[int | None]) -> None:
    """One statement, two with people without an id. Raises AddedMeanwhileError."""
    with_id = {each.username for each in fresh if each.lms_user_id is not None} - {""}
    without = {each.username for each in fresh if each.lms_user_id is None}
    found = [*_locked("sole_username", with_id), *_locked("username", without)]
    if any(each.id not in known for each in found):
        raise AddedMeanwhileError


def _create(fresh: list[_Person], *, now: datetime, suppose_new: bool) -> None:
    """Insert, and read the keys back: another consumer may be creating the same people."""
    fresh.sort(key=lambda each: (each.lms_user_id or 0, each.username))
    rows = _rows(fresh, [derived("learner", *each.identity) for each in fresh], now=now)
    if suppose_new:
        try:
            bulk.insert(Learner, _NEW, rows)
        except IntegrityError as error:
            raise SomeAreThereError from error
    else:
        bulk.insert_missing(Learner, _NEW, rows)
    _learn_keys(fresh)
    # Somebody else has this id already: a person under this identity was retired.
    left = [each for each in fresh if each.id is None]
    bulk.insert_missing(Learner, _NEW, _rows(left, [uuid4() for _ in left], now=now))
    _learn_keys(left)


def _rows(fresh: Sequence[_Person], uuids: Sequence[UUID], *, now: datetime) -> list[bulk.Row]:
    return [(uuid, now, *_columns(each)) for uuid, each in zip(uuids, fresh, strict=True)]


def _learn_keys(fresh: Sequence[_Person]) -> None:
    """Who is not there gets none."""
    by_identity: dict[int | str, int] = {}
    for column in ("lms_user_id", "sole_username"):
        identities = (getattr(each, column) for each in fresh)
        among = ((each,) for each in identities if each is not None)
        rows = bulk.select(Learner, ("id", column), where=(column,), among=among)
        by_identity.update((identity, pk) for pk, identity in rows)
    for each in fresh:
        each.id = by_identity.get(each.lms_user_id or each.sole_username or 0)


class _Roll:
    """The learners of one batch in memory."""

    def __init__(self, people: Iterable[_Person]) -> None:
        self.people: list[_Person] = []
        self._by_id: dict[int, _Person] = {}
        self._sole: dict[str, _Person] = {}
        for person in people:
            self._enter(person)

    def apply(self, facts: LearnerFacts) -> _Person:
        person = self._find(facts)
        if person is not None:
            _refresh(person, facts)
            return person
        person = _Person(
            lms_user_id=facts.lms_user_id,
            sole_username=facts.username if facts.lms_user_id is None else None,
            username=facts.username[:_MAX_LENGTH],
            email=facts.email[:_MAX_LENGTH],
            name=facts.name[:_MAX_LENGTH],
            is_active=facts.is_active,
            profile_time=facts.as_of,
        )
        self._enter(person)
        return person

    def _enter(self, person: _Person) -> None:
        self.people.append(person)
        if person.lms_user_id is not None:
            self._by_id[person.lms_user_id] = person
        if person.sole_username is not None:
            self._sole[person.sole_username] = person

    def _find(self, facts: LearnerFacts) -> _Person | None:
        if facts.lms_user_id is None:
            return self._by_name(facts.username)
        known = self._by_id.get(facts.lms_user_id)
        if known is not None:
            return known
        adopted = self._sole.pop(facts.username, None) if self._sole else None
        if adopted is not None:
            adopted.lms_user_id = facts.lms_user_id
            adopted.sole_username = None
            self._by_id[facts.lms_user_id] = adopted
        return adopted

    def _by_name(self, username: str) -> _Person | None:
        """The newest of that username. A walk over the batch: events without an id are rare."""
        named = [each for each in self.people if each.username == username]
        return max(named, key=attrgetter("profile_time"), default=None)


def _refresh(person: _Person, facts: LearnerFacts) -> None:
    """Take over what is newer; blanks never overwrite, an older event only fills blanks."""
    newer = facts.as_of >= person.profile_time
    if facts.username != person.username and person.lms_user_id is not None:
        person.username = _taken(facts.username, person.username, newer=newer)
    if facts.email != person.email:
        person.email = _taken(facts.email, person.email, newer=newer)
    if facts.name != person.name:
        person.name = _taken(facts.name, person.name, newer=newer)
    if newer:
        person.is_active = facts.is_active
        person.profile_time = facts.as_of


def _taken(said: str, known: str, *, newer: bool) -> str:
    return said[:_MAX_LENGTH] if said and (newer or not known) else known
