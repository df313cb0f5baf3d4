import pickle

import pytest

from credly_client import errors
from credly_client.errors import CredlyError, FieldError, ValidationFailed

# Permanent, outcome unknown, account wide.
FLAGS = {
    "Unreachable": (False, False, False),
    "OutcomeUnknown": (False, True, False),
    "ServerError": (False, False, False),
    "RateLimited": (False, False, False),
    "MalformedAnswer": (False, False, False),
    "Unauthorized": (False, False, True),
    "Forbidden": (False, False, True),
    "Refused": (True, False, False),
    "NotFound": (True, False, False),
    "ValidationFailed": (True, False, False),
    "DuplicateBadge": (True, False, False),
    "BatchRefused": (True, True, False),
}


@pytest.mark.parametrize(("name", "flags"), FLAGS.items())
def test_each_error_says_what_to_do(name: str, flags: tuple[bool, bool, bool]) -> None:
    error = getattr(errors, name)("gone wrong")
    assert isinstance(error, CredlyError)
    assert (error.permanent, error.outcome_unknown, error.account_wide) == flags
    assert error.retry_after is None


def test_every_error_of_the_tree_is_listed_here() -> None:
    classes = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, CredlyError)
    }
    assert classes == {*FLAGS, "CredlyError", "Redirected"}


@pytest.mark.parametrize("changes", [True, False])
def test_a_redirect_leaves_the_outcome_of_a_change_unknown(changes: bool) -> None:
    error = errors.Redirected("moved", status=302, changes=changes)
    assert error.account_wide
    assert error.outcome_unknown is changes


def test_addresses_do_not_reach_the_text() -> None:
    assert str(CredlyError("ann.lee+x@example.com has it")) == "[e-mail] has it"


def test_errors_survive_pickling() -> None:
    error = ValidationFailed(
        "no", status=422, errors=(FieldError(attribute="locale", messages=("is unknown",)),)
    )
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301  (our own bytes)
    assert (str(copy), copy.status, copy.errors) == ("no", 422, error.errors)
